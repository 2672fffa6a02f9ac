#include "workers/report/webhook/courier.h"

#include <algorithm>

#include "sdk/artifacts/sha256.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/http/client.h"
#include "sdk/log/structured_log.h"

namespace assay::report {
namespace {

constexpr Duration kBackoffFirst{1000};
constexpr Duration kBackoffMax{3'600'000};
constexpr Duration kIdle{60'000};
constexpr std::size_t kAnswerBytesMax = 64U << 10;

}  // namespace

std::string signature(const std::string& secret, Time now, const std::string& body) {
  const std::string seconds = std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  return "t=" + seconds +
         ",v1=" + artifacts::hex(artifacts::hmac_sha256(secret, seconds + "." + body));
}

Delivery send_over_http(const Endpoint& endpoint, const Event& event, Time now) {
  Result<std::string> secret = config::read_file(endpoint.secret_file);
  if (!secret.is_ok()) return {0, secret.status().message(), std::nullopt};
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  http::Request request;
  request.method = "POST";
  request.url = endpoint.url;
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", "assay-report/" ASSAY_VERSION},
                     {"Assay-Event-Id", event.id},
                     {"Assay-Signature", signature(*secret, now, event.body)}};
  request.body = event.body;
  request.response_bytes_max = kAnswerBytesMax;
  request.timeouts.total = endpoint.timeout;
  request.redirects_max = 0;
  request.tls.ca_file = endpoint.ca_file;
  if (!endpoint.allow_private) {
    request.allow_address = [](const std::string& address, std::uint16_t) {
      return http::is_public_address(address);
    };
  }
  http::Client client;
  const Result<http::Response> response = client.perform(std::move(request));
  if (!response.is_ok()) return {0, response.status().message(), std::nullopt};
  return {response->status, "HTTP " + std::to_string(response->status), response->retry_after()};
}

bool Courier::over(const Delivery& delivery, Time now) const {
  // Gone: whoever owns the place does not want it any more.
  return delivery.status == 410 || now - first_try_ >= endpoint_.give_up_after;
}

Duration Courier::step(Time now) {
  while (true) {
    const std::optional<Event> event = spool_.first();
    if (!event) return kIdle;
    if (event->file != current_) {
      current_ = event->file;
      first_try_ = next_try_ = now;
      backoff_ = kBackoffFirst;
    }
    if (now < next_try_) return next_try_ - now;
    const Delivery delivery = send_(endpoint_, *event, now);
    const bool good = delivery.status >= 200 && delivery.status < 300;
    if (good || over(delivery, now)) {
      const Status settled = good ? spool_.delivered(*event) : spool_.give_up(*event);
      if (good) {
        log::info("webhook_delivered", {{"endpoint", endpoint_.name}, {"event", event->id}});
      } else {
        log::error(
            "webhook_undelivered",
            {{"endpoint", endpoint_.name}, {"event", event->id}, {"reason", delivery.words}});
      }
      if (!settled.is_ok()) return kBackoffFirst;
      continue;
    }
    const Duration wait =
        std::clamp(delivery.retry_after.value_or(backoff_), kBackoffFirst, kBackoffMax);
    log::warn("webhook_retried", {{"endpoint", endpoint_.name},
                                  {"event", event->id},
                                  {"reason", delivery.words},
                                  {"wait_ms", wait.count()}});
    next_try_ = now + wait;
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
    return wait;
  }
}

}  // namespace assay::report
