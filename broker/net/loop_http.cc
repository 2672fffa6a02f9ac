// What the loop answers over HTTP: health, metrics, and queues as scalers read them.
#include "broker/net/loop.h"

namespace assay::net {

HttpResponse Loop::answer(const std::string& path) const {
  static const std::string kQueues = "/v1/queues";
  if (path == "/healthz") return {.content_type = "text/plain", .body = "alive\n"};
  // The sockets are bound and the journal is recovered before the first request can be answered.
  if (path == "/readyz" && !failure_.is_ok())
    return {.status = 503, .content_type = "text/plain", .body = failure_.to_string() + "\n"};
  if (path == "/readyz") {
    return {.content_type = "text/plain",
            .body = space_.is_ok() ? "ready\n"
                                   : "ready, but takes nothing new: " + space_.to_string() + "\n"};
  }
  if (path == "/metrics") {
    HttpResponse metrics{
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
        .body = prometheus_text(core_, measured_, storage_.counters(), clock_.now())};
    if (history_ != nullptr && history_->writer() != nullptr)
      metrics.body += prometheus_text(history_->writer()->counters());
    return metrics;
  }
  if (path == kQueues || path == kQueues + "/")
    return {.body = queues_json(core_.queue_infos(clock_.now()))};
  if (path.starts_with(kQueues + "/")) {
    for (const QueueInfo& queue : core_.queue_infos(clock_.now())) {
      if (path.substr(kQueues.size() + 1) == queue.name.value)
        return {.body = queue_json(queue) + "\n"};
    }
    return {.status = 404, .body = "{\"error\":\"there is no such queue; see /v1/queues\"}\n"};
  }
  return {.status = 404,
          .body =
              "{\"error\":\"served here: /healthz, /readyz, /metrics, /v1/queues, "
              "/v1/queues/NAME\"}\n"};
}

}  // namespace assay::net
