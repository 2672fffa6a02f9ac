// What a task is to those who submit it, run it and ask for it. docs/lifecycle.md tells its life.
#ifndef ASSAY_TASK_H_
#define ASSAY_TASK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"

namespace assay {

// Where a task stands. The numbers are on the wire and in the journal: never reuse one.
enum class TaskState : std::uint8_t {
  kWaiting = 0,    // for dependencies, a time, or its backoff
  kQueued = 1,     // for a worker
  kRunning = 2,    // leased to a worker
  kSucceeded = 3,  // the worker said yes
  kFailed = 4,     // the task ran and said no
  kDead = 5,       // it kept losing its workers, or could never run
  kCancelled = 6,  // by a person, a dependency, or its deadline
};
std::string_view to_string(TaskState state);
std::optional<TaskState> parse_task_state(std::string_view text);
constexpr bool is_ended(TaskState state) {
  return state >= TaskState::kSucceeded;
}

// Why a task did not succeed; it decides what happens next (docs/lifecycle.md). On the wire.
enum class Cause : std::uint8_t {
  kNone = 0,
  kTask = 1,            // it ran and said no: not tried again unless the producer asked for it
  kInfrastructure = 2,  // worker or machine lost: tried again, up to a cap
  kLimit = 3,           // its own memory, time, storage or output limit
  kSafety = 4,          // stopped by a rule: never tried again
};
std::string_view to_string(Cause cause);

// What a worker says of a task that it has finished with. On the wire.
enum class Outcome : std::uint8_t {
  kSucceeded = 0,
  kFailed = 1,     // final, for the cause given
  kRetry = 2,      // run it again, if attempts are left
  kCancelled = 3,  // stopped because the broker asked for it
  kSnooze = 4,     // not now: run it again after `delay`; costs no attempt and is no loss
  kHandOver = 5,   // this worker leaves and what it started goes on: the same attempt elsewhere
};
std::string_view to_string(Outcome outcome);

// What becomes of a task when one that it comes after did not succeed. On the wire.
enum class OnFailure : std::uint8_t {
  kCancel = 0,  // it is cancelled too
  kRun = 1,     // it runs all the same, and sees how they ended
};
std::string_view to_string(OnFailure choice);

// What a run took, as its worker measured it. Sums of these are kept by owner and queue.
struct Usage {
  double cpu_seconds = 0;
  double memory_byte_seconds = 0;
  double gpu_seconds = 0;
  double wall_seconds = 0;

  friend bool operator==(const Usage&, const Usage&) = default;
};

// A task as its producer describes it.
struct TaskSpec {
  TaskId id;
  QueueName queue;
  OwnerName owner;
  std::uint8_t priority = 5;       // 0 to 9, 9 first
  std::uint32_t max_attempts = 1;  // how often it may run and say `retry`; losses are counted apart
  std::map<std::string, std::string> labels;  // for people and queries; not read by the broker
  std::string body;                           // opaque; only the worker reads it

  std::vector<TaskId> after;  // these must end first; their results travel with the task
  OnFailure on_failure = OnFailure::kCancel;  // of one of those
  Time not_before{};                          // it waits until then
  Time deadline{};                            // not ended by then, it is cancelled; the epoch: none
  Duration timeout{0};           // of one attempt; over it the task fails (cause limit); 0: none
  Duration backoff_first{1000};  // before the second attempt; doubled for each further one
  Duration backoff_max{60'000};
  std::uint32_t cost = 1;                      // units against quotas and a worker's slots
  std::map<std::string, std::string> require;  // labels that its worker must bear

  // Tasks of one owner and queue with the same key are the same work: one that succeeded within
  // `cache_ttl` answers the next, and those in flight share one run. Empty: never.
  std::string cache_key = {};
  Duration cache_ttl{0};                    // how old an answer may be; 0: only runs are shared
  std::string traceparent = {};             // https://www.w3.org/TR/trace-context/; passed on
  std::vector<std::string> artifacts = {};  // sha256 in hexadecimal: files that the body names

  friend bool operator==(const TaskSpec&, const TaskSpec&) = default;
};

// How a task ended that another comes after.
struct TaskInput {
  TaskId id;
  TaskState state = TaskState::kSucceeded;
  std::string result;

  friend bool operator==(const TaskInput&, const TaskInput&) = default;
};

// A task in the hands of a worker.
struct TaskAssignment {
  TaskId id;
  Attempt attempt;
  QueueName queue;
  OwnerName owner;
  std::uint8_t priority = 5;
  std::string body;
  Duration timeout{0};            // after which this attempt counts as failed; 0: none
  std::vector<TaskInput> inputs;  // in the order of TaskSpec::after
  // This attempt began with another worker, which handed it over: find what it started and go on.
  bool resume = false;
  std::map<std::string, std::string> labels = {};
  std::string traceparent = {};
  std::uint32_t max_attempts = 1;

