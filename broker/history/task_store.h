// The writer's statements: rows out of the tables and into them. Must not know: records, when to
// commit.
#ifndef ASSAY_BROKER_HISTORY_TASK_STORE_H_
#define ASSAY_BROKER_HISTORY_TASK_STORE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "assay/status.h"
#include "broker/history/rows.h"
#include "broker/history/sqlite.h"

namespace assay::history {

// A task's row with what only the writer needs.
struct StoredTask {
  std::int64_t key = 0;             // in the order of submission
  std::uint64_t last_sequence = 0;  // of the latest record applied to it
  TaskRow row;
};

struct Meta {
  std::uint64_t journal_id = 0;
  std::uint64_t position = 0;         // the journal's batch up to which everything is here
  std::uint64_t record_sequence = 0;  // the highest that a record had
  std::uint64_t ended_tasks = 0;      // rows of ended tasks
  std::uint64_t events = 0;           // rows of events
};

struct UsageKey {
  Day day{};
  OwnerName owner;
  QueueName queue;

  friend bool operator<(const UsageKey& a, const UsageKey& b) {
    return std::tie(a.day, a.owner, a.queue) < std::tie(b.day, b.owner, b.queue);
  }
};

struct UsageSum {
  std::int64_t tasks = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  std::int64_t attempts = 0;
  std::int64_t wall_milliseconds = 0;
  double cpu_seconds = 0;
  double memory_byte_seconds = 0;
  double gpu_seconds = 0;
};

// Thread: its database's. Every error is one of Database.
class TaskStore {
 public:
  static Result<TaskStore> open(Database& database);

  // None where the history is new.
  Result<std::optional<Meta>> meta();
  Status save(const Meta& meta);
  Result<std::int64_t> last_key();
  // The greatest id of all; none when there are no tasks.
  Result<std::optional<TaskId>> last_id();

  Result<std::optional<StoredTask>> find(const TaskId& id);
  Result<std::optional<AttemptRow>> find_attempt(std::int64_t task, Attempt attempt);
  Status insert(const StoredTask& task);
  // `stored_end`: its end as the database has it now.
  Status update(const StoredTask& task, std::optional<Time> stored_end);
  Status save(std::int64_t task, const AttemptRow& attempt);
  // Without bytes there is none.
  Status save_result(std::int64_t task, std::string_view bytes);
  Status add(const UsageKey& key, const UsageSum& sum);
  Status insert(const FeedEvent& event);

  // Takes a task out of all tables but usage.
  Status erase(std::int64_t key);
  // Of up to `limit` tasks that ended first and before `before`.
  Result<std::vector<std::int64_t>> ended_before(Time before, std::size_t limit);
  Status erase_usage_before(Day day);
  // Of the oldest `limit` events, those that happened before `before`; how many there were.
  Result<std::uint64_t> erase_events_before(Time before, std::size_t limit);

 private:
  TaskStore() = default;
  Status prepare(Database& database);
  Status insert_labels(const StoredTask& task);

  Statement read_meta_, write_meta_, last_key_, last_id_;
  Statement find_, find_attempt_;
  Statement insert_, update_, save_attempt_, save_result_;
  Statement insert_label_, erase_label_, add_usage_;
  Statement read_for_erasure_, erase_task_, erase_attempts_, erase_result_;
  Statement ended_before_, erase_usage_;
  Statement insert_event_, last_of_oldest_events_, count_events_through_, erase_events_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_TASK_STORE_H_
