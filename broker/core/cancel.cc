// CANCEL: somebody wants tasks to end. What does not run ends at once; what runs ends when its
// worker has stopped it, which is told so with every heartbeat until it confirms.
#include <unordered_set>

#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::on_message(PeerId peer, Cancel&& cancel) {
  Cancelled reply{
      .request = cancel.request, .cancelled = {}, .requested = {}, .ended = {}, .unknown = {}};
  if (cancel.reason.size() > kTextBytesMax) cancel.reason.resize(kTextBytesMax);
  const std::string reason = cancel.reason.empty() ? "cancelled" : cancel.reason;
  std::set<PeerId> workers;
  for (const TaskId& id : cancel.with_dependents ? with_dependents(cancel.ids) : cancel.ids) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) {
      reply.unknown.push_back(id);
    } else {
      cancel_one(index, reason, reply, workers);
    }
  }
  send(peer, std::move(reply));
  for (PeerId worker : workers) send_stops(*sessions_.worker(worker), {});
}

void BrokerCore::cancel_one(TaskIndex index, const std::string& reason, Cancelled& reply,
                            std::set<PeerId>& workers) {
  const Task& task = state_.tasks().at(index);
  const TaskId id = task.id;
  if (is_ended(task.state)) {
    reply.ended.push_back(id);
  } else if (task.state != TaskState::kRunning) {
    end_task(index, TaskState::kCancelled, Cause::kNone, reason);
    reply.cancelled.push_back(id);
  } else {
    if (!task.cancel_requested) {
      commit(CancelRequested{.sequence = next_sequence(), .id = id, .at = now_, .reason = reason});
    }
    if (const WorkerSession* holder = sessions_.holder(index)) workers.insert(holder->peer);
    reply.requested.push_back(id);
  }
}

// The tasks and all that comes after them and has not ended, directly or not, each once.
std::vector<TaskId> BrokerCore::with_dependents(const std::vector<TaskId>& ids) const {
  std::vector<TaskId> all;
  std::unordered_set<TaskId> seen;
  const auto add = [&](const TaskId& id) {
    if (seen.insert(id).second) all.push_back(id);
  };
  for (const TaskId& id : ids) add(id);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TaskIndex index = state_.tasks().find(all[i]);
    if (index == kNoTask || !state_.tasks().at(index).details) continue;
    for (const TaskIndex dependent : state_.tasks().at(index).details->dependents) {
      if (!is_ended(state_.tasks().at(dependent).state)) add(state_.tasks().at(dependent).id);
    }
  }
  return all;
}

}  // namespace assay::core
