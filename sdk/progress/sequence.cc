#include "sdk/progress/sequence.h"

#include <algorithm>
#include <utility>

namespace assay::progress {
namespace {

constexpr std::uint32_t kEventsAtOnce = 1000;

}  // namespace

Sequence::Sequence(Filter filter)
    : filter_(std::move(filter)),
      queue_(filter_.whole_queue()),
      tasks_(filter_.tasks.begin(), filter_.tasks.end()) {}

void Sequence::begin(std::uint64_t after) {
  complete_ = last_ = floor_ = after;
}

bool Sequence::is_ours(const FeedEvent& event) const {
  if (!tasks_.empty() && !tasks_.contains(event.task)) return false;
  return filter_.topic_prefix.empty() || event.topic().starts_with(filter_.topic_prefix);
}

std::uint64_t Sequence::last_of(const TaskId& task) const {
  const auto found = seen_.find(task);
  return found == seen_.end() ? floor_ : found->second.last;
}

bool Sequence::is_seen(const FeedEvent& event) const {
  return event.sequence <= (is_one_chain() ? last_ : last_of(event.task));
}

bool Sequence::leaves_gap(const FeedEvent& event) const {
  if (is_one_chain()) return before_in_chain(event) > last_;
  // A worker's coming and going belongs to no task.
  return event.kind != EventKind::kWorker && event.previous > last_of(event.task);
}

// The answer being merged would hold what is missing before the event, if it were still kept.
bool Sequence::is_confirmed(const FeedEvent& event) const {
  if (is_one_chain()) return before_in_chain(event) <= confirmed_to_;
  return event.previous <= confirmed_to_ &&
         (asked_ == Asked::kAll || asked_tasks_.contains(event.task));
}

void Sequence::on_event(FeedEvent event) {
  if (!is_ours(event) || is_seen(event)) return;
  if (held_.size() >= kHeldEventsMax) {
    checking_ = true;
    return;
  }
  hold(std::move(event));
  release();
}

void Sequence::hold(FeedEvent&& event) {
  const std::uint64_t sequence = event.sequence;
  held_.try_emplace(sequence, std::move(event));
}

// Delivers what is held up to the first gap that is not known to be a loss.
void Sequence::release() {
  gap_ = false;
  while (!held_.empty()) {
    const FeedEvent& event = held_.begin()->second;
    if (!is_seen(event)) {
      if (leaves_gap(event)) {
        if (!is_confirmed(event)) {
          gap_ = true;
          gaps_.insert(event.task);
          return;
        }
        if (!is_one_chain()) ++lost_;
      }
      deliver(std::move(held_.begin()->second));
    }
    held_.erase(held_.begin());
  }
}

void Sequence::deliver(FeedEvent event) {
  if (is_one_chain()) {
    last_ = event.sequence;
  } else {
    Seen& seen = seen_[event.task];
    seen.last = event.sequence;
    if (event.kind == EventKind::kState) seen.ended = is_ended(event.state);
    if (seen_.size() > kSeenTasksMax) forget_ended_tasks();
  }
  ready_.push_back(std::move(event));
}

void Sequence::forget_ended_tasks() {
  std::erase_if(seen_, [this](const auto& entry) {
    if (!entry.second.ended) return false;
    floor_ = std::max(floor_, entry.second.last);
    return true;
  });
}

std::optional<FeedEvent> Sequence::take() {
  if (ready_.empty()) return std::nullopt;
  FeedEvent event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

std::optional<EventsRequest> Sequence::question() {
  EventsRequest request;
  request.limit = kEventsAtOnce;
  request.queue = queue_;
  if (!more_to_ask_) {
    if (!gap_ && !checking_) return std::nullopt;
    asked_tasks_.clear();
    if (is_one_chain()) {
      asked_ = Asked::kAll;
      asked_after_ = last_;
    } else if (gap_ && !checking_) {
      asked_ = Asked::kTasksWithGaps;
      asked_tasks_ = gaps_;
      asked_after_ = UINT64_MAX;
      for (const TaskId& task : gaps_) asked_after_ = std::min(asked_after_, last_of(task));
    } else {
      asked_ = Asked::kAll;
      asked_tasks_ = tasks_;
      asked_after_ = complete_;
      if (!tasks_.empty()) {
        std::uint64_t oldest = UINT64_MAX;
        for (const TaskId& task : tasks_) oldest = std::min(oldest, last_of(task));
        asked_after_ = std::max(asked_after_, oldest);
      }
    }
  }
  request.after = asked_after_;
  request.tasks.assign(asked_tasks_.begin(), asked_tasks_.end());
  return request;
}

void Sequence::on_answer(const EventList& list) {
  if (list.newest < asked_after_) return start_over();
  // Who begins with everything that is kept misses nothing that is not.
  const bool from_oldest = asked_after_ == 0;
  if (!more_to_ask_ && !from_oldest && is_one_chain() && list.oldest > asked_after_ + 1) {
    const std::uint64_t gone = std::min(list.oldest - 1, list.newest) - asked_after_;
    lost_ += filter_.is_everything() ? gone : std::min<std::uint64_t>(gone, 1);
  }
  for (const FeedEvent& event : list.events) {
    if (is_ours(event) && !is_seen(event)) hold(FeedEvent(event));
  }
  more_to_ask_ = !list.complete && !list.events.empty();
  confirmed_to_ = more_to_ask_ ? list.events.back().sequence : list.newest;
  release();
  if (is_one_chain()) last_ = std::max(last_, confirmed_to_);
  asked_after_ = is_one_chain() ? last_ : confirmed_to_;
  confirmed_to_ = 0;
  if (more_to_ask_) return;
  if (asked_ == Asked::kAll) {
    complete_ = std::max(complete_, list.newest);
    floor_ = std::max(floor_, list.newest);
    checking_ = false;
  }
  gaps_.clear();
  asked_ = Asked::kNothing;
  release();  // what is held may show another gap, of another task
}

// Asked again from the start: what was merged so far is known and does not come twice.
void Sequence::on_no_answer() {
  asked_ = Asked::kNothing;
  more_to_ask_ = false;
}

// The broker's numbers lie below what it has told before: it lost its memory. All it has is new.
void Sequence::start_over() {
  begin(0);
  seen_.clear();
  gaps_.clear();
  asked_ = Asked::kNothing;
  more_to_ask_ = false;
  checking_ = true;
}

}  // namespace assay::progress