  friend bool operator==(const TaskAssignment&, const TaskAssignment&) = default;
};

// What a worker reports when it is through with an attempt.
struct TaskReport {
  TaskId id;
  Attempt attempt;
  Outcome outcome = Outcome::kSucceeded;
  Cause cause = Cause::kNone;
  std::string reason;                       // one line for people; empty when it succeeded
  Duration delay{0};                        // with kRetry and kSnooze: not before this has passed
  std::string result;                       // opaque to the broker
  Usage usage = {};                         // of this attempt
  std::vector<std::string> artifacts = {};  // sha256 in hexadecimal: files that the result names

  friend bool operator==(const TaskReport&, const TaskReport&) = default;
};

// How a task ended, as the broker recorded it.
struct TaskResult {
  TaskId id;
  TaskState state = TaskState::kSucceeded;  // one of the ended ones
  Cause cause = Cause::kNone;
  std::string reason;
  Attempt attempt;  // the one that counted
  Time ended_at{};
  std::string result;       // as the worker gave it
  Usage usage = {};         // of all its attempts
  TaskId cached_from = {};  // the task whose run answered this one; zeros: it ran itself
  std::vector<std::string> artifacts = {};  // as the worker gave them

  friend bool operator==(const TaskResult&, const TaskResult&) = default;
};

// One attempt, as it stands in a task's history.
struct AttemptInfo {
  Attempt attempt;
  WorkerName worker;
  Time started_at{};
  std::optional<Time> ended_at;
  std::string ended_because;   // "succeeded", "lease expired", ...; empty while it runs
  Cause cause = Cause::kNone;  // of its end
  Usage usage = {};

  friend bool operator==(const AttemptInfo&, const AttemptInfo&) = default;
};

// What the broker knows of a task, its bodies left out.
struct TaskInfo {
  TaskId id;
  QueueName queue;
  OwnerName owner;
  std::uint8_t priority = 5;
  std::map<std::string, std::string> labels;
  TaskState state = TaskState::kQueued;
  Cause cause = Cause::kNone;
  std::string reason;
  Time submitted_at{};
  std::optional<Time> ended_at;
  bool cancel_requested = false;
  std::uint64_t position =
      0;  // in its queue, 1 is next, as far as can be told; 0 when it is not queued
  std::vector<TaskId> after;
  std::vector<AttemptInfo> attempts;
  TaskId cached_from = {};                  // the task whose run answered this one; zeros: none
  Usage usage = {};                         // of all its attempts
  std::vector<std::string> artifacts = {};  // that its result names
  bool pinned = false;                      // kept, and all that it refers to, until it is unpinned

  friend bool operator==(const TaskInfo&, const TaskInfo&) = default;
};

struct QueueInfo {
  QueueName name;
  std::uint64_t queued = 0;
  std::uint64_t running = 0;
  std::uint64_t waiting = 0;
  double oldest_seconds = 0;  // how long the longest queued task has waited
  std::uint32_t workers = 0;
  std::uint64_t capacity = 0;  // slots of all its workers
  bool paused = false;         // takes tasks, gives none out

  friend bool operator==(const QueueInfo&, const QueueInfo&) = default;
};

struct WorkerInfo {
  WorkerName name;
  std::vector<QueueName> queues;
  std::uint32_t slots = 0;
  std::uint32_t running = 0;
  double silent_seconds = 0;  // since it was last heard
  Time joined_at{};
  std::map<std::string, std::string> labels;
  bool draining = false;  // it gets nothing new

  friend bool operator==(const WorkerInfo&, const WorkerInfo&) = default;
};

// What an event of the progress feed tells. On the wire and in topics: never reuse one.
enum class EventKind : std::uint8_t {
  kState = 0,     // a task changed its state
  kProgress = 1,  // done of total
  kLog = 2,       // one or more lines of log
  kWorker = 3,    // a worker joined or left
  kSafety = 4,    // a safety rule spoke
  kQueue = 5,     // a queue was paused or resumed
  kDead = 6,      // a task became a dead letter; its state event says so too
};
std::string_view to_string(EventKind kind);

// One event of the progress feed. Its topic on the PUB socket is `queue/task-id/kind`.
struct FeedEvent {
  std::uint64_t sequence = 0;  // over the whole broker, without holes while it lives
  std::uint64_t previous = 0;  // the sequence of its task's event before it; 0 for the first
  Time at{};
  EventKind kind = EventKind::kState;
  QueueName queue;
  TaskId task;
  Attempt attempt;  // 0 when no attempt is concerned
  TaskState state = TaskState::kQueued;
  WorkerName worker;
  std::uint64_t done = 0;
  std::uint64_t total = 0;              // 0 when it is not known
  std::string text;                     // a reason, a message, or log lines
  std::uint64_t previous_in_queue = 0;  // the sequence of its queue's event before it; 0: the first

  friend bool operator==(const FeedEvent&, const FeedEvent&) = default;
  std::string topic() const;
};

}  // namespace assay

#endif  // ASSAY_TASK_H_
