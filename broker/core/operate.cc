// What operators do: pause, resume and purge a queue, drain a worker, settle the dead.
#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

Status no_such_queue(const QueueName& queue) {
  return not_found("unknown_queue",
                   "there is no queue '" + queue.value + "'; list them with QUEUES");
}

}  // namespace

void BrokerCore::on_message(PeerId peer, Operate&& operate) {
  Result<std::uint64_t> affected =
      fix_input("invalid_operation", "this broker knows no such operation");
  switch (operate.operation) {
    case Operation::kPauseQueue:
    case Operation::kResumeQueue:
      affected = pause(QueueName(operate.target), operate.operation == Operation::kPauseQueue);
      break;
    case Operation::kPurgeQueue:
      affected = purge(QueueName(operate.target));
      break;
    case Operation::kDrainWorker:
      affected = drain(WorkerName(operate.target));
      break;
    case Operation::kRetryDead:
    case Operation::kDropDead:
      affected = settle_dead(operate);
      break;
    case Operation::kReleaseQuarantine:
      affected = release_quarantine(operate.target);
      break;
    case Operation::kForgetEnded:
      affected = forget(operate.ids);
      break;
    case Operation::kPin:
    case Operation::kUnpin:
      affected = pin(operate.ids, operate.operation == Operation::kPin);
      break;
  }
  if (!affected.is_ok()) return refuse(peer, operate.request, affected.status());
  send(peer, Operated{.request = operate.request, .affected = *affected});
}

Result<std::uint64_t> BrokerCore::pause(const QueueName& name, bool paused) {
  const auto queue = state_.find_queue(name);
  if (!queue) return no_such_queue(name);
  if (state_.queue(*queue).paused == paused) return std::uint64_t{0};
  commit(QueuePaused{.sequence = next_sequence(), .queue = name, .paused = paused});
  publish_queue_event(*queue, paused ? "paused" : "resumed");
  to_dispatch_.insert(*queue);
  return std::uint64_t{1};
}

Result<std::uint64_t> BrokerCore::purge(const QueueName& name) {
  const auto queue = state_.find_queue(name);
  if (!queue) return no_such_queue(name);
  std::vector<TaskIndex> doomed;
  state_.tasks().for_each([&](TaskIndex index) {
    const Task& task = state_.tasks().at(index);
    if (task.queue != *queue) return;
    if (task.state == TaskState::kQueued || task.state == TaskState::kWaiting)
      doomed.push_back(index);
  });
  std::sort(doomed.begin(), doomed.end());
  if (doomed.size() > kTasksPerPurgeMax) doomed.resize(kTasksPerPurgeMax);
  for (TaskIndex index : doomed) {
    end_task(index, TaskState::kCancelled, Cause::kNone, "its queue was purged");
  }
  return static_cast<std::uint64_t>(doomed.size());
}

Result<std::uint64_t> BrokerCore::drain(const WorkerName& name) {
  WorkerSession* worker = sessions_.worker_named(name);
  if (worker == nullptr) {
    return not_found("unknown_worker",
                     "there is no worker '" + name.value + "' here now; list them with WORKERS");
  }
  if (worker->draining) return std::uint64_t{0};
  worker->draining = true;
  publish_worker_event(*worker, "draining");
  // What can go on without it (a Job in a cluster) is to go on with another worker.
  send_stops(*worker, {});
  return std::uint64_t{1};
}

// Of the ended tasks named, those that are not pinned, and that no task which has not ended comes
// after, are forgotten; what memory has let go already, history forgets. Who asks again gets the
// rest of what he asked for. With one among them that has not ended nothing is forgotten: its
// caller takes it for something else.
Result<std::uint64_t> BrokerCore::forget(const std::vector<TaskId>& ids) {
  std::set<TaskId> doomed;
  for (const TaskId& id : ids) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) {
      if (options_.history) doomed.insert(id);
      continue;
    }
    const Task& task = state_.tasks().at(index);
    if (!is_ended(task.state)) {
      return Status(
          Code::kConflict, "not_ended",
          "task " + id.text() + " is " + std::string(to_string(task.state)) + "; cancel it first");
    }
    const bool is_needed = task.details && task.details->dependents_left > 0;
    if (!task.pinned && !is_needed) doomed.insert(id);
  }
  for (const TaskId& id : doomed) {
    commit(TaskForgotten{.sequence = next_sequence(), .id = id, .from_history = true});
  }
  return static_cast<std::uint64_t>(doomed.size());
}

// Retries or drops the dead tasks named; all or none, so that a mistyped id changes nothing.
Result<std::uint64_t> BrokerCore::settle_dead(const Operate& operate) {
  std::set<TaskIndex> dead;
  for (const TaskId& id : operate.ids) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) return not_found("unknown_task", "there is no task " + id.text());
    if (state_.tasks().at(index).state != TaskState::kDead) {
      return Status(Code::kConflict, "not_dead",
                    "task " + id.text() + " is " +
                        std::string(to_string(state_.tasks().at(index).state)) + ", not dead");
    }
    const Task& task = state_.tasks().at(index);
    if (operate.operation == Operation::kDropDead && task.details &&
        task.details->dependents_left > 0) {
      return Status(
          Code::kConflict, "still_needed",
          "task " + id.text() + " can't be dropped while tasks that come after it have not ended");
    }
    dead.insert(index);
  }
  for (TaskIndex index : dead) {
    const TaskId id = state_.tasks().at(index).id;
    if (operate.operation == Operation::kRetryDead) {
      commit(TaskRevived{.sequence = next_sequence(), .id = id, .at = now_});
    } else {
      commit(TaskForgotten{.sequence = next_sequence(), .id = id});
    }
  }
  return static_cast<std::uint64_t>(dead.size());
}

}  // namespace assay::core
