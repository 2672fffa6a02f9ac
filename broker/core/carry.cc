// Tasks and queues as they stand, written again so that old segments of the journal may go; and how
// the state takes them back at recovery. docs/journal.md, Compaction, says what is owed.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace assay::core {

TaskCarried State::carried(TaskIndex index) const {
  const Task& task = tasks_.at(index);
  TaskCarried record;
  record.sequence = task.last_sequence;
  record.id = task.id;
  record.state = task.state;
  record.changed_at = task.changed_at;
  record.cause = task.cause;
  record.attempt = task.attempt;
  record.attempts_counted = task.attempts_counted;
  record.losses = task.losses;
  record.cancel_requested = task.cancel_requested;
  record.ended_by_report = task.ended_by_report;
  record.at_front = task.at_front;
  TaskSubmitted& submitted = record.submitted;
  submitted.at = task.submitted_at;
  submitted.queue = queue(task.queue).name;
  submitted.owner = owner(task.owner);
  submitted.priority = task.priority;
  submitted.max_attempts = task.max_attempts;
  submitted.fingerprint = task.fingerprint;
  submitted.cost = task.cost;
  submitted.require = required_labels(task.require);
  if (!task.details) return record;
  const TaskDetails& details = *task.details;
  submitted.labels = details.labels;
  submitted.after = details.after;
  submitted.on_failure = details.on_failure;
  submitted.deadline = details.deadline;
  submitted.timeout = details.timeout;
  submitted.backoff_first = details.backoff_first;
  submitted.backoff_max = details.backoff_max;
  record.reason = details.reason;
  record.revived = details.revived;
  record.attempts = details.attempts;
  std::copy_if(details.after.begin(), details.after.end(), std::back_inserter(submitted.settled),
               [&](const TaskId& id) { return !waits_for(index, id); });
  return record;
}

// Does `dependency` count among those that the task still waits for?
bool State::waits_for(TaskIndex index, const TaskId& id) const {
  const Task& task = tasks_.at(index);
  if (!task.details || task.details->dependencies_left == 0) return false;
  const TaskIndex other = tasks_.find(id);
  if (other == kNoTask) return false;
  const Task& dependency = tasks_.at(other);
  if (is_ended(dependency.state)) return false;
  if (!dependency.details->revived) return true;
  const auto& dependents = dependency.details->dependents;
  return std::find(dependents.begin(), dependents.end(), index) != dependents.end();
}

QueuesCarried State::carried_queues() const {
  QueuesCarried record{.sequence = last_sequence_, .queues = {}, .paused = {}};
  for (const QueueState& queue : queues_) {
    record.queues.push_back(queue.name);
    if (queue.paused) record.paused.push_back(queue.name);
  }
  return record;
}

