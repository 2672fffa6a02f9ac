// REPORT and PROGRESS: what workers say of the attempts they hold. A report counts once, and only
// from the current attempt in the hands of the worker that holds it.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::on_message(PeerId peer, Report&& report) {
  WorkerSession& session = *sessions_.worker(peer);
  Recorded reply;
  for (TaskReport& item : report.reports) {
    const HeldAttempt which{item.id, item.attempt};
    (accept(session, item) ? reply.recorded : reply.stale).push_back(which);
  }
  counters_.stale_reports += reply.stale.size();
  send(peer, std::move(reply));
}

bool BrokerCore::accept(const WorkerSession& session, TaskReport& report) {
  const TaskIndex index = state_.tasks().find(report.id);
  if (index == kNoTask) return false;
  const Task& task = state_.tasks().at(index);
  if (report.attempt.number == 0 || task.attempt != report.attempt.number) return false;
  const auto& attempts = task.details->attempts;
  // The answer to a report that was recorded may have been lost: say so again.
  if (is_ended(task.state)) return task.ended_by_report && attempts.back().worker == session.name;
  if (task.state != TaskState::kRunning) return false;
  const auto held = session.held.find(index);
  if (held == session.held.end()) return false;
  finish(index, report);
  return true;
}

void BrokerCore::finish(TaskIndex index, TaskReport& report) {
  const Task& task = state_.tasks().at(index);
  clean(report);
  const bool ran = report.outcome == Outcome::kSucceeded || report.outcome == Outcome::kFailed;
  if (ran) service_times_[task.queue].add(now_ - task.details->attempts.back().started_at);
  switch (report.outcome) {
    case Outcome::kSucceeded:
      clear_suspicion(task);
      return end_task(index, TaskState::kSucceeded, Cause::kNone, {}, &report);
    case Outcome::kCancelled:
      if (!task.cancel_requested)
        return lose(index, "stopped by its worker", /*counts_as_loss=*/false);
      return end_task(index, TaskState::kCancelled, Cause::kNone, task.details->reason, &report);
    case Outcome::kFailed:
      if (report.cause == Cause::kInfrastructure) return retry(index, report);
      return end_task(index, TaskState::kFailed,
                      report.cause == Cause::kNone ? Cause::kTask : report.cause, report.reason,
                      &report);
    case Outcome::kRetry:
      if (report.cause == Cause::kSafety)  // a stopped task is never run again
        return end_task(index, TaskState::kFailed, Cause::kSafety, report.reason, &report);
      return retry(index, report);
    case Outcome::kSnooze:
    case Outcome::kHandOver:
      return give_back(index, report);
  }
}

// What a worker says is taken as far as it makes sense: a hostile one harms itself.
void BrokerCore::clean(TaskReport& report) {
  if (report.reason.size() > kTextBytesMax) report.reason.resize(kTextBytesMax);
  std::erase_if(report.artifacts, [](const auto& hash) { return !is_artifact_hash(hash); });
  if (report.artifacts.size() > kArtifactsPerTaskMax) report.artifacts.resize(kArtifactsPerTaskMax);
  for (double* amount : {&report.usage.cpu_seconds, &report.usage.memory_byte_seconds,
                         &report.usage.gpu_seconds, &report.usage.wall_seconds}) {
    if (!(*amount >= 0 && *amount <= kUsageMax)) *amount = 0;  // NaN too
  }
}

void BrokerCore::retry(TaskIndex index, TaskReport& report) {
  const Task& task = state_.tasks().at(index);
  const bool infrastructure = report.cause == Cause::kInfrastructure;
  if (task.cancel_requested) {
    return end_task(index, TaskState::kCancelled, Cause::kNone, task.details->reason, &report);
  }
  if (infrastructure && task.losses + 1U >= options_.losses_max) {
    report.result.clear();  // a dead task keeps its body
    report.artifacts.clear();
    return end_task(index, TaskState::kDead, Cause::kInfrastructure,
                    "lost " + std::to_string(task.losses + 1U) +
                        " times to infrastructure, the last time: " + report.reason,
                    &report);
  }
  if (!infrastructure && task.attempts_counted + 1 >= task.max_attempts) {
    return end_task(index, TaskState::kFailed,
                    report.cause == Cause::kNone ? Cause::kTask : report.cause,
                    "attempts used up (" + std::to_string(task.max_attempts) +
                        "), the last said: " + report.reason,
                    &report);
  }
  const std::uint32_t tries = infrastructure ? task.losses + 1U : task.attempts_counted + 1;
  const Duration delay =
      report.delay > Duration(0) ? std::min(report.delay, kRetryDelayMax) : backoff_of(task, tries);
  end_attempt(index, report, delay);
}

// Neither an end nor a try: later, or elsewhere under the same attempt.
void BrokerCore::give_back(TaskIndex index, TaskReport& report) {
  const Task& task = state_.tasks().at(index);
  if (task.cancel_requested) {
    return end_task(index, TaskState::kCancelled, Cause::kNone, task.details->reason, &report);
  }
  const bool goes_on = report.outcome == Outcome::kHandOver;
  if (goes_on) ++counters_.handed_over;
  if (report.reason.empty()) report.reason = goes_on ? "handed over by its worker" : "not now";
  report.cause = Cause::kNone;
  end_attempt(index, report,
              goes_on ? Duration(0) : std::clamp(report.delay, kSnoozeDelayMin, kRetryDelayMax));
}

void BrokerCore::end_attempt(TaskIndex index, const TaskReport& report, Duration delay) {
  release(index);
  const bool is_try = report.outcome == Outcome::kRetry || report.outcome == Outcome::kFailed;
  const bool infrastructure = report.cause == Cause::kInfrastructure;
  commit(AttemptEnded{.sequence = next_sequence(),
                      .id = state_.tasks().at(index).id,
                      .at = now_,
                      .attempt = report.attempt,
                      .cause = report.cause,
                      .counts_as_loss = is_try && infrastructure,
                      .counts_as_attempt = is_try && !infrastructure,
                      .ready_at = now_ + delay,
                      .because = report.reason,
                      .handed_over = report.outcome == Outcome::kHandOver,
                      .usage = report.usage});
}

void BrokerCore::on_message(PeerId peer, Progress&& progress) {
  const WorkerSession& session = *sessions_.worker(peer);
  for (ProgressReport& report : progress.reports) {
    const TaskIndex index = state_.tasks().find(report.id);
    if (index == kNoTask) continue;
    const auto held = session.held.find(index);
    // What a worker may tell; the other kinds are the broker's own word.
    if (report.kind != EventKind::kProgress && report.kind != EventKind::kLog &&
        report.kind != EventKind::kSafety)
      continue;
    // What a lost attempt still says is nobody's progress.
    if (held == session.held.end() || held->second.attempt != report.attempt) continue;
    const Task& task = state_.tasks().at(index);
    FeedEvent event;
    event.sequence = state_.take_sequence();
    event.previous = task.last_sequence;
    event.at = now_;
    event.kind = report.kind;
    event.queue = state_.queue(task.queue).name;
    event.task = task.id;
    event.attempt = report.attempt;
    event.state = task.state;
    event.worker = session.name;
    event.done = report.done;
    event.total = report.total;
    if (report.text.size() > kTextBytesMax) report.text.resize(kTextBytesMax);
    event.text = std::move(report.text);
    state_.note_event(index, event.sequence);
    publish(std::move(event));
  }
}

}  // namespace assay::core
