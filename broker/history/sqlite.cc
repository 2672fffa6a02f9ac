#include "broker/history/sqlite.h"

#include <sqlite3.h>

namespace assay::history {
namespace {

// Another process (a person with the sqlite3 shell) may hold the database for a moment.
constexpr int kBusyMilliseconds = 1000;
// How many steps of SQLite's machine lie between two looks at the clock.
constexpr int kStepsBetweenLooks = 2000;

Status failure(sqlite3* database, int code) {
  const char* file = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
  const std::string path = file != nullptr && *file != '\0' ? file : "the history";
  const std::string what =
      path + ": " + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::kDataLoss, std::string(kReasonDamaged),
              what +
                  "; it holds nothing that the journal does not: rebuild it with assay-broker "
                  "--history-rebuild"};
    case SQLITE_FULL:
      return {Code::kExhausted, std::string(kReasonDiskFull),
              what + "; free some space or enlarge the volume"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kRetryCall, std::string(kReasonBusy), what + "; somebody else is writing"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return fix_input(std::string(kReasonUnreachable),
                       what + "; the broker's user must be able to read and write there");
    case SQLITE_IOERR:
      return internal_error(std::string(kReasonInputOutput), what);
    case SQLITE_INTERRUPT:
      return fix_input(std::string(kReasonTooLong),
                       "the query looked at too much of the history; name a queue, an owner, a "
                       "label or a shorter time");
    default:
      return internal_error(std::string(kReasonFailed), what);
  }
}

int is_past(void* deadline) {
  const auto& at =
      *static_cast<const std::optional<std::chrono::steady_clock::time_point>*>(deadline);
  return at && std::chrono::steady_clock::now() > *at ? 1 : 0;
}

// SQLite takes a null pointer for NULL, even with a length of zero.
const char* never_null(std::string_view text) {
  return text.data() != nullptr ? text.data() : "";
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

// Binding can only fail for an index that is not there or a text of gigabytes: bugs of ours.
void Statement::bind(int index, std::int64_t value) {
  ASSAY_ASSERT(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
}

void Statement::bind(int index, double value) {
  ASSAY_ASSERT(sqlite3_bind_double(statement_.get(), index, value) == SQLITE_OK);
}

void Statement::bind(int index, std::string_view text) {
  ASSAY_ASSERT(sqlite3_bind_text64(statement_.get(), index, never_null(text), text.size(),
                                   SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void Statement::bind(int index, Bytes bytes) {
  ASSAY_ASSERT(sqlite3_bind_blob64(statement_.get(), index, never_null(bytes.value),
                                   bytes.value.size(), SQLITE_STATIC) == SQLITE_OK);
}

void Statement::bind_null(int index) {
  ASSAY_ASSERT(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

Result<bool> Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  Status status =
      code == SQLITE_DONE ? Status() : failure(sqlite3_db_handle(statement_.get()), code);
  reset();
  if (!status.is_ok()) return status;
  return false;
}

Status Statement::finish() {
  const auto row = next();
  if (row.is_ok()) reset();
  return row.status();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return bytes != nullptr ? std::string(bytes, static_cast<std::size_t>(length)) : std::string();
}

std::optional<Time> Statement::optional_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Database::Database(sqlite3* database, std::string path)
    : database_(database), deadline_(std::make_unique<Deadline>()), path_(std::move(path)) {}

Result<Database> Database::open(const std::string& path, Access access) {
  const int flags =
      SQLITE_OPEN_NOMUTEX | (access == Access::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                      : SQLITE_OPEN_READONLY);
  // SQLite counts its memory under a lock at each allocation; nobody asks for the sum. Only the
  // first call can be in time, and one that is late changes nothing.
  [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database(raw, path);  // closes it on failure, too
  if (code != SQLITE_OK) return failure(raw, code).with_context("cannot open " + path);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // Opening reads nothing; this does, and finds out whether the file is a database.
  const auto version = database.number("PRAGMA schema_version");
  if (!version.is_ok()) return version.status();
  return database;
}

Status Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : failure(database_.get(), code);
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return Statement(raw);
}

Result<std::int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement.is_ok()) return statement.status();
  const auto row = statement->next();
  if (!row.is_ok()) return row.status();
  return *row ? statement->integer(0) : 0;
}

void Database::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  *deadline_ = deadline;
  sqlite3_progress_handler(database_.get(), kStepsBetweenLooks, deadline ? is_past : nullptr,
                           deadline_.get());
}

Status Transaction::begin() {
  return begin("BEGIN IMMEDIATE");
}

Status Transaction::begin_reading() {
  return begin("BEGIN");
}

Status Transaction::begin(const char* sql) {
  Status status = database_.execute(sql);
  open_ = status.is_ok();
  return status;
}

Status Transaction::commit() {
  Status status = database_.execute("COMMIT");
  if (status.is_ok()) open_ = false;
  return status;
}

Transaction::~Transaction() {
  // Where an error has rolled it back already there is nothing left to do, and SQLite says so.
  if (open_) static_cast<void>(database_.execute("ROLLBACK"));
}

}  // namespace assay::history
