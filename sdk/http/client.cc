#include "sdk/http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "sdk/http/transfer.h"

namespace assay::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMaximum = 60'000;

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using Multi = std::unique_ptr<CURLM, FreeMulti>;

int poll_time(const Transfer& transfer) {
  const auto at = transfer.silent_at();
  if (!at) return kPollMaximum;
  const auto left = std::chrono::ceil<Milliseconds>(*at - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kPollMaximum));
}

// Until libcurl says how it ended; nothing when it was cancelled or fell silent.
std::optional<int> run(CURLM* multi, const Transfer& transfer) {
  while (!transfer.request().cancel.stop_requested() && !transfer.silent(Clock::now())) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    curl_multi_poll(multi, nullptr, 0, poll_time(transfer), nullptr);
  }
  return std::nullopt;
}

}  // namespace

// Idle connections, each set in the hands of one request at a time.
class Client::Connections {
 public:
  Multi take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Multi(curl_multi_init());
    Multi out = std::move(idle_.back());
    idle_.pop_back();
    return out;
  }
  void give_back(Multi multi) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(multi));
  }

 private:
  std::mutex mutex_;
  std::vector<Multi> idle_;
};

Client::Client() : connections_(std::make_unique<Connections>()) {}
Client::~Client() = default;

Result<Response> Client::perform(Request request) {
  Transfer transfer(std::move(request), false);
  const Status prepared = transfer.prepare();
  if (!prepared.is_ok()) return prepared;
  Multi multi = connections_->take();
  if (!multi) return internal_error("http_no_memory", "no request can be made now");
  curl_multi_add_handle(multi.get(), transfer.handle());
  std::optional<int> code;
  {
    const std::stop_callback wake(transfer.request().cancel,
                                  [&multi] { curl_multi_wakeup(multi.get()); });
    code = run(multi.get(), transfer);
  }
  Result<Response> result = Transfer::cancelled();
  if (code) {
    result = transfer.finish(*code);
  } else if (!transfer.request().cancel.stop_requested()) {
    result = transfer.silence();
  }
  curl_multi_remove_handle(multi.get(), transfer.handle());
  connections_->give_back(std::move(multi));
  return result;
}

}  // namespace assay::http
