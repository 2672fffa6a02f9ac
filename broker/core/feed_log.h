// The latest events of the feed, bounded by count and bytes, for subscribers that missed some.
#ifndef ASSAY_BROKER_CORE_FEED_LOG_H_
#define ASSAY_BROKER_CORE_FEED_LOG_H_

#include <cstdint>
#include <deque>

#include "assay/message.h"
#include "assay/task.h"
#include "broker/core/limits.h"

namespace assay::core {

class FeedLog {
 public:
  explicit FeedLog(const CoreOptions& options)
      : events_max_(options.events_kept_max), bytes_max_(options.event_bytes_kept_max) {}

  // Events come in the order of their sequence.
  void add(FeedEvent event);
  // What the worker of this attempt said last of its progress; empty when nothing is kept of it.
  std::string last_progress_text(const TaskId& task, Attempt attempt) const;
  // The kept events that `request` asks for; `newest` is the broker's latest sequence, kept or not.
  EventList answer(const EventsRequest& request, std::uint64_t newest) const;
  // The oldest event that is kept; 0: there is none.
  std::uint64_t oldest() const { return events_.empty() ? 0 : events_.front().sequence; }
  // The latest change of a task's state that is not kept any more; 0: there was none. The history
  // has it, once it has come so far.
  std::uint64_t let_go_through() const { return let_go_through_; }

 private:
  std::size_t events_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t let_go_through_ = 0;
  std::deque<FeedEvent> events_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_FEED_LOG_H_
