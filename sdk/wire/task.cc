// Names of states, causes, outcomes and kinds: the same in logs, metrics, topics and documents.
#include "assay/task.h"

namespace assay {

std::string_view to_string(TaskState state) {
  switch (state) {
    case TaskState::kWaiting:
      return "waiting";
    case TaskState::kQueued:
      return "queued";
    case TaskState::kRunning:
      return "running";
    case TaskState::kSucceeded:
      return "succeeded";
    case TaskState::kFailed:
      return "failed";
    case TaskState::kDead:
      return "dead";
    case TaskState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::optional<TaskState> parse_task_state(std::string_view text) {
  for (int number = 0; number <= static_cast<int>(TaskState::kCancelled); ++number) {
    const auto state = static_cast<TaskState>(number);
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kNone:
      return "none";
    case Cause::kTask:
      return "task";
    case Cause::kInfrastructure:
      return "infrastructure";
    case Cause::kLimit:
      return "limit";
    case Cause::kSafety:
      return "safety";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return "succeeded";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kRetry:
      return "retry";
    case Outcome::kCancelled:
      return "cancelled";
    case Outcome::kSnooze:
      return "snooze";
    case Outcome::kHandOver:
      return "hand_over";
  }
  return "unknown";
}

std::string_view to_string(OnFailure choice) {
  return choice == OnFailure::kCancel ? "cancel" : "run";
}

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kState:
      return "state";
    case EventKind::kProgress:
      return "progress";
    case EventKind::kLog:
      return "log";
    case EventKind::kWorker:
      return "worker";
    case EventKind::kSafety:
      return "safety";
    case EventKind::kQueue:
      return "queue";
    case EventKind::kDead:
      return "dead";
  }
  return "unknown";
}

std::string FeedEvent::topic() const {
  return queue.value + "/" + task.text() + "/" + std::string(to_string(kind));
}

}  // namespace assay
