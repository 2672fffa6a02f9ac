// The same work once: a task whose cache key is answered by another's end, past or to come, ends as
// that one did.
#include "broker/core/broker_core.h"

namespace assay::core {

// Those who followed a task that its worker has brought to an end.
void BrokerCore::settle_followers(TaskIndex ended) {
  const Task& task = state_.tasks().at(ended);
  if (!task.details) return;
  const std::vector<TaskId> followers = task.details->followers;
  for (const TaskId& id : followers) {
    const TaskIndex follower = state_.tasks().find(id);
    if (follower != kNoTask) settle_follower(follower);
  }
}

void BrokerCore::settle_follower(TaskIndex follower) {
  const Task& task = state_.tasks().at(follower);
  if (task.state != TaskState::kWaiting || !task.details) return;
  // Its quarantine was released, and a crash came between the two.
  const std::string& held_by = task.details->held_by;
  if (!held_by.empty() && !state_.quarantines().contains(held_by)) {
    commit(TaskReady{.sequence = next_sequence(), .id = task.id, .at = now_});
    return;
  }
  if (task.details->follows == TaskId()) return;
  const TaskIndex other = state_.tasks().find(task.details->follows);
  if (other != kNoTask && !is_ended(state_.tasks().at(other).state)) return;
  const bool has_answer = other != kNoTask && state_.tasks().at(other).ended_by_report &&
                          state_.tasks().at(other).state != TaskState::kCancelled;
  if (has_answer) return end_like(follower, other);
  // A crash came between the two, and what would have answered is forgotten: it runs itself.
  if (task.details->dependencies_left == 0)
    commit(TaskReady{.sequence = next_sequence(), .id = task.id, .at = now_});
}

void BrokerCore::end_like(TaskIndex follower, TaskIndex other) {
  const Task& task = state_.tasks().at(follower);
  const Task& source = state_.tasks().at(other);
  const TaskDetails& told = *source.details;
  release(follower);
  ++counters_.ended[{task.queue, source.state}];
  ++counters_.shared;
  TaskEnded record{.sequence = next_sequence(),
                   .id = task.id,
                   .at = now_,
                   .attempt = Attempt{task.attempt},
                   .state = source.state,
                   .cause = source.cause,
                   .reason = source.state == TaskState::kSucceeded ? std::string() : told.reason,
                   .by_report = false,
                   .artifacts = told.result_artifacts,
                   .usage = {},
                   .cached_from = source.id};
  // A result of this same turn is not on the disk yet: its bytes are still here.
  for (auto append = effects_->append.rbegin(); append != effects_->append.rend(); ++append) {
    if (append->task == other && std::holds_alternative<TaskEnded>(append->record)) {
      commit(std::move(record), append->blob);
      return;
    }
  }
  commit_copy(std::move(record), {}, source.blob.length == 0 ? kNoTask : other);
}

}  // namespace assay::core
