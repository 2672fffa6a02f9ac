// Queued tasks to workers with free slots, and waiting tasks to their queue when their time has
// come.
#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::dispatch(QueueIndex queue) {
  struct Parcel {
    Tasks tasks;
    std::vector<TaskIndex> blobs;
    std::size_t bytes = 0;
  };
  std::map<PeerId, Parcel> parcels;
  const auto send_parcel = [&](PeerId peer, Parcel& parcel) {
    send(peer, std::move(parcel.tasks), std::move(parcel.blobs));
    parcel = Parcel();
  };

  for (;;) {
    const TaskIndex index = state_.queue(queue).queued.front();
    if (index == kNoTask) break;
    WorkerSession* worker = sessions_.next_ready(queue);
    if (worker == nullptr) break;
    const Task& task = state_.tasks().at(index);
    const Attempt attempt{task.attempt + 1};
    commit(TaskLeased{.sequence = next_sequence(),
                      .id = task.id,
                      .at = now_,
                      .attempt = attempt,
                      .worker = worker->name});
    sessions_.hold(*worker, index, {attempt, now_});
    ++counters_.leased;

    Parcel& parcel = parcels[worker->peer];
    const bool is_full = parcel.blobs.size() == kTasksPerDispatchMax ||
                         parcel.bytes + task.blob.length > kDispatchBytesMax;
    if (is_full && !parcel.blobs.empty()) send_parcel(worker->peer, parcel);
    parcel.tasks.tasks.push_back({.id = task.id,
                                  .attempt = attempt,
                                  .queue = state_.queue(queue).name,
                                  .owner = state_.owner(task.owner),
                                  .priority = task.priority,
                                  .body = {}});
    parcel.blobs.push_back(index);
    parcel.bytes += task.blob.length;
  }
  for (auto& [peer, parcel] : parcels) {
    if (!parcel.blobs.empty()) send_parcel(peer, parcel);
  }
}

// Nobody holds this task any more; whoever did has a slot for another.
void BrokerCore::release(TaskIndex task) {
  if (const WorkerSession* holder = sessions_.holder(task)) {
    to_dispatch_.insert(holder->queues.begin(), holder->queues.end());
  }
  sessions_.release(task);
}

void BrokerCore::ready_timers() {
  while (!state_.timers().empty() && state_.timers().begin()->first <= now_) {
    const TaskIndex index = state_.timers().begin()->second;
    commit(TaskReady{.sequence = next_sequence(), .id = state_.tasks().at(index).id, .at = now_});
  }
}

}  // namespace assay::core
