// The part of the state that is about the same work being asked for twice, and about what is held.
#include <algorithm>

#include "broker/core/state.h"

namespace assay::core {

TaskIndex State::answered_by(const TaskSpec& task, Time now) const {
  const auto owner = owners_by_name_.find(task.owner);
  const auto queue = find_queue(task.queue);
  if (task.cache_key.empty() || owner == owners_by_name_.end() || !queue) return kNoTask;
  const SharedRuns::Entry* entry = runs_.find({owner->second, *queue, task.cache_key});
  if (entry == nullptr) return kNoTask;
  const bool is_fresh =
      entry->success != kNoTask && tasks_.at(entry->success).changed_at + task.cache_ttl > now;
  return is_fresh ? entry->success : entry->leader;
}

void State::join_runs(TaskIndex index) {
  const Task& task = tasks_.at(index);
  if (!task.details || task.details->cache_key.empty()) return;
  SharedRuns::Entry& entry = runs_.at(work_key(task));
  if (task.details->follows == TaskId()) {
    if (entry.leader == kNoTask) entry.leader = index;
    return;
  }
  // One that has ended answers it in the next record.
  if (entry.leader != kNoTask && tasks_.at(entry.leader).id == task.details->follows) {
    entry.followers.push_back(index);
  }
}

// What a worker said of the run counts for all who share it. What the broker decided about the
// leader (cancelled, its deadline, its timeout, dead) is the leader's own: the first follower leads
// from now on.
void State::leave_runs(TaskIndex index) {
  Task& task = tasks_.at(index);
  if (!task.details || task.details->cache_key.empty()) return;
  const SharedRuns::Key key = work_key(task);
  SharedRuns::Entry& entry = runs_.at(key);
  const bool is_shared = task.ended_by_report &&
                         (task.state == TaskState::kSucceeded || task.state == TaskState::kFailed);
  if (is_shared && task.state == TaskState::kSucceeded) entry.success = index;
  if (entry.leader == index) {
    entry.leader = kNoTask;
    if (is_shared) {
      for (TaskIndex follower : entry.followers) {
        task.details->followers.push_back(tasks_.at(follower).id);
      }
      entry.followers.clear();
    } else {
      promote_follower(entry);
    }
  } else {
    std::erase(entry.followers, index);
  }
  runs_.tidy(key);
}

void State::promote_follower(SharedRuns::Entry& entry) {
  if (entry.followers.empty()) return;
  entry.leader = entry.followers.front();
  entry.followers.erase(entry.followers.begin());
  Task& leader = tasks_.at(entry.leader);
  leader.details->follows = TaskId();
  for (TaskIndex follower : entry.followers) tasks_.at(follower).details->follows = leader.id;
  if (!waits_for_others(leader)) timers_.emplace(leader.changed_at, entry.leader);
}

void State::forget_runs(TaskIndex index) {
  const Task& task = tasks_.at(index);
  if (!task.details || task.details->cache_key.empty()) return;
  const SharedRuns::Key key = work_key(task);
  if (SharedRuns::Entry& entry = runs_.at(key); entry.success == index) entry.success = kNoTask;
  runs_.tidy(key);
}

std::vector<std::string> State::quarantine_keys(const Task& task) const {
  return core::quarantine_keys(owner(task.owner), task.body_hash,
                               task.details ? &task.details->labels : nullptr);
}

std::string State::quarantined_by(const Task& task) const {
  if (quarantines_.empty()) return {};
  for (const std::string& key : quarantine_keys(task)) {
    if (quarantines_.contains(key)) return key;
  }
  return {};
}

std::uint64_t State::live_count(const OwnerName& owner) const {
  const auto found = owners_by_name_.find(owner);
  return found == owners_by_name_.end() ? 0 : owner_state(found->second).live;
}

Result<Applied> State::on(const TaskHeld& record, Location) {
  auto moved = move(record.id, Change::kHeld, record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  timers_.erase({task.changed_at, *moved});
  task.detail().held_by = record.key;
  return with_event(*moved, record.sequence, record.at, "held: " + record.key + " is quarantined",
                    {});
}

Result<Applied> State::on(const Quarantined& record, Location) {
  quarantines_[record.key] = {.since = record.at, .losses = record.losses, .reason = record.reason};
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const QuarantineReleased& record, Location) {
  quarantines_.erase(record.key);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

}  // namespace assay::core
