// How the state takes itself back from a checkpoint (checkpoint.h).
#include <algorithm>

#include "broker/core/state.h"

namespace assay::core {
namespace {

Status impossible(std::string what) {
  return {Code::kDataLoss, "impossible_record", "a checkpoint " + std::move(what)};
}

}  // namespace

Result<Applied> State::on(const CheckpointBegun& record, Location) {
  if (tasks_.size() > 0 || !queues_.empty()) return impossible("begins where there is a state");
  last_sequence_ = record.sequence;
  for (const OwnerName& owner : record.owners) intern_owner(owner);
  return Applied();
}

Result<Applied> State::on(const TaskCarried& record, Location blob) {
  auto added = add_task(record.submitted, blob);
  if (!added.is_ok()) return added.status();
  const TaskIndex index = *added;
  Task& task = tasks_.at(index);
  task.last_sequence = record.sequence;
  task.state = record.state;
  task.changed_at = record.changed_at;
  task.cause = record.cause;
  task.attempt = record.attempt;
  task.attempts_counted = record.attempts_counted;
  task.losses = record.losses;
  task.cancel_requested = record.cancel_requested;
  task.handed_over = record.handed_over;
  task.ended_by_report = record.ended_by_report;
  task.pinned = record.pinned;
  carry_details(task, record);
  if (record.has_deadline) deadlines_.emplace(task.detail().deadline, index);
  enter_state(index, /*to_front=*/false);
  count_references(task, needs_artifacts(task));
  if (!is_ended(task.state)) ++owners_[static_cast<std::size_t>(task.owner)].live;
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied{.task = index, .event = std::nullopt};
}

void State::carry_details(Task& task, const TaskCarried& record) {
  const TaskCarried plain;
  const bool has_none = record.attempts.empty() && record.reason.empty() &&
                        record.dependents_left == 0 && record.dependencies_left == 0 &&
                        record.result_artifacts.empty() && record.cached_from == TaskId() &&
                        record.followers.empty() && record.held_by.empty() &&
                        record.usage == plain.usage;
  if (has_none && record.state != TaskState::kRunning) return;
  TaskDetails& details = task.detail();
  details.attempts = record.attempts;
  details.reason = record.reason;
  details.dependencies_left = record.dependencies_left;
  details.dependents_left = record.dependents_left;
  details.result_artifacts = record.result_artifacts;
  details.cached_from = record.cached_from;
  details.followers = record.followers;
  details.held_by = record.held_by;
  details.usage = record.usage;
}

// One that is unknown here and below was given up by a repair; mend() sees to what follows.
Result<Applied> State::on(const DependentsCarried& record, Location) {
  const TaskIndex index = tasks_.find(record.id);
  if (index == kNoTask) return impossible("names dependents of an unknown task");
  for (const TaskId& id : record.dependents) {
    const TaskIndex dependent = tasks_.find(id);
    if (dependent != kNoTask) tasks_.at(index).detail().dependents.push_back(dependent);
  }
  return Applied();
}

Result<Applied> State::on(const RunCarried& record, Location) {
  const auto queue = find_queue(record.queue);
  const auto owner = owners_by_name_.find(record.owner);
  if (!queue || owner == owners_by_name_.end()) {
    return impossible("has a shared run of an unknown queue or owner");
  }
  SharedRuns::Entry entry;
  entry.leader = tasks_.find(record.leader);
  entry.success = tasks_.find(record.success);
  for (const TaskId& id : record.followers) {
    const TaskIndex follower = tasks_.find(id);
    if (follower != kNoTask) entry.followers.push_back(follower);
  }
  runs_.at({owner->second, *queue, record.cache_key}) = std::move(entry);
  return Applied();
}

Result<Applied> State::on(const QueueCarried& record, Location) {
  const auto index = find_queue(record.queue);
  if (!index) return impossible("tells of the unknown queue " + record.queue.value);
  if (record.owners.size() != record.passes.size()) return impossible("has shares without owners");
  QueueState& queue = queues_[static_cast<std::size_t>(*index)];
  queue.last_sequence = record.last_sequence;
  FairQueue::Passes passes{.now = record.pass_now, .by_owner = {}};
  for (std::size_t i = 0; i < record.owners.size(); ++i) {
    passes.by_owner.emplace(intern_owner(record.owners[i]), record.passes[i]);
  }
  queue.queued.restore(passes);
  return Applied();
}

}  // namespace assay::core
