// What the broker makes durable: facts in the past tense. Applying them in order gives the state
// back, and nothing else does (state.h). Numbers are in the journal: never reuse one; fields may be
// added, docs/journal.md has the rules.
#ifndef ASSAY_BROKER_CORE_RECORD_H_
#define ASSAY_BROKER_CORE_RECORD_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"
#include "broker/core/schedule.h"

namespace assay::core {

enum class RecordType : std::uint8_t {
  kBrokerStarted = 1,
  kQueueCreated = 2,
  kTaskSubmitted = 3,
  kTaskLeased = 4,
  kAttemptEnded = 5,
  kTaskReady = 6,
  kCancelRequested = 7,
  kTaskEnded = 8,
  kQueuePaused = 9,
  kTaskRevived = 10,
  kTaskForgotten = 11,
  kTaskHeld = 12,
  kQuarantined = 13,
  kQuarantineReleased = 14,
  kTaskSubmittedHashed = 15,  // TaskSubmitted with its body_hash; 3 is the form before
  kTaskPinned = 19,
  kCheckpointBegun = 20,
  kTaskCarried = 21,
  kDependentsCarried = 22,
  kRunCarried = 23,
  kQueueCarried = 24,
  kEndedForgotten = 25,
  kScheduleSet = 30,
  kScheduleFired = 31,
  kScheduleRemoved = 32,
};

// The broker came up. Every attempt that was running waits for its worker to name it.
struct BrokerStarted {
  std::uint64_t sequence = 0;
  Time at{};
};

struct QueueCreated {
  std::uint64_t sequence = 0;
  QueueName queue;
};

// Blob: the task's body.
struct TaskSubmitted {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  QueueName queue;
  OwnerName owner;
  std::uint8_t priority = 0;
  std::uint32_t max_attempts = 1;
  std::uint64_t fingerprint = 0;  // of all that the producer said; tells a repeat from a conflict
  std::map<std::string, std::string> labels;
  std::vector<TaskId> after;
  OnFailure on_failure = OnFailure::kCancel;
  Time not_before{};
  Time deadline{};
  Duration timeout{0};
  Duration backoff_first{1000};
  Duration backoff_max{60'000};
  std::uint32_t cost = 1;
  std::map<std::string, std::string> require;
  std::vector<std::string> artifacts;  // sha256, 64 hexadecimal digits: what the body refers to
  std::string cache_key;
  Duration cache_ttl{0};
  std::string traceparent;
  std::uint32_t body_hash = 0;  // tells bodies apart that keep killing workers
  TaskId follows;  // the task of the same cache key whose end is this one's; zeros: none
};

struct TaskLeased {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  Attempt attempt;
  WorkerName worker;
};

// An attempt is over and the task is not: it goes back to its queue, at `ready_at` or at once.
struct AttemptEnded {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  Attempt attempt;
  Cause cause = Cause::kNone;
  bool counts_as_loss = false;     // against losses_max
  bool counts_as_attempt = false;  // against max_attempts
  Time ready_at{};
  std::string because;
  bool handed_over = false;  // the same attempt goes on with another worker
  Usage usage;
};

// A waiting task's time has come.
struct TaskReady {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
};

// Somebody wants a running task to end.
struct CancelRequested {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  std::string reason;
};

// Blob: the task's result.
struct TaskEnded {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  Attempt attempt;  // 0: it never ran
  TaskState state = TaskState::kSucceeded;
  Cause cause = Cause::kNone;
  std::string reason;
  bool by_report = false;              // the worker of this attempt said so, and its word counted
  std::vector<std::string> artifacts;  // what the result refers to
  Usage usage;                         // of this attempt
  TaskId cached_from;                  // the task whose run this is the end of; zeros: its own
};

// The queue takes tasks and gives none out, or does so again.
struct QueuePaused {
  std::uint64_t sequence = 0;
  QueueName queue;
  bool paused = true;
};

// A dead task gets another life: its losses and attempts are forgiven.
struct TaskRevived {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
};

// Nobody has any more use for an ended task.
struct TaskForgotten {
  std::uint64_t sequence = 0;
  TaskId id;
  bool from_history = false;  // too; memory may have let it go before
};

// Memory holds as many ended tasks as it may: these many of the oldest are forgotten.
struct EndedForgotten {
  std::uint64_t sequence = 0;
  std::uint64_t count = 0;
};

// All that is remembered of a schedule, known before or not.
struct ScheduleSet {
  std::uint64_t sequence = 0;
  std::string name;
  ScheduleState state;
};

// A due time was settled: its task was submitted, in the same batch.
struct ScheduleFired {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  std::string name;
  Time due{};
};

// The schedule is no longer configured.
struct ScheduleRemoved {
  std::uint64_t sequence = 0;
  std::string name;
};

// The task, and what it refers to, is kept whatever retention says; or no longer so.
struct TaskPinned {
  std::uint64_t sequence = 0;
  TaskId id;
  bool pinned = true;
};

// A queued task is not given out: it, or its image, is quarantined.
struct TaskHeld {
  std::uint64_t sequence = 0;
  TaskId id;
  Time at{};
  std::string key;  // of the quarantine
};

// What has this key kept killing workers: its tasks are held from now on.
struct Quarantined {
  std::uint64_t sequence = 0;
  Time at{};
  std::string key;
  std::uint32_t losses = 0;
  std::string reason;  // of the last loss
};

// An operator lets them run again.
struct QuarantineReleased {
  std::uint64_t sequence = 0;
  std::string key;
};

// A checkpoint is the whole state at one moment as records (checkpoint.h): this one, then queues,
// tasks, what is between them, what the queues know, schedules and quarantines. Applied in that
// order to an empty state they give it back.
struct CheckpointBegun {
  std::uint64_t sequence = 0;     // of the last event
  std::vector<OwnerName> owners;  // in the order in which they came
};

// A task as it stands. Blob: its body, or its result once it has ended.
struct TaskCarried {
  std::uint64_t sequence = 0;  // of its latest event
  TaskSubmitted submitted;     // what its producer said
  TaskState state = TaskState::kQueued;
  Time changed_at{};
  Cause cause = Cause::kNone;
  std::uint32_t attempt = 0;
  std::uint8_t attempts_counted = 0;
  std::uint8_t losses = 0;
  bool cancel_requested = false;
  bool handed_over = false;
  bool ended_by_report = false;
  bool pinned = false;
  bool has_deadline = false;  // that is still to be watched
  std::uint32_t dependencies_left = 0;
  std::uint32_t dependents_left = 0;
  std::vector<AttemptInfo> attempts;
  std::string reason;
  std::vector<std::string> result_artifacts;
  TaskId cached_from;
  std::vector<TaskId> followers;
  std::string held_by;
  Usage usage;
};

// Those who are told when this task ends.
struct DependentsCarried {
  std::uint64_t sequence = 0;
  TaskId id;
  std::vector<TaskId> dependents;
};

// Tasks that are the same work: see SharedRuns. Zeros: none.
struct RunCarried {
  std::uint64_t sequence = 0;
  QueueName queue;
  OwnerName owner;
  std::string cache_key;
  TaskId leader;
  TaskId success;
  std::vector<TaskId> followers;
};

// What a queue knows beside its tasks.
struct QueueCarried {
  std::uint64_t sequence = 0;
  QueueName queue;
  std::uint64_t last_sequence = 0;
  std::uint64_t pass_now = 0;     // see FairQueue
  std::vector<OwnerName> owners;  // that have a share, each with its pass
  std::vector<std::uint64_t> passes;
};

using Record =
    std::variant<BrokerStarted, QueueCreated, TaskSubmitted, TaskLeased, AttemptEnded, TaskReady,
                 CancelRequested, TaskEnded, QueuePaused, TaskRevived, TaskForgotten, TaskPinned,
                 TaskHeld, Quarantined, QuarantineReleased, ScheduleSet, ScheduleFired,
                 ScheduleRemoved, EndedForgotten, CheckpointBegun, TaskCarried, DependentsCarried,
                 RunCarried, QueueCarried>;

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_RECORD_H_
