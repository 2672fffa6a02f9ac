// What history knows, as values: the rows of its tables and the answers to its queries.
#ifndef ASSAY_BROKER_HISTORY_ROWS_H_
#define ASSAY_BROKER_HISTORY_ROWS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"

namespace assay::history {

// Days since 1970-01-01, UTC.
using Day = std::chrono::sys_days;

struct TaskRow {
  TaskId id;
  QueueName queue;
  OwnerName owner;
  std::uint8_t priority = 0;
  TaskState state = TaskState::kQueued;
  Cause cause = Cause::kNone;
  std::string reason;
  Time submitted_at{};
  std::optional<Time> started_at;  // of its first attempt
  std::optional<Time> ended_at;
  std::optional<Time> cancel_requested_at;
  std::uint32_t attempts = 0;  // how many there were
  std::uint32_t max_attempts = 1;
  std::map<std::string, std::string> labels;
  std::uint64_t result_bytes = 0;

  friend bool operator==(const TaskRow&, const TaskRow&) = default;
};

struct AttemptRow {
  Attempt attempt;
  WorkerName worker;
  Time started_at{};
  std::optional<Time> ended_at;
  Cause cause = Cause::kNone;
  std::string ended_because;     // "succeeded", "lease expired", ...; empty while it runs
  std::optional<Time> ready_at;  // when the task could run again, where it did not end with this

  friend bool operator==(const AttemptRow&, const AttemptRow&) = default;
};

// One task with all that happened to it.
struct TaskStory {
  TaskRow task;
  std::vector<AttemptRow> attempts;  // in order
  // Its result, where history keeps it: at most kResultBytesKeptMax, and not empty.
  std::optional<std::string> result;

  friend bool operator==(const TaskStory&, const TaskStory&) = default;
};

// What happened to a task, told in order. Made from a story, not stored.
struct StoryEvent {
  Time at{};
  TaskState state = TaskState::kQueued;  // after it
  Attempt attempt;
  WorkerName worker;
  std::string text;

  friend bool operator==(const StoryEvent&, const StoryEvent&) = default;
};
std::vector<StoryEvent> events_of(const TaskStory& story);

// Sums over a day, an owner, a queue, or all of those that the query did not ask to tell apart.
// What is still running counts when it ends, on that day.
struct UsageRow {
  std::optional<Day> day;
  std::optional<OwnerName> owner;
  std::optional<QueueName> queue;
  std::uint64_t tasks = 0;      // that ended, however
  std::uint64_t failed = 0;     // of those: failed or dead
  std::uint64_t cancelled = 0;  // of those
  std::uint64_t attempts = 0;   // that ended
  double wall_seconds = 0;      // of the attempts
  // As workers report them; 0 until they do.
  double cpu_seconds = 0;
  double memory_byte_seconds = 0;
  double gpu_seconds = 0;

  friend bool operator==(const UsageRow&, const UsageRow&) = default;
};

struct CountRow {
  QueueName queue;
  TaskState state = TaskState::kQueued;
  std::uint64_t tasks = 0;

  friend bool operator==(const CountRow&, const CountRow&) = default;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_ROWS_H_
