#include "workers/eval/executor/kubernetes/api.h"

#include <nlohmann/json.hpp>

#include "sdk/log/structured_log.h"

namespace assay::eval::kubernetes {
namespace {

std::string code_of(const Result<http::Response>& result) {
  return result.is_ok() ? std::to_string(result->status) : result.status().reason();
}

}  // namespace

struct Api::Call {
  ApiRequest request;
  Done done;
  Instant began = Loop::Clock::now();
  std::uint32_t tries = 0;
  bool token_renewed = false;
  bool paid = false;  // has its place in the rate
};

Api::Api(Loop& loop, http::Transfers& transfers, ClusterAccess access, ApiLimits limits,
         metrics::Registry& metrics, std::string cluster)
    : loop_(loop),
      transfers_(transfers),
      access_(std::move(access)),
      limits_(limits),
      metrics_(metrics),
      cluster_(std::move(cluster)),
      tokens_(access_),
      writes_(limits.writes_per_second, limits.writes_burst),
      deletes_(limits.writes_per_second, limits.writes_burst),
      dice_(std::random_device()()) {}

void Api::call(ApiRequest request, Done done) {
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->done = std::move(done);
  if (call->request.patience.count() == 0) call->request.patience = limits_.patience;
  attempt(call);
}

http::Request Api::signed_request(const std::string& path) {
  http::Request out;
  out.url = access_.server + path;
  out.tls = access_.tls;
  out.bearer_token = tokens_.token();
  out.headers = {{"Accept", "application/json"}};
  return out;
}

void Api::attempt(const std::shared_ptr<Call>& call) {
  const auto now = Loop::Clock::now();
  if (!call->paid && call->request.method != "GET") {
    call->paid = true;
    TokenBucket& bucket = call->request.method == "DELETE" ? deletes_ : writes_;
    const Milliseconds wait = bucket.take(now);
    if (wait.count() > 0) return loop_.post_after(wait, [this, call] { attempt(call); });
  }
  const Milliseconds wait = breaker_.wait(now);
  if (wait.count() > 0) {
    if (now - call->began > call->request.patience) {
      return call->done(
          retry_later("kube_unavailable", "the cluster " + cluster_ + " does not answer just now"));
    }
    return loop_.post_after(wait, [this, call] { attempt(call); });
  }
  http::Request request = signed_request(call->request.path);
  request.method = call->request.method;
  request.body = call->request.body;
  request.timeouts.total = limits_.request_timeout;
  request.response_bytes_max = 64U << 20;
  if (!request.body.empty())
    request.headers.emplace_back("Content-Type", call->request.content_type);
  const std::string token = request.bearer_token;
  // On the transfers' thread only the loop is known to be there.
  Loop& loop = loop_;
  transfers_.start(std::move(request),
                   [this, &loop, call, now, token](Result<http::Response> result) {
                     loop.post([this, call, now, token, result = std::move(result)]() mutable {
                       count(call->request.verb, call->request.resource, result, now);
                       if (result.is_ok() && result->status == 401 && !call->token_renewed) {
                         call->token_renewed = true;
                         if (tokens_.refused(token)) return attempt(call);
                       }
                       on_end(call, std::move(result));
                     });
                   });
}

void Api::on_end(const std::shared_ptr<Call>& call, Result<http::Response> result) {
  if (!result.is_ok()) {
    note_health(false);
    return again(call, backoff(call->tries), result.status().message());
  }
  const unsigned int status = result->status;
  note_health(status < 500);
  if (status == 429 || status >= 500) {
    const auto asked = result->retry_after();
    const Milliseconds wait = std::max(asked.value_or(Milliseconds(0)), backoff(call->tries));
    const ApiComplaint complaint = complaint_of(*result);
    return again(call, wait, "HTTP " + std::to_string(status) + " " + complaint.message);
  }
  if (status == 401 || status == 403) {
    return call->done(fix_input("kube_refused", "the cluster " + cluster_ + " answered " +
                                                    std::to_string(status) + ": " +
                                                    complaint_of(*result).message));
  }
  call->done(std::move(result));
}

void Api::again(const std::shared_ptr<Call>& call, Milliseconds delay, const std::string& why) {
  ++call->tries;
  if (Loop::Clock::now() + delay - call->began > call->request.patience) {
    return call->done(retry_later("kube_unavailable", "the cluster " + cluster_ + " could not " +
                                                          call->request.verb + " " +
                                                          call->request.resource + ": " + why));
  }
  loop_.post_after(delay, [this, call] { attempt(call); });
}

Api::StreamId Api::stream(ApiStream stream) {
  http::Request request = signed_request(stream.path);
  request.timeouts.silence = stream.silence;
  Loop& loop = loop_;
  request.on_body = [&loop, on_bytes = stream.on_bytes](const http::Response&,
                                                        std::string_view bytes) {
    loop.post([on_bytes, text = std::string(bytes)]() mutable { on_bytes(std::move(text)); });
    return http::Flow::kContinue;
  };
  const auto began = Loop::Clock::now();
  const std::string token = request.bearer_token;
  return transfers_.start(std::move(request), [this, &loop, stream = std::move(stream), began,
                                               token](Result<http::Response> result) {
    // The last ones end with the transfers, when this Api is gone and the loop runs nothing more.
    loop.post([this, stream, began, token, result = std::move(result)]() mutable {
      count(stream.verb, stream.resource, result, began);
      if (result.is_ok() && result->status == 401) tokens_.refused(token);
      stream.done(std::move(result));
    });
  });
}

Milliseconds Api::backoff(std::uint32_t tries) {
  auto wait = limits_.backoff_first * (1U << std::min(tries, 10U));
  wait = std::min<Milliseconds>(wait, limits_.backoff_last);
  std::uniform_real_distribution<double> jitter(0.5, 1.0);
  return Milliseconds(
      static_cast<Milliseconds::rep>(static_cast<double>(wait.count()) * jitter(dice_)));
}

void Api::note_health(bool healthy) {
  const bool was_open = breaker_.open();
  if (healthy) {
    breaker_.on_success();
  } else {
    breaker_.on_failure(Loop::Clock::now());
  }
  if (was_open == breaker_.open()) return;
  metrics_.set("assay_kube_circuit_open", {{"cluster", cluster_}}, breaker_.open() ? 1 : 0);
  log::warn(breaker_.open() ? "cluster_away" : "cluster_back", {{"cluster", cluster_}});
}

void Api::count(const std::string& verb, const std::string& resource,
                const Result<http::Response>& result, Instant began) {
  metrics_.add("assay_kube_requests_total",
               {{"verb", verb}, {"resource", resource}, {"code", code_of(result)}});
  if (verb == "watch" || verb == "log") return;
  const std::chrono::duration<double> time = Loop::Clock::now() - began;
  metrics_.observe("assay_kube_request_seconds", time.count());
}

ApiComplaint complaint_of(const http::Response& response) {
  const nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
  ApiComplaint out;
  if (!body.is_object()) {
    out.message = response.body.substr(0, 200);
    return out;
  }
  if (const auto found = body.find("reason"); found != body.end() && found->is_string()) {
    out.reason = *found;
  }
  if (const auto found = body.find("message"); found != body.end() && found->is_string()) {
    out.message = found->get<std::string>().substr(0, 1000);
  }
  return out;
}

}  // namespace assay::eval::kubernetes
