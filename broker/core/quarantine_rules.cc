// What keeps killing workers is held: its tasks are given to nobody until an operator releases
// them.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "broker/core/fingerprint.h"

namespace assay::core {

// The task was lost with its worker. A worker takes the innocent with it; but they succeed sooner
// or later, and that clears them.
void BrokerCore::suspect(TaskIndex lost, const std::string& because) {
  const Task& task = state_.tasks().at(lost);
  const WorkerName& worker = task.details->attempts.back().worker;
  for (const std::string& key : state_.quarantine_keys(task)) {
    const std::uint32_t losses = suspects_.count_loss(key, worker, now_);
    const bool is_new =
        !state_.quarantines().contains(key) && state_.quarantines().size() < kQuarantineCountMax;
    if (losses < options_.quarantine_losses || !is_new) continue;
    commit(Quarantined{
        .sequence = next_sequence(), .at = now_, .key = key, .losses = losses, .reason = because});
    ++counters_.quarantined;
  }
}

void BrokerCore::clear_suspicion(const Task& task) {
  if (suspects_.empty()) return;
  for (const std::string& key : state_.quarantine_keys(task)) suspects_.clear(key);
}

Status BrokerCore::check_quarantine(const TaskSpec& task) const {
  if (state_.quarantines().empty()) return Status::ok();
  for (const std::string& key :
       quarantine_keys(task.owner, body_hash_of(task.body), &task.labels)) {
    const auto found = state_.quarantines().find(key);
    if (found == state_.quarantines().end()) continue;
    return {Code::kExhausted, "quarantined",
            "task " + task.id.text() + ": " + key + " is quarantined, since " +
                std::to_string(found->second.losses) + " workers were lost to it, the last time: " +
                found->second.reason + "; an operator may release it"};
  }
  return Status::ok();
}

void BrokerCore::on_message(PeerId peer, QuarantinesRequest&& request) {
  QuarantineList reply{.request = request.request, .quarantines = {}};
  std::map<std::string, std::uint64_t> held;
  if (!state_.quarantines().empty()) {
    state_.tasks().for_each([&](TaskIndex index) {
      const Task& task = state_.tasks().at(index);
      if (task.state == TaskState::kWaiting && task.details && !task.details->held_by.empty())
        ++held[task.details->held_by];
      // One that is still queued is held when it would be given to a worker.
      if (task.state == TaskState::kQueued) {
        const std::string key = state_.quarantined_by(task);
        if (!key.empty()) ++held[key];
      }
    });
  }
  for (const auto& [key, quarantine] : state_.quarantines()) {
    reply.quarantines.push_back({.key = key,
                                 .since = quarantine.since,
                                 .losses = quarantine.losses,
                                 .reason = quarantine.reason,
                                 .held = held[key]});
  }
  send(peer, std::move(reply));
}

Result<std::uint64_t> BrokerCore::release_quarantine(const std::string& key) {
  if (!state_.quarantines().contains(key)) {
    return not_found("unknown_quarantine", "there is no quarantine '" + key.substr(0, 200) +
                                               "'; list them with QUARANTINES");
  }
  commit(QuarantineReleased{.sequence = next_sequence(), .key = key});
  suspects_.clear(key);
  release_held(key);
  return std::uint64_t{1};
}

// Those that it held run again; one that another quarantine holds too is held anew when its turn
// comes.
void BrokerCore::release_held(const std::string& key) {
  std::vector<TaskIndex> held;
  state_.tasks().for_each([&](TaskIndex index) {
    const Task& task = state_.tasks().at(index);
    if (task.state == TaskState::kWaiting && task.details && task.details->held_by == key)
      held.push_back(index);
  });
  std::sort(held.begin(), held.end());
  for (TaskIndex index : held) {
    commit(TaskReady{.sequence = next_sequence(), .id = state_.tasks().at(index).id, .at = now_});
  }
}

}  // namespace assay::core
