// Puts the feed in order and finds what is missing from it. Pure: told of events from the feed and
// of answers to its questions, it says which events are next and what must be asked.
#ifndef ASSAY_SDK_PROGRESS_SEQUENCE_H_
#define ASSAY_SDK_PROGRESS_SEQUENCE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "assay/message.h"
#include "assay/task.h"

namespace assay::progress {

// Events held back behind a gap. What comes over it is dropped here, and fetched later.
inline constexpr std::size_t kHeldEventsMax = 10'000;
// Tasks of which a filtered subscriber remembers the last event.
inline constexpr std::size_t kSeenTasksMax = 65'536;

// What a subscriber follows: these tasks, or everything under a prefix of "queue/task-id/kind".
struct Filter {
  std::vector<TaskId> tasks = {};
  std::string topic_prefix = {};
  bool is_everything() const { return tasks.empty() && topic_prefix.empty(); }
  // The queue when all of one is followed; else empty.
  QueueName whole_queue() const {
    const bool whole = tasks.empty() && topic_prefix.find('/') == topic_prefix.size() - 1;
    return QueueName(whole ? topic_prefix.substr(0, topic_prefix.size() - 1) : std::string());
  }
};

// Theory of operation. Without a filter the feed's numbers have no holes, so a number left out is a
// gap. Where all of a queue is followed, each event names the one before it in the queue. With
// another filter, each event names the one before it of the same task: when that is later than the
// last we have seen of the task, and later than where we began, something is missing. What follows
// a gap is held back until the broker was asked for what it keeps, and both are merged. What the
// broker does not keep any more is counted as lost. A loss after the last event shows in no later
// one, so a silent feed is checked by asking too.
//
// The order is that of the sequence, and nothing comes twice. A filtered subscriber may learn that
// it missed an event of one task after it was given later ones of another: then only the order
// within each task holds. A broker that restarts may leave numbers out; one that lost its memory
// begins anew.
class Sequence {
 public:
  explicit Sequence(Filter filter);

  // Begins after this number: what comes later is ours, what lies at or before it is not.
  void begin(std::uint64_t after);
  void on_event(FeedEvent event);
  // Ask for what may be missing although nothing shows it.
  void check() { checking_ = true; }

  // What to ask the broker for now, if anything. One question is out at a time.
  std::optional<EventsRequest> question();
  void on_answer(const EventList& list);
  void on_no_answer();

  // The next event in order.
  std::optional<FeedEvent> take();
  // True when events are known to be missing, so that what follows them is held back.
  bool has_gap() const { return gap_; }
  // Events that were gone before they could be fetched; with a filter, how many gaps they left.
  std::uint64_t lost() const { return lost_; }

 private:
  enum class Asked { kNothing, kTasksWithGaps, kAll };
  struct Seen {
    std::uint64_t last = 0;
    bool ended = false;
  };

  // Is one number enough to know what was seen?
  bool is_one_chain() const { return filter_.is_everything() || !queue_.value.empty(); }
  std::uint64_t before_in_chain(const FeedEvent& event) const {
    return filter_.is_everything() ? event.sequence - 1 : event.previous_in_queue;
  }
  bool is_ours(const FeedEvent& event) const;
  bool is_seen(const FeedEvent& event) const;
  bool leaves_gap(const FeedEvent& event) const;
  bool is_confirmed(const FeedEvent& event) const;
  std::uint64_t last_of(const TaskId& task) const;
  void hold(FeedEvent&& event);
  void release();
  void deliver(FeedEvent event);
  void start_over();
  void forget_ended_tasks();

  Filter filter_;
  QueueName queue_;  // all of it is followed
  std::unordered_set<TaskId> tasks_;
  std::uint64_t complete_ = 0;  // nothing of ours at or below is missing
  std::uint64_t last_ = 0;      // of one chain: the highest delivered, or known not to be
  std::unordered_map<TaskId, Seen> seen_;  // with a filter
  std::uint64_t floor_ = 0;  // of a task not in seen_, what lies at or below is not missed

  std::map<std::uint64_t, FeedEvent> held_;
  std::deque<FeedEvent> ready_;
  bool gap_ = false;
  std::unordered_set<TaskId> gaps_;  // with a filter: tasks of which something is missing
  bool checking_ = false;

  Asked asked_ = Asked::kNothing;
  bool more_to_ask_ = false;
  std::uint64_t asked_after_ = 0;
  std::unordered_set<TaskId> asked_tasks_;
  std::uint64_t confirmed_to_ = 0;  // during an answer: what it does not hold up to here is lost
  std::uint64_t lost_ = 0;
};

}  // namespace assay::progress

#endif  // ASSAY_SDK_PROGRESS_SEQUENCE_H_
