// Queued tasks to workers that have room for them and bear the labels they require.
#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::dispatch(QueueIndex queue) {
  if (state_.queue(queue).paused) return;
  Parcels parcels;
  // Everybody in line is asked; whoever took a task is asked again.
  std::size_t refusals = 0;
  while (refusals <= sessions_.line_length(queue) && state_.queue(queue).queued.size() > 0) {
    WorkerSession* worker = sessions_.next_ready(queue);
    if (worker == nullptr) break;
    refusals = give_next(queue, *worker, parcels) ? 0 : refusals + 1;
  }
  for (auto& [peer, parcel] : parcels) {
    if (!parcel.blobs.empty()) send_parcel(peer, parcel);
  }
}

// False: there is nothing for this worker now.
bool BrokerCore::give_next(QueueIndex queue, WorkerSession& worker, Parcels& parcels) {
  if (const LabelGroups& groups = state_.label_groups();
      worker.label_groups_known != groups.size()) {
    worker.label_groups = groups.borne_by(worker.labels);
    worker.label_groups_known = groups.size();
  }
  const PickRules rules{
      .now = now_,
      .ageing_step = options_.ageing_step,
      .groups = worker.label_groups,
      .bears = [&](RequireIndex require) { return bears(worker, require); },
      .at_quota = [&](OwnerIndex owner) { return state_.at_quota(queue, owner); }};
  const TaskIndex index = state_.pick(queue, rules);
  if (index == kNoTask) return false;
  const Task& task = state_.tasks().at(index);
  if (const std::string key = state_.quarantined_by(task); !key.empty()) {
    commit(TaskHeld{.sequence = next_sequence(), .id = task.id, .at = now_, .key = key});
    return true;
  }
  // A large task is not passed over for small ones: the worker waits until it has the room.
  const Lease lease = lease_of(task, worker);
  if (lease.cost > worker.free_slots()) return false;

  TaskAssignment assignment{.id = task.id,
                            .attempt = lease.attempt,
                            .queue = state_.queue(queue).name,
                            .owner = state_.owner(task.owner),
                            .priority = task.priority,
                            .resume = task.handed_over,
                            .max_attempts = task.max_attempts};
  if (task.details) {
    assignment.timeout = task.details->timeout;
    assignment.labels = task.details->labels;
    assignment.traceparent = task.details->traceparent;
  }
  std::vector<TaskIndex> inputs;
  if (!gather_inputs(task, assignment, inputs)) {
    end_task(index, TaskState::kDead, Cause::kLimit,
             "its body and the results that it comes after are larger than " +
                 std::to_string(kParcelBytesMax) + " bytes together");
    return true;
  }
  commit(TaskLeased{.sequence = next_sequence(),
                    .id = task.id,
                    .at = now_,
                    .attempt = lease.attempt,
                    .worker = worker.name});
  sessions_.hold(worker, index, lease);
  ++counters_.leased;

  Parcel& parcel = parcels[worker.peer];
  std::size_t bytes = task.blob.length;
  for (TaskIndex input : inputs) {
    if (input != kNoTask) bytes += state_.tasks().at(input).blob.length;
  }
  const bool is_full =
      parcel.blobs.size() == kTasksPerDispatchMax || parcel.bytes + bytes > kDispatchBytesMax;
  if (is_full && !parcel.blobs.empty()) send_parcel(worker.peer, parcel);
  parcel.tasks.tasks.push_back(std::move(assignment));
  parcel.blobs.push_back(index);
  parcel.inputs.push_back(std::move(inputs));
  parcel.bytes += bytes;
  return true;
}

// How the tasks ended that this one comes after; their results are read by the shell. False: too
// large to travel.
bool BrokerCore::gather_inputs(const Task& task, TaskAssignment& assignment,
                               std::vector<TaskIndex>& inputs) const {
  if (!task.details) return true;
  std::size_t bytes = task.blob.length;
  for (const TaskId& id : task.details->after) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) continue;
    const Task& dependency = state_.tasks().at(index);
    // One that was dead when this task was told, and lives again, counts as it did then.
    const TaskState state = is_ended(dependency.state) ? dependency.state : TaskState::kDead;
    assignment.inputs.push_back({.id = id, .state = state, .result = {}});
    const bool has_result = state != TaskState::kDead;
    inputs.push_back(has_result ? index : kNoTask);
    if (has_result) bytes += dependency.blob.length;
  }
  return inputs.empty() || bytes <= kParcelBytesMax;
}

Lease BrokerCore::lease_of(const Task& task, const WorkerSession& worker) const {
  // A task that costs more than the worker has takes all of it.
  return {.attempt = State::next_attempt(task),
          .since = now_,
          .cost = std::min<std::uint32_t>(task.cost, std::max(1U, worker.slots))};
}

bool BrokerCore::bears(const WorkerSession& worker, RequireIndex require) const {
  for (const auto& [label, value] : state_.required_labels(require)) {
    const auto found = worker.labels.find(label);
    if (found == worker.labels.end() || found->second != value) return false;
  }
  return true;
}

void BrokerCore::send_parcel(PeerId peer, Parcel& parcel) {
  effects_->send.push_back(
      {peer, std::move(parcel.tasks), std::move(parcel.blobs), std::move(parcel.inputs)});
  parcel = Parcel();
}

// Nobody holds this task any more; whoever did has room for another, and its owner may have more
// running.
void BrokerCore::release(TaskIndex index) {
  const Task& task = state_.tasks().at(index);
  if (const WorkerSession* holder = sessions_.holder(index)) {
    to_dispatch_.insert(holder->queues.begin(), holder->queues.end());
  }
  if (state_.owner_state(task.owner).rule.running_cost_max > 0) {
    for (std::size_t i = 0; i < state_.queues().size(); ++i) {
      to_dispatch_.insert(QueueIndex{static_cast<std::uint16_t>(i)});
    }
  }
  to_dispatch_.insert(task.queue);
  sessions_.release(index);
}

}  // namespace assay::core
