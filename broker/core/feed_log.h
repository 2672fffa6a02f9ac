// The latest events of the feed, bounded by count and bytes, for subscribers that missed some.
#ifndef ASSAY_BROKER_CORE_FEED_LOG_H_
#define ASSAY_BROKER_CORE_FEED_LOG_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "assay/message.h"
#include "assay/task.h"
#include "broker/core/limits.h"

namespace assay::core {

// What an event takes in an answer, about.
std::size_t answer_bytes_of(const FeedEvent& event);

class FeedLog {
 public:
  explicit FeedLog(const CoreOptions& options)
      : events_max_(options.events_kept_max), bytes_max_(options.event_bytes_kept_max) {}

  // Events come in the order of their sequence.
  void add(FeedEvent event);
  // The kept event with this number.
  std::optional<FeedEvent> find(std::uint64_t sequence) const;
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
  // What few events have.
  struct Rest {
    WorkerName worker;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string text;
  };
  // An event in a third of the bytes: hundreds of thousands are kept.
  struct Kept {
    std::uint64_t sequence = 0;
    std::uint64_t previous = 0;
    std::uint64_t previous_in_queue = 0;
    Time at{};
    TaskId task;
    Attempt attempt;
    std::uint16_t queue = 0;  // in queues_
    EventKind kind = EventKind::kState;
    TaskState state = TaskState::kQueued;
    std::unique_ptr<Rest> rest;
  };

  Kept kept_of(FeedEvent&& event);
  FeedEvent event_of(const Kept& kept) const;
  bool matches(const Kept& event, const EventsRequest& request) const;
  static std::size_t bytes_of(const Kept& kept);

  std::size_t events_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t let_go_through_ = 0;
  std::deque<Kept> events_;
  std::vector<QueueName> queues_;  // as many as the broker ever has
  std::unordered_map<QueueName, std::uint16_t> queue_numbers_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_FEED_LOG_H_
