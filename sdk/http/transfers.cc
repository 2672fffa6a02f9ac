#include "sdk/http/transfers.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "sdk/http/transfer.h"

namespace assay::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMaximum = 60'000;

}  // namespace

// Theory of operation. Callers leave orders under the mutex and wake the thread; the thread alone
// touches libcurl. A transfer leaves the map before its `done` is called, so that it is called
// once.
class Transfers::Loop {
 public:
  Loop() : multi_(curl_multi_init()), thread_([this] { run(); }) {}
  ~Loop() {
    order([this] { stop_ = true; });
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  Id start(Request request, Done done) {
    Order one;
    one.transfer = std::make_unique<Transfer>(std::move(request), true);
    one.done = std::move(done);
    Id id = 0;
    ++in_flight_;
    order([&] {
      id = one.id = ++last_id_;
      orders_.push_back(std::move(one));
    });
    return id;
  }
  void cancel(Id id) {
    order([&] { orders_.push_back({id, Verb::kCancel, nullptr, nullptr}); });
  }
  void resume(Id id) {
    order([&] { orders_.push_back({id, Verb::kResume, nullptr, nullptr}); });
  }
  std::size_t in_flight() const { return in_flight_; }

 private:
  enum class Verb { kStart, kCancel, kResume };
  struct Order {
    Id id = 0;
    Verb verb = Verb::kStart;
    std::unique_ptr<Transfer> transfer;
    Done done;
  };
  struct Running {
    std::unique_ptr<Transfer> transfer;
    Done done;
    // Wakes the loop when the request's own token is stopped.
    std::unique_ptr<std::stop_callback<std::function<void()>>> wake;
  };

  template <typename Change>
  void order(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    curl_multi_wakeup(multi_);
  }

  void run() {
    while (take_orders()) {
      int count = 0;
      curl_multi_perform(multi_, &count);
      collect();
      end_the_silent();
      curl_multi_poll(multi_, nullptr, 0, poll_time(), nullptr);
    }
    while (!running_.empty()) end(running_.begin()->first, Transfer::cancelled());
  }

  // False when it is over; what was never started is then told so.
  bool take_orders() {
    std::vector<Order> orders;
    bool stop = false;
    {
      const std::lock_guard lock(mutex_);
      orders.swap(orders_);
      stop = stop_;
    }
    for (Order& one : orders) {
      if (one.verb == Verb::kStart) {
        begin(std::move(one), stop);
      } else if (one.verb == Verb::kCancel) {
        end(one.id, Transfer::cancelled());
      } else if (const auto found = running_.find(one.id); found != running_.end()) {
        found->second.transfer->resume();
      }
    }
    return !stop;
  }

  void begin(Order one, bool stop) {
    Status status = stop ? Transfer::cancelled() : one.transfer->prepare();
    if (!status.is_ok()) {
      --in_flight_;
      return one.done(std::move(status));
    }
    const auto id = one.id;
    curl_easy_setopt(one.transfer->handle(), CURLOPT_PRIVATE, reinterpret_cast<void*>(id));
    curl_multi_add_handle(multi_, one.transfer->handle());
    Running running{std::move(one.transfer), std::move(one.done), nullptr};
    const std::stop_token token = running.transfer->request().cancel;
    if (token.stop_possible()) {
      running.wake = std::make_unique<std::stop_callback<std::function<void()>>>(
          token, [this, id] { cancel(id); });
    }
    running_.emplace(id, std::move(running));
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* id = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &id);
      const auto found = running_.find(reinterpret_cast<Id>(id));
      if (found == running_.end()) continue;
      const int code = message->data.result;
      end(found->first, found->second.transfer->finish(code));
    }
  }

  void end_the_silent() {
    const auto now = Clock::now();
    std::vector<Id> silent;
    for (const auto& [id, one] : running_) {
      if (one.transfer->silent(now)) silent.push_back(id);
    }
    for (const Id id : silent) end(id, running_.at(id).transfer->silence());
  }

  void end(Id id, Result<Response> result) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    Running one = std::move(found->second);
    running_.erase(found);
    curl_multi_remove_handle(multi_, one.transfer->handle());
    --in_flight_;
    one.done(std::move(result));
  }

  int poll_time() const {
    std::int64_t least = kPollMaximum;
    const auto now = Clock::now();
    for (const auto& [id, one] : running_) {
      const auto at = one.transfer->silent_at();
      if (at) least = std::min(least, std::chrono::ceil<Milliseconds>(*at - now).count());
    }
    return static_cast<int>(std::max<std::int64_t>(least, 0));
  }

  CURLM* multi_;
  std::mutex mutex_;
  std::vector<Order> orders_;
  Id last_id_ = 0;
  bool stop_ = false;
  std::atomic<std::size_t> in_flight_{0};
  std::map<Id, Running> running_;
  std::thread thread_;
};

Transfers::Transfers() : loop_(std::make_unique<Loop>()) {}
Transfers::~Transfers() = default;

Transfers::Id Transfers::start(Request request, Done done) {
  return loop_->start(std::move(request), std::move(done));
}
void Transfers::cancel(Id id) {
  loop_->cancel(id);
}
void Transfers::resume(Id id) {
  loop_->resume(id);
}
std::size_t Transfers::in_flight() const {
  return loop_->in_flight();
}

}  // namespace assay::http
