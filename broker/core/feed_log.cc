#include "broker/core/feed_log.h"

#include <algorithm>
#include <unordered_set>

namespace assay::core {

std::size_t answer_bytes_of(const FeedEvent& event) {
  return sizeof(FeedEvent) + event.text.size() + event.queue.value.size() +
         event.worker.value.size();
}

// But for the tasks, of which there may be many.
bool FeedLog::matches(const Kept& event, const EventsRequest& request) const {
  if (!request.queue.value.empty() && queues_[event.queue] != request.queue) return false;
  if (event.at < request.since) return false;
  return request.kinds.empty() ||
         std::find(request.kinds.begin(), request.kinds.end(), event.kind) != request.kinds.end();
}

std::size_t FeedLog::bytes_of(const Kept& kept) {
  return sizeof(Kept) + (kept.rest ? sizeof(Rest) + kept.rest->text.size() : 0);
}

FeedLog::Kept FeedLog::kept_of(FeedEvent&& event) {
  const auto [queue, is_new] =
      queue_numbers_.try_emplace(event.queue, static_cast<std::uint16_t>(queue_numbers_.size()));
  if (is_new) queues_.push_back(event.queue);
  Kept kept{.sequence = event.sequence,
            .previous = event.previous,
            .previous_in_queue = event.previous_in_queue,
            .at = event.at,
            .task = event.task,
            .attempt = event.attempt,
            .queue = queue->second,
            .kind = event.kind,
            .state = event.state,
            .rest = nullptr};
  const bool has_rest =
      !event.worker.value.empty() || event.done != 0 || event.total != 0 || !event.text.empty();
  if (has_rest) {
    kept.rest = std::make_unique<Rest>(Rest{.worker = std::move(event.worker),
                                            .done = event.done,
                                            .total = event.total,
                                            .text = std::move(event.text)});
  }
  return kept;
}

FeedEvent FeedLog::event_of(const Kept& kept) const {
  FeedEvent event;
  event.sequence = kept.sequence;
  event.previous = kept.previous;
  event.previous_in_queue = kept.previous_in_queue;
  event.at = kept.at;
  event.task = kept.task;
  event.attempt = kept.attempt;
  event.queue = queues_[kept.queue];
  event.kind = kept.kind;
  event.state = kept.state;
  if (kept.rest) {
    event.worker = kept.rest->worker;
    event.done = kept.rest->done;
    event.total = kept.rest->total;
    event.text = kept.rest->text;
  }
  return event;
}

void FeedLog::add(FeedEvent event) {
  ASSAY_ASSERT(events_.empty() || events_.back().sequence < event.sequence);
  events_.push_back(kept_of(std::move(event)));
  bytes_ += bytes_of(events_.back());
  while (events_.size() > events_max_ || (bytes_ > bytes_max_ && events_.size() > 1)) {
    bytes_ -= bytes_of(events_.front());
    if (events_.front().kind == EventKind::kState) let_go_through_ = events_.front().sequence;
    events_.pop_front();
  }
}

std::string FeedLog::last_progress_text(const TaskId& task, Attempt attempt) const {
  const auto is_wanted = [&](const Kept& event) {
    return event.kind == EventKind::kProgress && event.task == task && event.attempt == attempt;
  };
  const auto last = std::find_if(events_.rbegin(), events_.rend(), is_wanted);
  return last == events_.rend() || !last->rest ? std::string() : last->rest->text;
}

std::optional<FeedEvent> FeedLog::find(std::uint64_t sequence) const {
  const auto found = std::lower_bound(
      events_.begin(), events_.end(), sequence,
      [](const Kept& event, std::uint64_t number) { return event.sequence < number; });
  if (found == events_.end() || found->sequence != sequence) return std::nullopt;
  return event_of(*found);
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
      [](std::uint64_t after, const Kept& candidate) { return after < candidate.sequence; });
  std::size_t bytes = 0;
  for (; event != events_.end(); ++event) {
    if (!wanted.empty() && !wanted.contains(event->task)) continue;
    if (!matches(*event, request)) continue;
    if (reply.events.size() == limit || bytes > kResultBytesPerPushMax) {
      reply.complete = false;
      break;
    }
    reply.events.push_back(event_of(*event));
    bytes += answer_bytes_of(reply.events.back());
  }
  return reply;
}

}  // namespace assay::core