Result<Applied> State::on(const QueuesCarried& record, Location) {
  for (const QueueName& name : record.queues) {
    QueueState& queue = queues_[static_cast<std::size_t>(intern_queue(name))];
    queue.paused =
        std::find(record.paused.begin(), record.paused.end(), name) != record.paused.end();
  }
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const EndedForgotten& record, Location) {
  for (const TaskId& id : record.ids) {
    const TaskIndex index = tasks_.find(id);
    if (index != kNoTask && is_ended(tasks_.at(index).state)) forget_ended(index);
  }
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const TaskCarried& record, Location blob) {
  if (const TaskIndex known = tasks_.find(record.id); known != kNoTask) {
    Task& task = tasks_.at(known);
    release_all(task);
    task.home = blob.segment;
    task.blob = blob;
    task.blob_apart = false;
    return Applied{.task = known, .event = std::nullopt};
  }
  was_carried_ = true;
  const TaskSubmitted& submitted = record.submitted;
  const TaskIndex index = tasks_.add(record.id);
  Task& task = tasks_.at(index);
  task.blob = blob;
  task.home = blob.segment;
  task.fingerprint = submitted.fingerprint;
  task.submitted_at = submitted.at;
  task.changed_at = record.changed_at;
  task.owner = intern_owner(submitted.owner);
  task.queue = intern_queue(submitted.queue);
  task.require = intern_require(submitted.require);
  task.max_attempts = submitted.max_attempts;
  task.priority = std::min(submitted.priority, kPriorityMax);
  task.cost = submitted.cost;
  task.state = record.state;
  task.cause = record.cause;
  task.attempt = record.attempt;
  task.attempts_counted = record.attempts_counted;
  task.losses = record.losses;
  task.cancel_requested = record.cancel_requested;
  task.ended_by_report = record.ended_by_report;
  task.at_front = record.at_front;
  task.last_sequence = record.sequence;
  keep_details(task, submitted);
  if (!record.reason.empty()) task.detail().reason = record.reason;
  if (!record.attempts.empty()) task.detail().attempts = record.attempts;
  if (record.revived) task.detail().revived = true;
  const bool is_tied = !is_ended(record.state) || record.state == TaskState::kDead;
  if (is_tied) tie_dependencies(index, submitted.settled);
  if (submitted.deadline != Time() && !is_ended(record.state))
    deadlines_.emplace(submitted.deadline, index);
  enter_state(index, /*to_front=*/record.at_front);
  tie_missing(index);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied{.task = index, .event = std::nullopt};
}

// Carried tasks stand in the journal behind those that came after them. Their places are told by
// the events that put them there, since those do not change.
void State::finish_recovery() {
  for (auto& [id, dependents] : missing_) tell_missing(id);  // given up by a repair
  missing_.clear();
  if (!std::exchange(was_carried_, false)) return;
  std::vector<TaskIndex> queued, ended;
  tasks_.for_each([&](TaskIndex index) {
    const TaskState state = tasks_.at(index).state;
    if (state == TaskState::kQueued) queued.push_back(index);
    if (is_ended(state)) ended.push_back(index);
  });
  // Who came back to the front stands before all others there, the latest first.
  const auto place = [&](TaskIndex index) {
    const Task& task = tasks_.at(index);
    const auto sequence = static_cast<std::int64_t>(task.last_sequence);
    return task.at_front ? -sequence : sequence;
  };
  std::sort(queued.begin(), queued.end(),
            [&](TaskIndex a, TaskIndex b) { return place(a) < place(b); });
  for (TaskIndex index : queued) {
    QueueState& queue = queues_[static_cast<std::size_t>(tasks_.at(index).queue)];
    queue.queued.remove(tasks_, index);
    queue.queued.push_back(tasks_, index, place_of(tasks_.at(index)));
  }
  std::sort(ended.begin(), ended.end(), [&](TaskIndex a, TaskIndex b) {
    return tasks_.at(a).last_sequence < tasks_.at(b).last_sequence;
  });
  for (TaskIndex index : ended) {
    ended_.remove(tasks_, index);
    ended_.push_back(tasks_, index);
  }
}

CarrySlice BrokerCore::carry(std::uint32_t through, std::uint32_t from,
                             const CarryBudget& budget) const {
  CarrySlice slice{.next = from};
  std::uint64_t bytes = 0;
  const std::uint32_t end = state_.tasks().index_end();
  for (std::uint32_t looked = 0; slice.next < end && looked < budget.looks; ++looked) {
    if (slice.tasks.size() == budget.tasks || bytes >= budget.bytes) return slice;
    const TaskIndex index{slice.next++};
    const Task& task = state_.tasks().at(index);
    if (task.home == 0 || task.home > through) continue;
    bytes += task.blob.length;
    slice.tasks.push_back(index);
  }
  slice.done = slice.next == end;
  return slice;
}

void BrokerCore::on_carried(const TaskCarried& record, Location blob) {
  auto applied = state_.apply(record, blob);
  ASSAY_ASSERT(applied.is_ok());
}

}  // namespace assay::core
