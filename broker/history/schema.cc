#include "broker/history/schema.h"

#include <array>
#include <filesystem>
#include <system_error>

namespace assay::history {
namespace {

// "ASAY", in the file's header, so that no other program's database is taken for a history.
constexpr std::int64_t kApplicationId = 0x41534159;

// Index names are used in reader.cc (INDEXED BY). Ended tasks and the others have indexes of their
// own, so that a task costs its way through the queue little.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  journal_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  record_sequence INTEGER NOT NULL,
  ended_tasks INTEGER NOT NULL
);
CREATE TABLE tasks (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  queue TEXT NOT NULL,
  owner TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  reason TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  cancel_requested_at INTEGER,
  attempts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  labels TEXT,
  result_bytes INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL
);
CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
CREATE INDEX tasks_live ON tasks (state) WHERE ended_at IS NULL;
CREATE INDEX tasks_by_end ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX tasks_by_queue ON tasks (queue, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX tasks_by_owner ON tasks (owner, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX tasks_by_state ON tasks (state, ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE attempts (
  task INTEGER NOT NULL,
  number INTEGER NOT NULL,
  worker TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  cause INTEGER NOT NULL,
  ended_because TEXT NOT NULL,
  ready_at INTEGER,
  PRIMARY KEY (task, number)
) WITHOUT ROWID;
CREATE TABLE labels (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  task INTEGER NOT NULL,
  PRIMARY KEY (name, value, ended_at, task)
) WITHOUT ROWID;
CREATE TABLE results (
  task INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);
CREATE TABLE usage (
  day INTEGER NOT NULL,
  owner TEXT NOT NULL,
  queue TEXT NOT NULL,
  tasks INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  wall_ms INTEGER NOT NULL DEFAULT 0,
  cpu_seconds REAL NOT NULL DEFAULT 0,
  memory_byte_seconds REAL NOT NULL DEFAULT 0,
  gpu_seconds REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (day, owner, queue)
) WITHOUT ROWID;
)sql";

// Events of the feed, for those who ask for sequences that the broker's memory has let go; and the
// order of lists that go over all tasks, the newest first.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE meta ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  previous INTEGER NOT NULL,
  at INTEGER NOT NULL,
  task TEXT NOT NULL,
  queue TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX events_by_task ON events (task, sequence);
CREATE INDEX tasks_by_submission ON tasks (submitted_at);
CREATE INDEX tasks_by_owner_submission ON tasks (owner, submitted_at);
)sql";

// Each index costs every task a row, and these served no question that another does not: the events
// of a task are found from its last one back, and lists of ended tasks read them in their order.
constexpr const char* kVersion3 = R"sql(
DROP INDEX tasks_by_queue;
DROP INDEX tasks_by_owner;
DROP INDEX tasks_by_state;
DROP INDEX events_by_task;
)sql";

constexpr std::array<const char*, 3> kMigrations{kVersion1, kVersion2, kVersion3};

Status newer(std::int64_t found, std::size_t known) {
  return fix_input(std::string(kReasonVersion),
                   "expected a history of version " + std::to_string(known) +
                       " at most, found version " + std::to_string(found) +
                       ", which a later assay wrote; run that one, or let this one make its own "
                       "with assay-broker --history-rebuild");
}

Status foreign() {
  return fix_input(std::string(kReasonForeign),
                   "expected a history, found a database of another program; move it away, or name "
                   "another path");
}

// The version, once it is clear that the file is ours or empty.
Result<std::int64_t> version_of(Database& database) {
  const auto application = database.number("PRAGMA application_id");
  if (!application.is_ok()) return application.status();
  const auto version = database.number("PRAGMA user_version");
  if (!version.is_ok()) return version.status();
  const auto tables = database.number("SELECT COUNT(*) FROM sqlite_master");
  if (!tables.is_ok()) return tables.status();
  if (*application != kApplicationId && (*tables > 0 || *version > 0)) return foreign();
  return *version;
}

}  // namespace

std::span<const char* const> migrations() {
  return kMigrations;
}

Status migrate(Database& database, std::span<const char* const> steps) {
  const auto version = version_of(database);
  if (!version.is_ok()) return version.status();
  const auto first = static_cast<std::size_t>(*version);
  if (first > steps.size()) return newer(*version, steps.size());
  if (first == steps.size()) return Status::ok();
  Transaction transaction(database);
  if (Status status = transaction.begin(); !status.is_ok()) return status;
  for (std::size_t i = first; i < steps.size(); ++i) {
    Status status = database.execute(steps[i]);
    if (!status.is_ok()) {
      return std::move(status).with_context("history, from version " + std::to_string(i));
    }
  }
  Status status = database.execute("PRAGMA application_id = " + std::to_string(kApplicationId) +
                                   "; PRAGMA user_version = " + std::to_string(steps.size()));
  return status.is_ok() ? transaction.commit() : status;
}

Status check_version(Database& database) {
  const auto version = version_of(database);
  if (!version.is_ok()) return version.status();
  if (static_cast<std::size_t>(*version) > kMigrations.size())
    return newer(*version, kMigrations.size());
  if (static_cast<std::size_t>(*version) == kMigrations.size()) return Status::ok();
  return Status(Code::kRetryLater, std::string(kReasonVersion),
                "the history has version " + std::to_string(*version) +
                    "; the broker brings it up to date when it starts");
}

Result<Database> open_for_writing(const std::string& path) {
  auto database = Database::open(path, Access::kWrite);
  if (!database.is_ok()) return database.status();
  // Before anything is changed in a file that may not be ours.
  if (const auto version = version_of(*database); !version.is_ok()) {
    return version.status().with_context(path);
  }
  // NORMAL: after a power cut the last transactions may be missing, and the journal has them. Few,
  // large checkpoints, since each flushes, and the journal flushes to the same disk.
  Status status = database->execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4096;"
      "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;"
      "PRAGMA temp_store = MEMORY");
  if (status.is_ok()) status = migrate(*database);
  if (!status.is_ok()) return std::move(status).with_context(path);
  return database;
}

Status remove_history(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(path + suffix, error);
    if (error) {
      return fix_input(std::string(kReasonUnreachable),
                       "cannot remove " + path + suffix + ": " + error.message());
    }
  }
  return Status::ok();
}

}  // namespace assay::history
