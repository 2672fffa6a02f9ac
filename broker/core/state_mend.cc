// What hangs between tasks, after a repair of the journal gave some of them up: counted anew from
// what is left, so that nobody waits for what nobody knows.
#include "broker/core/state.h"

namespace assay::core {

void State::mend() {
  std::vector<TaskIndex> all;
  tasks_.for_each([&](TaskIndex index) {
    if (tasks_.at(index).details) all.push_back(index);
  });
  for (TaskIndex index : all) {
    keep_or_let_go(index, [](Task& task) { task.details->dependents_left = 0; });
    tasks_.at(index).details->dependents.clear();
    tasks_.at(index).details->dependencies_left = 0;
  }
  for (TaskIndex index : all) mend_dependencies(index);
  runs_ = SharedRuns();
  for (TaskIndex index : all) mend_run(index);
  for (TaskIndex index : all) {
    Task& task = tasks_.at(index);
    count_references(task, needs_artifacts(task));
    if (task.state != TaskState::kWaiting) continue;
    timers_.erase({task.changed_at, index});
    if (!waits_for_others(task)) timers_.emplace(task.changed_at, index);
  }
}

void State::mend_dependencies(TaskIndex index) {
  Task& task = tasks_.at(index);
  if (is_ended(task.state) && task.state != TaskState::kDead) return;
  for (const TaskId& id : task.details->after) {
    const TaskIndex other = tasks_.find(id);
    if (other == kNoTask) continue;
    keep_or_let_go(other, [](Task& needed) { ++needed.detail().dependents_left; });
    if (is_ended(tasks_.at(other).state) || task.state != TaskState::kWaiting) continue;
    tasks_.at(other).details->dependents.push_back(index);
    ++task.details->dependencies_left;
  }
}

// Those whose leader is gone, or has ended without telling them, run by themselves.
void State::mend_run(TaskIndex index) {
  Task& task = tasks_.at(index);
  if (task.details->cache_key.empty()) return;
  SharedRuns::Entry& entry = runs_.at(work_key(task));
  if (is_ended(task.state)) {
    const bool is_latest =
        entry.success == kNoTask || tasks_.at(entry.success).changed_at < task.changed_at;
    if (task.state == TaskState::kSucceeded && task.ended_by_report && is_latest) {
      entry.success = index;
    }
    return runs_.tidy(work_key(task));
  }
  const TaskIndex leader = tasks_.find(task.details->follows);
  const bool follows =
      task.details->follows != TaskId() && leader != kNoTask && !is_ended(tasks_.at(leader).state);
  if (follows) {
    entry.leader = leader;
    entry.followers.push_back(index);
  } else {
    task.details->follows = TaskId();
    if (entry.leader == kNoTask) entry.leader = index;
  }
}

}  // namespace assay::core
