// SUBMIT: all tasks of a message or none, and a repeat is no second task.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "broker/core/broker_core.h"
#include "broker/core/fingerprint.h"

namespace assay::core {

namespace {

// What would not fit when all else had ended is not to be tried again as it is.
Status batch_too_large(const std::string& whose, std::uint64_t at_most, std::uint64_t found,
                       const char* what = "tasks that have not ended") {
  return fix_input("batch_too_large", whose + " may have " + std::to_string(at_most) + " " + what +
                                          ", this batch has " + std::to_string(found) +
                                          "; submit it in parts");
}

}  // namespace

void BrokerCore::on_message(PeerId peer, Submit&& submit) {
  std::vector<std::uint64_t> fingerprints;
  std::vector<std::size_t> order;
  Status status = check_submit(submit, fingerprints);
  if (status.is_ok()) status = check_clients_room(peer, submit);
  if (status.is_ok()) status = check_dependencies(submit, order);
  if (!status.is_ok()) return refuse(peer, submit.request, status);

  Submitted reply{.request = submit.request, .accepted = 0, .duplicates = {}};
  for (std::size_t i : order) {
    TaskSpec& task = submit.tasks[i];
    if (state_.tasks().find(task.id) != kNoTask) {
      reply.duplicates.push_back(task.id);
      ++counters_.duplicates;
      continue;
    }
    const TaskIndex answer = state_.answered_by(task, now_);
    const bool comes_after = !task.after.empty() || answer != kNoTask;
    const TaskId follows = answer == kNoTask ? TaskId() : state_.tasks().at(answer).id;
    const TaskIndex index = record_submitted(std::move(task), fingerprints[i], follows);
    if (comes_after) to_settle_.push_back(index);
    if (options_.client_tasks_max > 0) sessions_.add_in_flight(*sessions_.client(peer), index);
    ++reply.accepted;
  }
  send(peer, std::move(reply));
}

TaskIndex BrokerCore::record_submitted(TaskSpec&& task, std::uint64_t fingerprint, TaskId follows) {
  const std::uint32_t body_hash = body_hash_of(task.body);
  ++counters_.submitted;
  return commit(TaskSubmitted{.sequence = next_sequence(),
                              .id = task.id,
                              .at = now_,
                              .queue = std::move(task.queue),
                              .owner = std::move(task.owner),
                              .priority = task.priority,
                              .max_attempts = task.max_attempts,
                              .fingerprint = fingerprint,
                              .labels = std::move(task.labels),
                              .after = std::move(task.after),
                              .on_failure = task.on_failure,
                              .not_before = task.not_before,
                              .deadline = task.deadline,
                              .timeout = task.timeout,
                              .backoff_first = task.backoff_first,
                              .backoff_max = task.backoff_max,
                              .cost = task.cost,
                              .require = std::move(task.require),
                              .artifacts = std::move(task.artifacts),
                              .cache_key = std::move(task.cache_key),
                              .cache_ttl = task.cache_ttl,
                              .traceparent = std::move(task.traceparent),
                              .body_hash = body_hash,
                              .follows = follows},
                std::move(task.body));
}

Status BrokerCore::check_submit(const Submit& submit,
                                std::vector<std::uint64_t>& fingerprints) const {
  std::unordered_map<TaskId, std::uint64_t> in_this_batch;
  fingerprints.reserve(submit.tasks.size());
  for (const TaskSpec& task : submit.tasks) {
    const TaskIndex known = state_.tasks().find(task.id);
    // What was accepted once is not refused when it is repeated: its deadline may have passed
    // since.
    if (known == kNoTask) {
      Status status = check_task(task);
      if (status.is_ok()) status = check_quarantine(task);
      if (!status.is_ok()) return status;
    }
    const std::uint64_t print = fingerprint(task);
    fingerprints.push_back(print);
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
  if (task.cost == 0 || task.cost > kCostMax) {
    return fix_input("invalid_task", "cost: expected 1 to " + std::to_string(kCostMax) +
                                         ", found " + std::to_string(task.cost));
  }
  if (task.after.size() > kDependenciesPerTaskMax) {
    return fix_input("invalid_task", "after: expected at most " +
                                         std::to_string(kDependenciesPerTaskMax) +
                                         " tasks, found " + std::to_string(task.after.size()));
  }
  for (const auto& [what, size, at_most] :
       {std::tuple{"cache_key", task.cache_key.size(), kCacheKeyBytesMax},
        std::tuple{"traceparent", task.traceparent.size(), kTraceparentBytesMax},
        std::tuple{"artifacts", task.artifacts.size(), kArtifactsPerTaskMax}}) {
    if (size <= at_most) continue;
    return fix_input("invalid_task", std::string(what) + ": expected at most " +
                                         std::to_string(at_most) +
                                         (what == std::string("artifacts") ? " hashes" : " bytes") +
                                         ", found " + std::to_string(size));
  }
  for (const std::string& hash : task.artifacts) {
    if (is_artifact_hash(hash)) continue;
    return fix_input(
        "invalid_task",
        "artifacts: expected 64 lower-case hexadecimal digits, found '" + hash.substr(0, 80) + "'");
  }
  if (task.deadline != Time() && task.deadline <= now_) {
    return fix_input("invalid_task",
                     "deadline: expected a time to come, found one that has passed");
  }
  if (!state_.knows_required_labels(task.require) &&
      state_.require_set_count() >= kRequireSetCountMax) {
    return {Code::kExhausted, "too_many_labels",
            "this broker already knows " + std::to_string(kRequireSetCountMax) +
                " different sets of required labels, its limit"};
  }
  return Status::ok();
}

// Everything that a task comes after is known or in the same message, and nothing comes after
// itself. `order` lists the tasks so that each stands behind what it comes after.
Status BrokerCore::check_dependencies(const Submit& submit, std::vector<std::size_t>& order) const {
  std::unordered_map<TaskId, std::size_t> in_this_batch;
  for (std::size_t i = 0; i < submit.tasks.size(); ++i)
    in_this_batch.emplace(submit.tasks[i].id, i);
  std::vector<std::vector<std::size_t>> dependents(submit.tasks.size());
  std::vector<std::size_t> left(submit.tasks.size());
  for (std::size_t i = 0; i < submit.tasks.size(); ++i) {
    for (const TaskId& id : submit.tasks[i].after) {
      const auto here = in_this_batch.find(id);
      if (here != in_this_batch.end()) {
        dependents[here->second].push_back(i);
        ++left[i];
      } else if (state_.tasks().find(id) == kNoTask &&
                 state_.tasks().find(submit.tasks[i].id) == kNoTask) {
        return not_found("unknown_task",
                         "task " + submit.tasks[i].id.text() + " comes after " + id.text() +
                             ", which this broker does not know; submit that first, or with it");
      }
    }
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == 0) order.push_back(i);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (std::size_t dependent : dependents[order[next]]) {
      if (--left[dependent] == 0) order.push_back(dependent);
    }
  }
  if (order.size() == submit.tasks.size()) return Status::ok();
  const auto in_cycle =
      std::find_if(left.begin(), left.end(), [](std::size_t count) { return count > 0; });
  const auto which = static_cast<std::size_t>(in_cycle - left.begin());
  return fix_input("dependency_cycle",
                   "task " + submit.tasks[which].id.text() +
                       " would have to end before it can begin: `after` leads back to it");
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
    const std::uint64_t tasks_max = queue.rule.tasks_max.value_or(options_.queue_tasks_max);
    const std::uint64_t bytes_max = queue.rule.bytes_max.value_or(options_.queue_bytes_max);
    if (more.tasks > std::max<std::uint64_t>(1, tasks_max))
      return batch_too_large("the queue " + name.value, tasks_max, more.tasks);
    if (more.bytes > std::max<std::uint64_t>(1, bytes_max))
      return batch_too_large("the queue " + name.value, bytes_max, more.bytes, "bytes of bodies");
    if (depth + more.tasks > tasks_max || queue.bytes + more.bytes > bytes_max) {
      return retry_later("queue_full", "the queue " + name.value + " holds " +
                                           std::to_string(depth) + " tasks and " +
                                           std::to_string(queue.bytes) + " bytes; its limits are " +
                                           std::to_string(tasks_max) + " and " +
                                           std::to_string(bytes_max))
          .with_retry_after(Duration(1000));
    }
  }
  return check_owners_room(submit);
}

