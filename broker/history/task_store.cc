#include "broker/history/task_store.h"

#include <array>
#include <utility>

#include "broker/history/labels_json.h"
#include "broker/history/task_columns.h"

namespace assay::history {
namespace {

constexpr std::int64_t number(TaskState state) {
  return static_cast<std::int64_t>(state);
}
constexpr std::int64_t number(Cause cause) {
  return static_cast<std::int64_t>(cause);
}
constexpr std::int64_t number(Day day) {
  return day.time_since_epoch().count();
}

// Ended labels are found in the order of their tasks' ends; the others have no end yet.
constexpr Time kNotEnded{};

std::optional<std::string> json_of(const Labels& labels) {
  if (labels.empty()) return std::nullopt;
  return labels_to_json(labels);
}

}  // namespace

Result<TaskStore> TaskStore::open(Database& database) {
  TaskStore store;
  if (Status status = store.prepare(database); !status.is_ok()) return status;
  return store;
}

Status TaskStore::prepare(Database& database) {
  const std::string find =
      "SELECT " + std::string(kTaskColumns) + ", t.last_sequence FROM tasks t WHERE t.id = ?";
  const std::array<std::pair<Statement*, std::string_view>, 23> all{{
      {&read_meta_, "SELECT journal_id, position, record_sequence, ended_tasks, events FROM meta"},
      {&write_meta_, "INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?, ?)"},
      {&last_key_, "SELECT MAX(key) FROM tasks"},
      {&last_id_, "SELECT MAX(id) FROM tasks"},
      {&find_, find},
      {&find_attempt_,
       "SELECT number, worker, started_at, ended_at, cause, ended_because, ready_at FROM attempts "
       "WHERE task = ? AND number = ?"},
      {&insert_, "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&update_,
       "UPDATE tasks SET state = ?, cause = ?, reason = ?, started_at = ?, ended_at = ?, "
       "cancel_requested_at = ?, attempts = ?, result_bytes = ?, last_sequence = ? WHERE key = ?"},
      {&save_attempt_, "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
      {&save_result_, "INSERT OR REPLACE INTO results VALUES (?, ?)"},
      {&insert_label_, "INSERT OR IGNORE INTO labels VALUES (?, ?, ?, ?)"},
      {&erase_label_,
       "DELETE FROM labels WHERE name = ? AND value = ? AND ended_at = ? AND task = ?"},
      {&add_usage_,
       "INSERT INTO usage (day, owner, queue, tasks, failed, cancelled, attempts, wall_ms, "
       "cpu_seconds, memory_byte_seconds, gpu_seconds) "
       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, owner, queue) DO UPDATE SET "
       "tasks = tasks + excluded.tasks, failed = failed + excluded.failed, "
       "cancelled = cancelled + excluded.cancelled, attempts = attempts + excluded.attempts, "
       "wall_ms = wall_ms + excluded.wall_ms, cpu_seconds = cpu_seconds + excluded.cpu_seconds, "
       "memory_byte_seconds = memory_byte_seconds + excluded.memory_byte_seconds, "
       "gpu_seconds = gpu_seconds + excluded.gpu_seconds"},
      {&read_for_erasure_, "SELECT labels, ended_at FROM tasks WHERE key = ?"},
      {&erase_task_, "DELETE FROM tasks WHERE key = ?"},
      {&erase_attempts_, "DELETE FROM attempts WHERE task = ?"},
      {&erase_result_, "DELETE FROM results WHERE task = ?"},
      {&ended_before_,
       "SELECT key FROM tasks INDEXED BY tasks_by_end WHERE ended_at IS NOT NULL AND ended_at < ? "
       "ORDER BY ended_at, key LIMIT ?"},
      {&erase_usage_, "DELETE FROM usage WHERE day < ?"},
      {&insert_event_, "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&last_of_oldest_events_,
       "SELECT MAX(sequence) FROM (SELECT sequence, at FROM events ORDER BY sequence LIMIT ?) "
       "WHERE at < ?"},
      {&count_events_through_, "SELECT COUNT(*) FROM events WHERE sequence <= ?"},
      {&erase_events_, "DELETE FROM events WHERE sequence <= ?"},
  }};
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared.is_ok()) return prepared.status();
    *statement = std::move(*prepared);
  }
  return Status::ok();
}

Result<std::optional<Meta>> TaskStore::meta() {
  read_meta_.start();
  const auto row = read_meta_.next();
  if (!row.is_ok()) return row.status();
  if (!*row) return std::optional<Meta>();
  const Meta meta{.journal_id = read_meta_.natural(0),
                  .position = read_meta_.natural(1),
                  .record_sequence = read_meta_.natural(2),
                  .ended_tasks = read_meta_.natural(3),
                  .events = read_meta_.natural(4)};
  read_meta_.reset();
  return std::optional<Meta>(meta);
}

Status TaskStore::save(const Meta& meta) {
  return write_meta_.run(meta.journal_id, meta.position, meta.record_sequence, meta.ended_tasks,
                         meta.events);
}

Result<std::int64_t> TaskStore::last_key() {
  last_key_.start();
  const auto row = last_key_.next();
  if (!row.is_ok()) return row.status();
  const std::int64_t key = last_key_.integer(0);
  last_key_.reset();
  return key;
}

Result<std::optional<TaskId>> TaskStore::last_id() {
  last_id_.start();
  const auto row = last_id_.next();
  if (!row.is_ok()) return row.status();
  const std::optional<TaskId> id =
      last_id_.is_null(0) ? std::nullopt : TaskId::parse(last_id_.text(0));
  last_id_.reset();
  return id;
}

