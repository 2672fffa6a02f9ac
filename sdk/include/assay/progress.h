// The progress feed: every state change, progress report and log excerpt, in order and without
// holes.
#ifndef ASSAY_PROGRESS_H_
#define ASSAY_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  // Without `after`: give the latest event of each followed task first (of those that have not
  // ended, or are named in `tasks`), then what happens from now on.
  bool snapshot = false;
  Duration call_timeout{3000};
  std::string name = "libassay";                           // for the broker's logs
  std::function<void(std::string_view line)> notice = {};  // as in ClientOptions
  std::string key_file = {};                               // as in ClientOptions
  std::string server_key = {};
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

  // Fixes the point where it begins, so that nothing that happens afterwards is missed; subscribe,
  // start, then submit. next() does it when it has not been done. Errors: those of every call of a
  // Client.
  Status start();

  // The next event, or nothing when none came within `timeout` (a broker that is away may make it
  // longer by `call_timeout`). In the order of their sequence and never twice; with a filter the
  // order holds within each task. Errors: `broker_unreachable`, `no_answer` (retry_call) when it
  // cannot begin or a gap cannot be filled: call again, nothing is skipped; `invalid_endpoint`
  // (fix_input).
  Result<std::optional<FeedEvent>> next(Duration timeout);

  // How many events were gone before they could be fetched; with a filter, how many gaps they left.
  // A broker that restarts leaves numbers out, which count as events.
  std::uint64_t lost() const;

 private:
  class Feed;
  std::unique_ptr<Feed> feed_;
};

}  // namespace assay

#endif  // ASSAY_PROGRESS_H_