// One owner's flood is its own: the others go on submitting.
Status BrokerCore::check_owners_room(const Submit& submit) const {
  std::unordered_map<OwnerName, std::uint64_t> growth;
  for (const TaskSpec& task : submit.tasks) {
    if (state_.tasks().find(task.id) == kNoTask) ++growth[task.owner];
  }
  for (const auto& [owner, more] : growth) {
    const auto rule = options_.owners.find(owner);
    const bool has_own = rule != options_.owners.end() && rule->second.tasks_max > 0;
    const std::uint64_t at_most = has_own ? rule->second.tasks_max : options_.owner_tasks_max;
    const std::uint64_t live = state_.live_count(owner);
    if (at_most == 0 || live + more <= at_most) continue;
    if (more > at_most) return batch_too_large(owner.value, at_most, more);
    return retry_later("owner_full", owner.value + " has " + std::to_string(live) +
                                         " tasks that have not ended; its limit is " +
                                         std::to_string(at_most))
        .with_retry_after(Duration(1000));
  }
  return Status::ok();
}

// A producer that does not wait for its tasks to end is slowed down before it fills a queue.
Status BrokerCore::check_clients_room(PeerId peer, const Submit& submit) const {
  const std::uint64_t at_most = options_.client_tasks_max;
  if (at_most == 0) return Status::ok();
  const auto more = static_cast<std::uint64_t>(std::count_if(
      submit.tasks.begin(), submit.tasks.end(),
      [this](const TaskSpec& task) { return state_.tasks().find(task.id) == kNoTask; }));
  const std::uint64_t in_flight = sessions_.clients().at(peer).in_flight;
  if (more == 0 || in_flight + more <= at_most) return Status::ok();
  if (more > at_most) return batch_too_large("a client", at_most, more);
  return retry_later("client_full", "this client has submitted " + std::to_string(in_flight) +
                                        " tasks that have not ended; the limit is " +
                                        std::to_string(at_most))
      .with_retry_after(Duration(1000));
}

}  // namespace assay::core
