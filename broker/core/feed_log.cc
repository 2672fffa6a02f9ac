#include "broker/core/feed_log.h"

#include <algorithm>
#include <unordered_set>

namespace assay::core {
namespace {

std::size_t bytes_of(const FeedEvent& event) {
  return sizeof(FeedEvent) + event.text.size() + event.queue.value.size() +
         event.worker.value.size();
}

}  // namespace

void FeedLog::add(FeedEvent event) {
  ASSAY_ASSERT(events_.empty() || events_.back().sequence < event.sequence);
  bytes_ += bytes_of(event);
  events_.push_back(std::move(event));
  while (events_.size() > events_max_ || (bytes_ > bytes_max_ && events_.size() > 1)) {
    bytes_ -= bytes_of(events_.front());
    if (events_.front().kind == EventKind::kState) let_go_through_ = events_.front().sequence;
    events_.pop_front();
  }
}

std::string FeedLog::last_progress_text(const TaskId& task, Attempt attempt) const {
  const auto is_wanted = [&](const FeedEvent& event) {
    return event.kind == EventKind::kProgress && event.task == task && event.attempt == attempt;
  };
  const auto last = std::find_if(events_.rbegin(), events_.rend(), is_wanted);
  return last == events_.rend() ? std::string() : last->text;
}

EventList FeedLog::answer(const EventsRequest& request, std::uint64_t newest) const {
  EventList reply;
  reply.request = request.request;
  reply.newest = newest;
  reply.oldest = events_.empty() ? newest + 1 : events_.front().sequence;
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kEventsPerReplyMax);
  const std::unordered_set<TaskId> wanted(request.tasks.begin(), request.tasks.end());
  auto event = std::upper_bound(
      events_.begin(), events_.end(), request.after,
      [](std::uint64_t after, const FeedEvent& candidate) { return after < candidate.sequence; });
  std::size_t bytes = 0;
  for (; event != events_.end(); ++event) {
    if (!wanted.empty() && !wanted.contains(event->task)) continue;
    if (reply.events.size() == limit || bytes > kResultBytesPerPushMax) {
      reply.complete = false;
      break;
    }
    bytes += bytes_of(*event);
    reply.events.push_back(*event);
  }
  return reply;
}

}  // namespace assay::core
