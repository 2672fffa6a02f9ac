// The progress feed: every state change, progress report and log excerpt, in order and without
// holes.
#ifndef ASSAY_PROGRESS_H_
#define ASSAY_PROGRESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

struct SubscriberOptions {
  std::string feed_endpoint = "tcp://127.0.0.1:5557";
  std::string broker_endpoint = "tcp://127.0.0.1:5555";  // asked for what was missed
  // Tasks to follow; empty follows everything under `topic_prefix`.
  std::vector<TaskId> tasks = {};
  std::string topic_prefix = {};  // "eval/" or "eval/01H.../"; empty: all
  // Begin after this sequence: 0 for everything that is kept, nothing for what comes from now on.
  std::optional<std::uint64_t> after = std::nullopt;
  Duration call_timeout{3000};
};

// A subscriber that joins late, drops messages, or sees the broker restart notices the gap in the
// sequence and fetches what it missed; what is no longer kept is counted in `lost`.
//
// Thread: one at a time.
class Subscriber {
 public:
  explicit Subscriber(SubscriberOptions options);
  ~Subscriber();
  Subscriber(Subscriber&&) noexcept;
  Subscriber& operator=(Subscriber&&) noexcept;

  // The next event, or nothing when none came within `timeout`.
  // Errors: `broker_unreachable` (retry_call) when a gap could not be filled; call again.
  Result<std::optional<FeedEvent>> next(Duration timeout);

  // Events that were gone before they could be fetched.
  std::uint64_t lost() const;

 private:
  class Feed;
  std::unique_ptr<Feed> feed_;
};

}  // namespace assay

#endif  // ASSAY_PROGRESS_H_