Result<std::optional<StoredTask>> TaskStore::find(const TaskId& id) {
  const std::string text = id.text();
  find_.start(text);
  const auto row = find_.next();
  if (!row.is_ok()) return row.status();
  if (!*row) return std::optional<StoredTask>();
  StoredTask task;
  task.key = find_.integer(kKeyColumn);
  task.row = task_in(find_);
  task.last_sequence = find_.natural(kTaskColumnCount);
  find_.reset();
  return std::optional<StoredTask>(std::move(task));
}

Result<std::optional<AttemptRow>> TaskStore::find_attempt(std::int64_t task, Attempt attempt) {
  find_attempt_.start(task, attempt.number);
  const auto row = find_attempt_.next();
  if (!row.is_ok()) return row.status();
  std::optional<AttemptRow> found;
  if (*row) found = attempt_in(find_attempt_);
  find_attempt_.reset();
  return found;
}

Status TaskStore::insert(const StoredTask& task) {
  const TaskRow& row = task.row;
  const std::string id = row.id.text();
  const auto labels = json_of(row.labels);
  Status status =
      insert_.run(task.key, id, row.queue.value, row.owner.value, std::int64_t{row.priority},
                  number(row.state), number(row.cause), row.reason, row.submitted_at,
                  row.started_at, row.ended_at, row.cancel_requested_at, row.attempts,
                  row.max_attempts, labels, row.result_bytes, task.last_sequence);
  return status.is_ok() ? insert_labels(task) : status;
}

Status TaskStore::update(const StoredTask& task, std::optional<Time> stored_end) {
  const TaskRow& row = task.row;
  Status status = update_.run(number(row.state), number(row.cause), row.reason, row.started_at,
                              row.ended_at, row.cancel_requested_at, row.attempts, row.result_bytes,
                              task.last_sequence, task.key);
  if (row.ended_at == stored_end) return status;
  for (const auto& [name, value] : row.labels) {
    if (status.is_ok())
      status = erase_label_.run(name, value, stored_end.value_or(kNotEnded), task.key);
  }
  return status.is_ok() ? insert_labels(task) : status;
}

Status TaskStore::insert_labels(const StoredTask& task) {
  Status status;
  for (const auto& [name, value] : task.row.labels) {
    if (!status.is_ok()) break;
    status = insert_label_.run(name, value, task.row.ended_at.value_or(kNotEnded), task.key);
  }
  return status;
}

Status TaskStore::save(std::int64_t task, const AttemptRow& attempt) {
  return save_attempt_.run(task, attempt.attempt.number, attempt.worker.value, attempt.started_at,
                           attempt.ended_at, number(attempt.cause), attempt.ended_because,
                           attempt.ready_at);
}

Status TaskStore::save_result(std::int64_t task, std::string_view bytes) {
  return bytes.empty() ? erase_result_.run(task) : save_result_.run(task, Bytes{bytes});
}

Status TaskStore::add(const UsageKey& key, const UsageSum& sum) {
  return add_usage_.run(number(key.day), key.owner.value, key.queue.value, sum.tasks, sum.failed,
                        sum.cancelled, sum.attempts, sum.wall_milliseconds, sum.cpu_seconds,
                        sum.memory_byte_seconds, sum.gpu_seconds);
}

Status TaskStore::insert(const FeedEvent& event) {
  const std::string id = event.task.text();
  return insert_event_.run(event.sequence, event.previous, event.at, id, event.queue.value,
                           number(event.state), event.attempt.number, event.worker.value,
                           event.text);
}

Status TaskStore::erase(std::int64_t key) {
  read_for_erasure_.start(key);
  const auto row = read_for_erasure_.next();
  if (!row.is_ok()) return row.status();
  if (!*row) return Status::ok();
  const Labels labels =
      read_for_erasure_.is_null(0) ? Labels() : labels_from_json(read_for_erasure_.text(0));
  const Time ended_at = read_for_erasure_.optional_time(1).value_or(kNotEnded);
  read_for_erasure_.reset();
  Status status = erase_task_.run(key);
  if (status.is_ok()) status = erase_attempts_.run(key);
  if (status.is_ok()) status = erase_result_.run(key);
  for (const auto& [name, value] : labels) {
    if (status.is_ok()) status = erase_label_.run(name, value, ended_at, key);
  }
  return status;
}

Result<std::vector<std::int64_t>> TaskStore::ended_before(Time before, std::size_t limit) {
  std::vector<std::int64_t> keys;
  ended_before_.start(before, static_cast<std::uint64_t>(limit));
  while (true) {
    const auto row = ended_before_.next();
    if (!row.is_ok()) return row.status();
    if (!*row) return keys;
    keys.push_back(ended_before_.integer(0));
  }
}

Status TaskStore::erase_usage_before(Day day) {
  return erase_usage_.run(number(day));
}

Result<std::uint64_t> TaskStore::erase_events_before(Time before, std::size_t limit) {
  last_of_oldest_events_.start(static_cast<std::uint64_t>(limit), before);
  auto row = last_of_oldest_events_.next();
  if (!row.is_ok()) return row.status();
  const bool is_any = *row && !last_of_oldest_events_.is_null(0);
  const std::uint64_t last = is_any ? last_of_oldest_events_.natural(0) : 0;
  last_of_oldest_events_.reset();
  if (!is_any) return std::uint64_t{0};
  count_events_through_.start(last);
  row = count_events_through_.next();
  if (!row.is_ok()) return row.status();
  const std::uint64_t count = count_events_through_.natural(0);
  count_events_through_.reset();
  if (Status status = erase_events_.run(last); !status.is_ok()) return status;
  return count;
}

}  // namespace assay::history
