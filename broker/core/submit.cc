// SUBMIT: all tasks of a message or none, and a repeat is no second task.
#include <unordered_map>

#include "broker/core/broker_core.h"
#include "broker/core/fingerprint.h"

namespace assay::core {

void BrokerCore::on_message(PeerId peer, Submit&& submit) {
  std::vector<std::uint64_t> fingerprints;
  Status status = check_submit(submit, fingerprints);
  if (!status.is_ok()) return refuse(peer, submit.request, status);

  Submitted reply{.request = submit.request, .accepted = 0, .duplicates = {}};
  for (std::size_t i = 0; i < submit.tasks.size(); ++i) {
    TaskSpec& task = submit.tasks[i];
    if (state_.tasks().find(task.id) != kNoTask) {
      reply.duplicates.push_back(task.id);
      ++counters_.duplicates;
      continue;
    }
    commit(TaskSubmitted{.sequence = next_sequence(),
                         .id = task.id,
                         .at = now_,
                         .queue = std::move(task.queue),
                         .owner = std::move(task.owner),
                         .priority = task.priority,
                         .max_attempts = task.max_attempts,
                         .fingerprint = fingerprints[i],
                         .labels = std::move(task.labels)},
           std::move(task.body));
    ++reply.accepted;
    ++counters_.submitted;
  }
  send(peer, std::move(reply));
}

Status BrokerCore::check_submit(const Submit& submit,
                                std::vector<std::uint64_t>& fingerprints) const {
  std::unordered_map<TaskId, std::uint64_t> in_this_batch;
  fingerprints.reserve(submit.tasks.size());
  for (const TaskSpec& task : submit.tasks) {
    Status status = check_task(task);
    if (!status.is_ok()) return status;
    const std::uint64_t print = fingerprint(task);
    fingerprints.push_back(print);
    const TaskIndex known = state_.tasks().find(task.id);
    const bool differs = known != kNoTask
                             ? state_.tasks().at(known).fingerprint != print
                             : in_this_batch.emplace(task.id, print).first->second != print;
    if (differs) {
      return {Code::kConflict, "task_conflict",
              "task " + task.id.text() + " exists with other content; a new task needs a new id"};
    }
  }
  return check_room(submit);
}

Status BrokerCore::check_task(const TaskSpec& task) const {
  if (task.id == TaskId())
    return fix_input("invalid_task", "a task needs an id: a ULID that its producer chooses");
  if (!state_.find_queue(task.queue)) {
    std::string known;
    for (const QueueState& queue : state_.queues()) {
      known += (known.empty() ? "" : ", ") + queue.name.value;
      if (known.size() > 500) break;
    }
    return fix_input("unknown_queue",
                     "there is no queue '" + task.queue.value + "'; known: " + known +
                         " (a queue exists once it is configured or a worker has served it)");
  }
  if (!valid_name(task.owner.value)) {
    return fix_input("invalid_task",
                     "owner: expected 1 to 64 of letters, digits, '.', '_', '-', found '" +
                         task.owner.value.substr(0, 80) + "'");
  }
  if (!state_.knows_owner(task.owner) && state_.owner_count() >= kOwnerCountMax) {
    return {Code::kExhausted, "too_many_owners",
            "this broker already knows " + std::to_string(kOwnerCountMax) + " owners, its limit"};
  }
  if (task.priority > kPriorityMax) {
    return fix_input("invalid_task",
                     "priority: expected 0 to 9, found " + std::to_string(task.priority));
  }
  if (task.max_attempts == 0 || task.max_attempts > kAttemptHistoryMax) {
    return fix_input("invalid_task", "max_attempts: expected 1 to " +
                                         std::to_string(kAttemptHistoryMax) + ", found " +
                                         std::to_string(task.max_attempts));
  }
  return Status::ok();
}

Status BrokerCore::check_room(const Submit& submit) const {
  struct Growth {
    std::uint64_t tasks = 0, bytes = 0;
  };
  std::unordered_map<QueueName, Growth> growth;
  for (const TaskSpec& task : submit.tasks) {
    if (state_.tasks().find(task.id) != kNoTask) continue;
    Growth& of_queue = growth[task.queue];
    ++of_queue.tasks;
    of_queue.bytes += task.body.size();
  }
  if (!growth.empty() && !accepting_) {
    return retry_later("not_accepting", "the broker finishes what it has and takes nothing new")
        .with_retry_after(Duration(5000));
  }
  for (const auto& [name, more] : growth) {
    const QueueState& queue = state_.queue(*state_.find_queue(name));
    const std::uint64_t depth = queue.queued.size() + queue.waiting;
    if (depth + more.tasks > options_.queue_tasks_max ||
        queue.bytes + more.bytes > options_.queue_bytes_max) {
      return retry_later("queue_full", "the queue " + name.value + " holds " +
                                           std::to_string(depth) + " tasks and " +
                                           std::to_string(queue.bytes) + " bytes; its limits are " +
                                           std::to_string(options_.queue_tasks_max) + " and " +
                                           std::to_string(options_.queue_bytes_max))
          .with_retry_after(Duration(1000));
    }
  }
  return Status::ok();
}

}  // namespace assay::core
