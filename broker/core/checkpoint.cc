#include "broker/core/checkpoint.h"

#include <algorithm>

namespace assay::core {
namespace {

TaskId id_of(const State& state, TaskIndex index) {
  return index == kNoTask ? TaskId() : state.tasks().at(index).id;
}

// A field that is added to a task or its details does not compile here until it is carried too.
void take_details(const TaskDetails& from, TaskCarried& to) {
  const auto& [labels, attempts, reason, after, dependents, dependencies_left, dependents_left,
               on_failure, artifacts, result_artifacts, cache_key, cache_ttl, traceparent, follows,
               cached_from, followers, held_by, usage, deadline, timeout, backoff_first,
               backoff_max] = from;
  static_cast<void>(dependents);  // DependentsCarried
  to.submitted.labels = labels;
  to.submitted.after = after;
  to.submitted.on_failure = on_failure;
  to.submitted.artifacts = artifacts;
  to.submitted.cache_key = cache_key;
  to.submitted.cache_ttl = cache_ttl;
  to.submitted.traceparent = traceparent;
  to.submitted.follows = follows;
  to.submitted.deadline = deadline;
  to.submitted.timeout = timeout;
  to.submitted.backoff_first = backoff_first;
  to.submitted.backoff_max = backoff_max;
  to.attempts = attempts;
  to.reason = reason;
  to.dependencies_left = dependencies_left;
  to.dependents_left = dependents_left;
  to.result_artifacts = result_artifacts;
  to.cached_from = cached_from;
  to.followers = followers;
  to.held_by = held_by;
  to.usage = usage;
}

TaskCarried carry(const State& state, TaskIndex index) {
  const auto& [id, blob, body_hash, fingerprint, last_sequence, submitted_at, changed_at, details,
               next, previous, owner, attempt, queue, require, cost, attempts_counted, max_attempts,
               losses, priority, task_state, cause, cancel_requested, handed_over, ended_by_report,
               pinned, counts_references] = state.tasks().at(index);
  // The order of the records is that of the chains; references follow from the rest.
  static_cast<void>(std::tie(blob, next, previous, counts_references));
  TaskCarried record;
  record.sequence = last_sequence;
  record.submitted.id = id;
  record.submitted.at = submitted_at;
  record.submitted.queue = state.queue(queue).name;
  record.submitted.owner = state.owner(owner);
  record.submitted.priority = priority;
  record.submitted.max_attempts = max_attempts;
  record.submitted.fingerprint = fingerprint;
  record.submitted.cost = cost;
  record.submitted.require = state.required_labels(require);
  record.submitted.body_hash = body_hash;
  record.state = task_state;
  record.changed_at = changed_at;
  record.cause = cause;
  record.attempt = attempt;
  record.attempts_counted = attempts_counted;
  record.losses = losses;
  record.cancel_requested = cancel_requested;
  record.handed_over = handed_over;
  record.ended_by_report = ended_by_report;
  record.pinned = pinned;
  record.has_deadline = state.watches_deadline(index);
  if (details) take_details(*details, record);
  return record;
}

CheckpointBegun begin(const State& state) {
  CheckpointBegun record{.sequence = state.last_sequence(), .owners = {}};
  for (std::size_t i = 0; i < state.owner_count(); ++i) {
    record.owners.push_back(state.owner(OwnerIndex{static_cast<std::uint32_t>(i)}));
  }
  return record;
}

// Where the order among tasks means something, they are told in that order.
std::vector<TaskIndex> tasks_in_order(const State& state) {
  std::vector<TaskIndex> order;
  order.reserve(state.tasks().size());
  for (const TaskChain* chain : {&state.forgettable(), &state.kept()}) {
    for (TaskIndex at = chain->first; at != kNoTask; at = state.tasks().at(at).next) {
      order.push_back(at);
    }
  }
  for (const QueueState& queue : state.queues()) {
    queue.queued.for_each(state.tasks(), [&](TaskIndex index) { order.push_back(index); });
  }
  state.tasks().for_each([&](TaskIndex index) {
    const TaskState it = state.tasks().at(index).state;
    if (it == TaskState::kWaiting || it == TaskState::kRunning) order.push_back(index);
  });
  return order;
}

QueueCarried carry_queue(const State& state, const QueueState& queue) {
  const FairQueue::Passes passes = queue.queued.passes();
  QueueCarried record{.sequence = 0,
                      .queue = queue.name,
                      .last_sequence = queue.last_sequence,
                      .pass_now = passes.now,
                      .owners = {},
                      .passes = {}};
  for (const auto& [owner, pass] : passes.by_owner) {
    record.owners.push_back(state.owner(owner));
    record.passes.push_back(pass);
  }
  return record;
}

RunCarried carry_run(const State& state, const SharedRuns::Key& key,
                     const SharedRuns::Entry& entry) {
  const auto& [owner, queue, cache_key] = key;
  RunCarried record{.sequence = 0,
                    .queue = state.queue(queue).name,
                    .owner = state.owner(owner),
                    .cache_key = cache_key,
                    .leader = id_of(state, entry.leader),
                    .success = id_of(state, entry.success),
                    .followers = {}};
  for (TaskIndex follower : entry.followers) record.followers.push_back(id_of(state, follower));
  return record;
}

// Passes records on until one is refused.
class Teller {
 public:
  explicit Teller(const CheckpointSink& sink) : sink_(sink) {}
  void tell(Record record, Location blob = {}) {
    if (status_.is_ok()) status_ = sink_(std::move(record), blob);
  }
  Status status() const { return status_; }

 private:
  const CheckpointSink& sink_;
  Status status_;
};

void tell_dependents(const State& state, TaskIndex index, Teller& teller) {
  const Task& task = state.tasks().at(index);
  // One that has ended has told them, and they may be forgotten.
  if (is_ended(task.state) || !task.details || task.details->dependents.empty()) return;
  DependentsCarried record{.sequence = 0, .id = task.id, .dependents = {}};
  for (TaskIndex dependent : task.details->dependents) {
    // One that has ended is told nothing.
    if (!is_ended(state.tasks().at(dependent).state)) {
      record.dependents.push_back(state.tasks().at(dependent).id);
    }
  }
  if (!record.dependents.empty()) teller.tell(std::move(record));
}

}  // namespace

Status write_checkpoint(const State& state, const CheckpointSink& sink) {
  Teller teller(sink);
  teller.tell(begin(state));
  for (const QueueState& queue : state.queues()) {
    teller.tell(QueueCreated{.sequence = 0, .queue = queue.name});
    if (queue.paused) teller.tell(QueuePaused{.sequence = 0, .queue = queue.name, .paused = true});
  }
  const std::vector<TaskIndex> order = tasks_in_order(state);
  for (TaskIndex index : order) teller.tell(carry(state, index), state.tasks().at(index).blob);
  for (TaskIndex index : order) tell_dependents(state, index, teller);
  state.runs().for_each([&](const SharedRuns::Key& key, const SharedRuns::Entry& entry) {
    teller.tell(carry_run(state, key, entry));
  });
  for (const QueueState& queue : state.queues()) teller.tell(carry_queue(state, queue));
  for (const auto& [name, schedule] : state.schedules()) {
    teller.tell(ScheduleSet{.sequence = 0, .name = name, .state = schedule});
  }
  for (const auto& [key, quarantine] : state.quarantines()) {
    teller.tell(Quarantined{.sequence = 0,
                            .at = quarantine.since,
                            .key = key,
                            .losses = quarantine.losses,
                            .reason = quarantine.reason});
  }
  return teller.status();
}

}  // namespace assay::core
