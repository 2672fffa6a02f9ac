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
  return Applied();
}

Result<Applied> State::on(const QueueCreated& record, Location) {
  if (find_queue(record.queue)) return impossible("queue " + record.queue.value + " made twice");
  queues_by_name_.emplace(record.queue, QueueIndex{static_cast<std::uint16_t>(queues_.size())});
  queues_.push_back({.name = record.queue, .queued = {}});
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const TaskSubmitted& record, Location blob) {
  const auto queue = find_queue(record.queue);
  if (!queue)
    return impossible("task " + record.id.text() + " for the unknown queue " + record.queue.value);
  if (tasks_.find(record.id) != kNoTask)
    return impossible("task " + record.id.text() + " submitted twice");
  const TaskIndex index = tasks_.add(record.id);
  Task& task = tasks_.at(index);
  task.blob = blob;
  task.fingerprint = record.fingerprint;
  task.submitted_at = task.changed_at = record.at;
  task.owner = intern_owner(record.owner);
  task.max_attempts = record.max_attempts;
  task.queue = *queue;
  task.priority = std::min(record.priority, kPriorityMax);
  if (!record.labels.empty()) task.detail().labels = record.labels;
  task.state = TaskState::kQueued;
  enter_state(index, /*to_front=*/false);
  return with_event(index, record.sequence, record.at, {}, {});
}

Result<Applied> State::on(const TaskLeased& record, Location) {
  auto moved = move(record.id, Change::kLeased, record.at);
  if (!moved.is_ok()) return moved.status();
  Task& task = tasks_.at(*moved);
  if (record.attempt.number != task.attempt + 1) {
    return impossible("task " + record.id.text() + " leased as attempt " +
                      std::to_string(record.attempt.number) + " after " +
                      std::to_string(task.attempt));
  }
  task.attempt = record.attempt.number;
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
  if (record.counts_as_attempt) ++task.attempts_counted;
  end_attempt(task, record.attempt, record.at, record.because);
  return with_event(*moved, record.sequence, record.at, record.because, {});
}

Result<Applied> State::on(const TaskReady& record, Location) {
  auto moved = move(record.id, Change::kReady, record.at);
  if (!moved.is_ok()) return moved.status();
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
  task.blob = blob;
  task.cause = record.cause;
  if (!record.reason.empty()) task.detail().reason = record.reason;
  end_attempt(task, record.attempt, record.at,
              record.reason.empty() ? std::string(assay::to_string(record.state)) : record.reason);
  Applied applied = with_event(index, record.sequence, record.at, record.reason, {});
  forget_oldest_ended();
  return applied;
}

Result<TaskIndex> State::move(const TaskId& id, Change change, Time at) {
  const TaskIndex index = tasks_.find(id);
  if (index == kNoTask)
    return impossible("unknown task " + id.text() + " was " + std::string(to_string(change)));
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
      --queue.running;
      break;
    default:
      break;  // the table has no way out of an end
  }
}

void State::enter_state(TaskIndex index, bool to_front) {
  const Task& task = tasks_.at(index);
  QueueState& queue = queues_[static_cast<std::size_t>(task.queue)];
  switch (task.state) {
    case TaskState::kWaiting:
      timers_.emplace(task.changed_at, index);
      ++queue.waiting;
      queue.bytes += task.blob.length;
      break;
    case TaskState::kQueued:
      to_front ? queue.queued.push_front(tasks_, index) : queue.queued.push_back(tasks_, index);
      queue.bytes += task.blob.length;
      break;
    case TaskState::kRunning:
      ++queue.running;
      break;
    default:
      ended_.push_back(tasks_, index);
      ++ended_count_;
      break;
  }
}

void State::forget_oldest_ended() {
  while (ended_count_ > options_.ended_tasks_kept_max) {
    const TaskIndex oldest = ended_.first;
    ended_.remove(tasks_, oldest);
    tasks_.remove(oldest);
    --ended_count_;
  }
}

OwnerIndex State::intern_owner(const OwnerName& name) {
  const auto [found, is_new] =
      owners_by_name_.emplace(name, OwnerIndex{static_cast<std::uint32_t>(owners_.size())});
  if (is_new) owners_.push_back(name);
  return found->second;
}

void State::end_attempt(Task& task, Attempt attempt, Time at, const std::string& because) {
  if (attempt.number == 0 || !task.details) return;
  auto& attempts = task.details->attempts;
  if (attempts.empty() || attempts.back().attempt != attempt) return;
  attempts.back().ended_at = at;
  attempts.back().ended_because = because;
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
  task.last_sequence = sequence;
  return {index, std::move(event)};
}

}  // namespace assay::core
