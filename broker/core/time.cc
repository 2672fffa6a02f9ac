// What happens because time passes, and because what a task comes after has ended.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::ready_timers() {
  while (!state_.timers().empty() && state_.timers().begin()->first <= now_) {
    const TaskIndex index = state_.timers().begin()->second;
    commit(TaskReady{.sequence = next_sequence(), .id = state_.tasks().at(index).id, .at = now_});
  }
}

void BrokerCore::end_at_deadlines() {
  std::vector<TaskIndex> late;
  for (const auto& [deadline, task] : state_.deadlines()) {
    if (deadline > now_) break;
    if (!state_.tasks().at(task).cancel_requested) late.push_back(task);
  }
  const std::string reason = "its deadline passed";
  for (TaskIndex index : late) {
    const Task& task = state_.tasks().at(index);
    if (task.state != TaskState::kRunning) {
      end_task(index, TaskState::kCancelled, Cause::kNone, reason);
      continue;
    }
    commit(
        CancelRequested{.sequence = next_sequence(), .id = task.id, .at = now_, .reason = reason});
    if (WorkerSession* holder = sessions_.holder(index)) send_stops(*holder, {});
  }
}

void BrokerCore::end_at_timeouts() {
  while (!state_.timeouts().empty() && state_.timeouts().begin()->first <= now_) {
    const TaskIndex index = state_.timeouts().begin()->second;
    const Task& task = state_.tasks().at(index);
    // The worker had its time: its attempt no longer counts, whatever it still says.
    if (WorkerSession* holder = sessions_.holder(index)) {
      send(holder->peer, Stop{.cancel = {}, .drop = {{task.id, Attempt{task.attempt}}}});
    }
    const auto seconds = std::chrono::duration<double>(task.details->timeout).count();
    char text[64];
    std::snprintf(text, sizeof text, "it ran longer than its timeout of %g s", seconds);
    end_task(index, TaskState::kFailed, Cause::kLimit, text);
  }
}

// Whoever comes after a task that did not succeed is cancelled with it, and so is what comes after
// that, unless it asked to run all the same.
void BrokerCore::settle_dependents() {
  // The list grows while it is worked off.
  for (std::size_t i = 0; i < to_settle_.size(); ++i) {
    const Task& task = state_.tasks().at(to_settle_[i]);
    if (!task.details) continue;
    is_ended(task.state) ? settle_followers(to_settle_[i]) : settle_follower(to_settle_[i]);
    const auto cancel_after = [&](TaskIndex index, const Task& failed) {
      const Task& dependent = state_.tasks().at(index);
      if (is_ended(dependent.state) || dependent.details->on_failure == OnFailure::kRun) return;
      end_task(index, TaskState::kCancelled, Cause::kNone,
               "it comes after " + failed.id.text() + ", which is " +
                   std::string(to_string(failed.state)));
    };
    if (is_ended(task.state) && task.state != TaskState::kSucceeded) {
      const std::vector<TaskIndex> dependents = task.details->dependents;
      for (TaskIndex dependent : dependents) cancel_after(dependent, task);
    } else if (!is_ended(task.state)) {
      // Newly submitted: what it comes after may have failed before.
      const std::vector<TaskId> after = task.details->after;
      for (const TaskId& id : after) {
        const TaskIndex dependency = state_.tasks().find(id);
        if (dependency == kNoTask) continue;
        const Task& other = state_.tasks().at(dependency);
        if (is_ended(other.state) && other.state != TaskState::kSucceeded)
          cancel_after(to_settle_[i], other);
      }
    }
  }
  to_settle_.clear();
}

// Doubled for every try, up to the most; between half of that and all of it, so that many do not
// come back at once. The same seed, task and try give the same.
Duration BrokerCore::backoff_of(const Task& task, std::uint32_t tries) const {
  const TaskDetails plain;
  const TaskDetails& details = task.details ? *task.details : plain;
  std::int64_t most = std::max<std::int64_t>(0, details.backoff_first.count());
  for (std::uint32_t i = 1; i < tries && most < details.backoff_max.count(); ++i) most *= 2;
  most = std::min<std::int64_t>(most, details.backoff_max.count());
  if (most <= 0) return Duration(0);
  std::uint64_t mixed = options_.seed + std::hash<TaskId>()(task.id) + tries;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  mixed ^= mixed >> 31;
  const auto half = static_cast<std::uint64_t>(most / 2 + 1);
  return Duration(most - static_cast<std::int64_t>(mixed % half));
}

}  // namespace assay::core
