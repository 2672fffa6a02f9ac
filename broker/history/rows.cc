#include "broker/history/rows.h"

#include <algorithm>

namespace assay::history {

std::vector<StoryEvent> events_of(const TaskStory& story) {
  const TaskRow& task = story.task;
  std::vector<StoryEvent> events;
  events.push_back({.at = task.submitted_at, .state = TaskState::kQueued});
  for (const AttemptRow& attempt : story.attempts) {
    events.push_back({.at = attempt.started_at,
                      .state = TaskState::kRunning,
                      .attempt = attempt.attempt,
                      .worker = attempt.worker});
    if (!attempt.ended_at || !attempt.ready_at) continue;  // it runs, or the task's end tells it
    const bool delayed = *attempt.ready_at > *attempt.ended_at;
    events.push_back({.at = *attempt.ended_at,
                      .state = delayed ? TaskState::kWaiting : TaskState::kQueued,
                      .attempt = attempt.attempt,
                      .worker = attempt.worker,
                      .text = attempt.ended_because});
  }
  if (task.cancel_requested_at) {
    events.push_back({.at = *task.cancel_requested_at,
                      .state = TaskState::kRunning,
                      .attempt = Attempt{task.attempts},
                      .text = "cancel requested"});
  }
  if (task.ended_at) {
    events.push_back({.at = *task.ended_at,
                      .state = task.state,
                      .attempt = Attempt{task.attempts},
                      .text = task.reason});
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const StoryEvent& a, const StoryEvent& b) { return a.at < b.at; });
  return events;
}

}  // namespace assay::history
