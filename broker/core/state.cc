#include "broker/core/state.h"

#include <algorithm>

namespace assay::core {
namespace {

Status impossible(std::string what) {
  return {Code::kDataLoss, "impossible_record", std::move(what)};
}

Change change_to(TaskState ended) {
  switch (ended) {
    case TaskState::kSucceeded:
      return Change::kEndedWell;
    case TaskState::kFailed:
      return Change::kEndedBadly;
    case TaskState::kDead:
      return Change::kGivenUp;
    default:
      return Change::kCalledOff;
  }
}

}  // namespace

Result<Applied> State::apply(const Record& record, Location blob) {
  return std::visit([&](const auto& what) { return on(what, blob); }, record);
}

std::optional<QueueIndex> State::find_queue(const QueueName& name) const {
  const auto found = queues_by_name_.find(name);
  if (found == queues_by_name_.end()) return std::nullopt;
  return found->second;
}

Result<Applied> State::on(const BrokerStarted& record, Location) {
  last_sequence_ = std::max(last_sequence_, record.sequence);
  // Which event of a queue was its latest is not known for sure: it may not have been durable, or
  // been compacted away. So whoever follows the queue is made to ask once.
  for (QueueState& queue : queues_) queue.last_sequence = record.sequence;
  return Applied();
}

Result<Applied> State::on(const QueueCreated& record, Location) {
  if (find_queue(record.queue)) return impossible("queue " + record.queue.value + " made twice");
  queues_by_name_.emplace(record.queue, QueueIndex{static_cast<std::uint16_t>(queues_.size())});
  QueueState queue{.name = record.queue};
  const auto rule = options_.queues.find(record.queue);
  if (rule != options_.queues.end()) queue.rule = rule->second;
  queues_.push_back(std::move(queue));
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const QueuePaused& record, Location) {
  const auto queue = find_queue(record.queue);
  if (!queue) return impossible("the unknown queue " + record.queue.value + " was paused");
  queues_[static_cast<std::size_t>(*queue)].paused = record.paused;
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<TaskIndex> State::add_task(const TaskSubmitted& record, Location blob) {
  const auto queue = find_queue(record.queue);
  if (!queue) {
    return impossible("task " + record.id.text() + " for the unknown queue " + record.queue.value);
  }
  if (tasks_.find(record.id) != kNoTask) {
    return impossible("task " + record.id.text() + " submitted twice");
  }
  const TaskIndex index = tasks_.add(record.id);
  Task& task = tasks_.at(index);
  set_blob(task, blob);
  task.fingerprint = record.fingerprint;
  task.body_hash = record.body_hash;
  task.submitted_at = task.changed_at = record.at;
  task.owner = intern_owner(record.owner);
  // The bounds are checked at the door; a record that breaks one is not ours.
  task.max_attempts =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(record.max_attempts, kAttemptHistoryMax));
  task.queue = *queue;
  task.priority = std::min(record.priority, kPriorityMax);
  task.cost = static_cast<std::uint16_t>(std::min(record.cost, kCostMax));
  task.require = intern_require(record.require);
  keep_details(task, record);
  return index;
}

Result<Applied> State::on(const TaskSubmitted& record, Location blob) {
  auto added = add_task(record, blob);
  if (!added.is_ok()) return added.status();
  const TaskIndex index = *added;
  Task& task = tasks_.at(index);
  tie_dependencies(index);
  const bool waits = record.not_before > record.at || record.follows != TaskId() ||
                     (task.details && task.details->dependencies_left > 0);
  task.state = waits ? TaskState::kWaiting : TaskState::kQueued;
  if (waits) task.changed_at = std::max(record.at, record.not_before);
  if (record.deadline != Time()) deadlines_.emplace(record.deadline, index);
  count_references(task, true);
  ++owners_[static_cast<std::size_t>(task.owner)].live;
  join_runs(index);
  enter_state(index, /*to_front=*/false);
  return with_event(index, record.sequence, record.at, {}, {});
}

void State::keep_details(Task& task, const TaskSubmitted& record) {
  const TaskDetails plain;
  if (!record.labels.empty()) task.detail().labels = record.labels;
  if (!record.artifacts.empty()) task.detail().artifacts = record.artifacts;
  if (!record.traceparent.empty()) task.detail().traceparent = record.traceparent;
  if (!record.cache_key.empty()) {
    task.detail().cache_key = record.cache_key;
    task.details->cache_ttl = record.cache_ttl;
    task.details->follows = record.follows;
  }
  if (!record.after.empty()) {
    task.detail().after = record.after;
    task.details->on_failure = record.on_failure;
  }
  if (record.deadline != Time()) task.detail().deadline = record.deadline;
  if (record.timeout != Duration(0)) task.detail().timeout = record.timeout;
  if (record.backoff_first != plain.backoff_first || record.backoff_max != plain.backoff_max) {
    task.detail().backoff_first = record.backoff_first;
    task.detail().backoff_max = record.backoff_max;
  }
}

// The task holds on to what it comes after: their results are not forgotten before it has ended.
void State::tie_dependencies(TaskIndex index) {
  Task& task = tasks_.at(index);
  if (!task.details) return;
  for (const TaskId& id : task.details->after) {
    const TaskIndex other = tasks_.find(id);
    if (other == kNoTask) continue;  // ended and forgotten, before a recovery with smaller limits
    Task& dependency = tasks_.at(other);
    keep_or_let_go(other, [](Task& needed) { ++needed.detail().dependents_left; });
    count_references(dependency, true);
    if (is_ended(dependency.state)) continue;
    dependency.details->dependents.push_back(index);
    ++task.details->dependencies_left;
  }
}

void State::untie_dependencies(TaskIndex index) {
  const Task& task = tasks_.at(index);
  if (!task.details) return;
  for (const TaskId& id : task.details->after) {
    const TaskIndex other = tasks_.find(id);
    if (other == kNoTask) continue;
    Task& dependency = tasks_.at(other);
    keep_or_let_go(other, [](Task& needed) { --needed.details->dependents_left; });
    count_references(dependency, needs_artifacts(dependency));
    // It may be forgotten, and its place given to another, before the dependency ends and tells.
    if (!is_ended(dependency.state)) std::erase(dependency.details->dependents, index);
  }
}

void State::tell_dependents(const Task& task) {
  if (!task.details) return;
  for (TaskIndex index : task.details->dependents) {
    Task& dependent = tasks_.at(index);
    if (is_ended(dependent.state)) continue;
    if (--dependent.details->dependencies_left == 0 && dependent.details->follows == TaskId()) {
      timers_.emplace(dependent.changed_at, index);
    }
  }
}

Result<Applied> State::on(const TaskLeased& record, Location) {
  // Everything is checked before anything moves: a record that is refused has changed nothing.
  const TaskIndex known = tasks_.find(record.id);
  if (known != kNoTask && record.attempt != next_attempt(tasks_.at(known))) {
    return impossible("task " + record.id.text() + " leased as attempt " +
                      std::to_string(record.attempt.number) + " after " +
                      std::to_string(tasks_.at(known).attempt));
  }
  auto moved = move(record.id, Change::kLeased, record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  task.attempt = record.attempt.number;
  task.handed_over = false;
  queues_[static_cast<std::size_t>(task.queue)].queued.charge(task.owner, task.cost);
  auto& attempts = task.detail().attempts;
  if (attempts.size() == kAttemptHistoryMax) attempts.erase(attempts.begin());
  attempts.push_back({.attempt = record.attempt,
                      .worker = record.worker,
                      .started_at = record.at,
                      .ended_at = {},
                      .ended_because = {}});
  return with_event(*moved, record.sequence, record.at, {}, record.worker);
}

Result<Applied> State::on(const AttemptEnded& record, Location) {
  const bool delayed = record.ready_at > record.at;
  auto moved = move(record.id, delayed ? Change::kDelayed : Change::kReturned,
                    delayed ? record.ready_at : record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  if (record.counts_as_loss && task.losses < 255) ++task.losses;
  if (record.counts_as_attempt && task.attempts_counted < kAttemptHistoryMax)
    ++task.attempts_counted;
  task.handed_over = record.handed_over;
  end_attempt(task, {.attempt = record.attempt,
                     .ended_at = record.at,
                     .ended_because = record.because,
                     .cause = record.cause,
                     .usage = record.usage});
  return with_event(*moved, record.sequence, record.at, record.because, {});
}

Result<Applied> State::on(const TaskReady& record, Location) {
  auto moved = move(record.id, Change::kReady, record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  if (task.details) {
    task.details->held_by.clear();
    task.details->follows = TaskId();
  }
  return with_event(*moved, record.sequence, record.at, {}, {});
}

Result<Applied> State::on(const CancelRequested& record, Location) {
  const TaskIndex index = tasks_.find(record.id);
  if (index == kNoTask || tasks_.at(index).state != TaskState::kRunning) {
    return impossible("cancel of " + record.id.text() + ", which does not run");
  }
  tasks_.at(index).cancel_requested = true;
  tasks_.at(index).detail().reason = record.reason;
  return with_event(index, record.sequence, record.at, "cancel requested: " + record.reason, {});
}

Result<Applied> State::on(const TaskEnded& record, Location blob) {
  if (!is_ended(record.state)) return impossible("task " + record.id.text() + " ended in no end");
  auto moved = move(record.id, change_to(record.state), record.at);
  if (!moved.is_ok()) return moved.status();
  const TaskIndex index = *moved;
  Task& task = tasks_.at(index);
  count_references(task, false);
  // A dead task keeps its body, for another life.
  if (record.state != TaskState::kDead) {
    set_blob(task, blob);
    if (!record.artifacts.empty()) task.detail().result_artifacts = record.artifacts;
    untie_dependencies(index);
  }
  task.cause = record.cause;
  task.ended_by_report = record.by_report;
  --owners_[static_cast<std::size_t>(task.owner)].live;
  if (record.cached_from != TaskId()) task.detail().cached_from = record.cached_from;
  if (!record.reason.empty()) task.detail().reason = record.reason;
  if (task.details && task.details->deadline != Time())
    deadlines_.erase({task.details->deadline, index});
  end_attempt(task,
              {.attempt = record.attempt,
               .ended_at = record.at,
               .ended_because = record.reason.empty() ? std::string(assay::to_string(record.state))
                                                      : record.reason,
               .cause = record.cause,
               .usage = record.usage});
  tell_dependents(task);
  leave_runs(index);
  count_references(task, needs_artifacts(task));
  return with_event(index, record.sequence, record.at, record.reason, {});
}

Result<Applied> State::on(const TaskRevived& record, Location) {
  auto moved = move(record.id, Change::kRevived, record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  task.losses = 0;
  task.ended_by_report = false;
  ++owners_[static_cast<std::size_t>(task.owner)].live;
  if (task.details && !task.details->cache_key.empty()) {
    SharedRuns::Entry& entry = runs_.at(work_key(task));
    if (entry.leader == kNoTask) entry.leader = *moved;
  }
  // Whoever came after it was told when it died, and is not told again.
  task.detail().dependents.clear();
  task.attempts_counted = 0;
  task.cause = Cause::kNone;
  task.detail().reason.clear();
  return with_event(*moved, record.sequence, record.at, "another life", {});
}

Result<Applied> State::on(const TaskForgotten& record, Location) {
  const TaskIndex index = tasks_.find(record.id);
  const bool is_here = index != kNoTask;
  if (is_here ? !is_ended(tasks_.at(index).state) : !record.from_history) {
    return impossible("task " + record.id.text() + " was forgotten and has not ended");
  }
  if (is_here) forget_ended(index);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const TaskPinned& record, Location) {
  const TaskIndex index = tasks_.find(record.id);
  if (index == kNoTask) return impossible("unknown task " + record.id.text() + " was pinned");
  Task& task = tasks_.at(index);
  keep_or_let_go(index, [&](Task& it) { it.pinned = record.pinned; });
  count_references(task, needs_artifacts(task));
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

bool State::needs_artifacts(const Task& task) {
  return !is_ended(task.state) || task.state == TaskState::kDead || task.pinned ||
         (task.details && task.details->dependents_left > 0);
}

void State::count_references(Task& task, bool needed) {
  if (!task.details || needed == task.counts_references) return;
  task.counts_references = needed;
  for (const auto* hashes : {&task.details->artifacts, &task.details->result_artifacts}) {
    needed ? artifacts_.add(*hashes) : artifacts_.remove(*hashes);
  }
}

Result<TaskIndex> State::move(const TaskId& id, Change change, Time at) {
  const TaskIndex index = tasks_.find(id);
  if (index == kNoTask) {
    return impossible("unknown task " + id.text() + " was " + std::string(to_string(change)));
  }
  Task& task = tasks_.at(index);
  const auto next = next_state(task.state, change);
  if (!next) {
    return impossible("task " + id.text() + " is " + std::string(assay::to_string(task.state)) +
                      " and can't have been " + std::string(to_string(change)));
  }
  leave_state(index);
  task.state = *next;
  task.changed_at = at;
  // A task that comes back has waited its turn; one whose time has come joins the end.
  enter_state(index, /*to_front=*/change == Change::kReturned);
  return index;
}

void State::leave_state(TaskIndex index) {
  const Task& task = tasks_.at(index);
  QueueState& queue = queues_[static_cast<std::size_t>(task.queue)];
  switch (task.state) {
    case TaskState::kWaiting:
      timers_.erase({task.changed_at, index});
      --queue.waiting;
      queue.bytes -= task.blob.length;
      break;
    case TaskState::kQueued:
      queue.queued.remove(tasks_, index);
      queue.bytes -= task.blob.length;
      break;
    case TaskState::kRunning:
      if (task.details->timeout != Duration(0)) {
        timeouts_.erase({task.changed_at + task.details->timeout, index});
      }
      count_running(task, /*starts=*/false);
      break;
    default:
      chain_of(task).remove(tasks_, index);
      break;
  }
}

void State::enter_state(TaskIndex index, bool to_front) {
  const Task& task = tasks_.at(index);
  QueueState& queue = queues_[static_cast<std::size_t>(task.queue)];
  switch (task.state) {
    case TaskState::kWaiting:
      if (!waits_for_others(task)) timers_.emplace(task.changed_at, index);
      ++queue.waiting;
      queue.bytes += task.blob.length;
      break;
    case TaskState::kQueued:
      to_front ? queue.queued.push_front(tasks_, index, place_of(task))
               : queue.queued.push_back(tasks_, index, place_of(task));
      queue.bytes += task.blob.length;
      break;
    case TaskState::kRunning:
      if (task.details && task.details->timeout != Duration(0)) {
        timeouts_.emplace(task.changed_at + task.details->timeout, index);
      }
      count_running(task, /*starts=*/true);
      break;
    default:
      chain_of(task).push_back(tasks_, index);
      break;
  }
}

void State::count_running(const Task& task, bool starts) {
  QueueState& queue = queues_[static_cast<std::size_t>(task.queue)];
  OwnerState& owner = owners_[static_cast<std::size_t>(task.owner)];
  starts ? ++queue.running : --queue.running;
  starts ? owner.running_cost += task.cost : owner.running_cost -= task.cost;
  if (queue.rule.owner_running_cost_max > 0) {
    std::uint32_t& here = queue.running_cost[task.owner];
    starts ? here += task.cost : here -= task.cost;
  }
  if (starts) return;
  // Who was set aside at a quota may be below it again, in any queue.
  if (owner.rule.running_cost_max > 0) {
    for (QueueState& each : queues_) each.queued.readmit(task.owner);
  } else if (queue.rule.owner_running_cost_max > 0) {
    queue.queued.readmit(task.owner);
  }
}

bool State::at_quota(QueueIndex queue, OwnerIndex owner) const {
  const OwnerState& state = owner_state(owner);
  if (state.rule.running_cost_max > 0 && state.running_cost >= state.rule.running_cost_max)
    return true;
  const QueueState& here = this->queue(queue);
  if (here.rule.owner_running_cost_max == 0) return false;
  const auto running = here.running_cost.find(owner);
  return running != here.running_cost.end() && running->second >= here.rule.owner_running_cost_max;
}

TaskChain& State::chain_of(const Task& task) {
  const bool is_needed = task.details && task.details->dependents_left > 0;
  return task.pinned || is_needed ? kept_ : forgettable_;
}

void State::set_blob(Task& task, Location blob) {
  blob_bytes_ += blob.length;
  blob_bytes_ -= task.blob.length;
  task.blob = blob;
}

void State::blob_moved(const TaskId& id, Location from, Location to) {
  const TaskIndex index = tasks_.find(id);
  if (index != kNoTask && tasks_.at(index).blob == from) tasks_.at(index).blob = to;
}

void State::forget_ended(TaskIndex index) {
  chain_of(tasks_.at(index)).remove(tasks_, index);
  if (tasks_.at(index).state == TaskState::kDead) untie_dependencies(index);
  forget_runs(index);
  count_references(tasks_.at(index), false);
  set_blob(tasks_.at(index), Location());
  tasks_.remove(index);
}

std::uint64_t State::excess_ended() const {
  if (ended_count() <= options_.ended_tasks_kept_max) return 0;
  return std::min<std::uint64_t>(ended_count() - options_.ended_tasks_kept_max, forgettable_.size);
}

// Which ones they are follows from the records before: the same at every recovery.
Result<Applied> State::on(const EndedForgotten& record, Location) {
  if (record.count > forgettable_.size) {
    return impossible(std::to_string(record.count) + " ended tasks were forgotten, of " +
                      std::to_string(forgettable_.size));
  }
  for (std::uint64_t left = record.count; left > 0; --left) forget_ended(forgettable_.first);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

OwnerIndex State::intern_owner(const OwnerName& name) {
  const auto [found, is_new] =
      owners_by_name_.emplace(name, OwnerIndex{static_cast<std::uint32_t>(owners_.size())});
  if (is_new) {
    const auto rule = options_.owners.find(name);
    owners_.push_back(
        {.name = name, .rule = rule == options_.owners.end() ? OwnerRule() : rule->second});
  }
  return found->second;
}

RequireIndex State::intern_require(const RequiredLabels& labels) {
  const auto [found, is_new] = require_by_labels_.emplace(
      labels, RequireIndex{static_cast<std::uint16_t>(require_sets_.size())});
  if (is_new) {
    require_sets_.push_back(labels);
    require_groups_.push_back(label_groups_.add(labels));
  }
  return found->second;
}

void State::set_rules(const CoreOptions& options) {
  options_ = options;
  for (QueueState& queue : queues_) {
    const auto rule = options.queues.find(queue.name);
    queue.rule = rule == options.queues.end() ? QueueRule() : rule->second;
    queue.running_cost.clear();
  }
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    const auto rule = options.owners.find(owners_[i].name);
    owners_[i].rule = rule == options.owners.end() ? OwnerRule() : rule->second;
    for (QueueState& queue : queues_)
      queue.queued.readmit(OwnerIndex{static_cast<std::uint32_t>(i)});
  }
  tasks_.for_each([&](TaskIndex index) {
    const Task& task = tasks_.at(index);
    QueueState& queue = queues_[static_cast<std::size_t>(task.queue)];
    if (task.state == TaskState::kRunning && queue.rule.owner_running_cost_max > 0) {
      queue.running_cost[task.owner] += task.cost;
    }
  });
}

void State::end_attempt(Task& task, const AttemptInfo& end) {
  if (end.attempt.number == 0 || !task.details || task.details->attempts.empty()) return;
  AttemptInfo& last = task.details->attempts.back();
  // A handed over attempt may end before another worker has it: its story stays what it was.
  if (last.attempt != end.attempt || last.ended_at) return;
  last.ended_at = end.ended_at;
  last.ended_because = end.ended_because;
  last.cause = end.cause;
  last.usage = end.usage;
  Usage& sum = task.details->usage;
  sum.cpu_seconds += end.usage.cpu_seconds;
  sum.memory_byte_seconds += end.usage.memory_byte_seconds;
  sum.gpu_seconds += end.usage.gpu_seconds;
  sum.wall_seconds += end.usage.wall_seconds;
}

Applied State::with_event(TaskIndex index, std::uint64_t sequence, Time at, std::string text,
                          const WorkerName& worker) {
  last_sequence_ = std::max(last_sequence_, sequence);
  Task& task = tasks_.at(index);
  FeedEvent event;
  event.sequence = sequence;
  event.previous = task.last_sequence;
  event.at = at;
  event.kind = EventKind::kState;
  event.queue = queue(task.queue).name;
  event.task = task.id;
  event.attempt = Attempt{task.attempt};
  event.state = task.state;
  event.worker = worker;
  event.text = std::move(text);
  event.previous_in_queue = note_event(task.queue, sequence);
  task.last_sequence = sequence;
  return {index, std::move(event)};
}

}  // namespace assay::core
