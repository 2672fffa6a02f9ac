// Requests to one cluster's API: signed, limited in rate, repeated when the server is in trouble,
// and counted. All of it on the cluster's loop; a request that waits costs no thread.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_API_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_API_H_

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "assay/status.h"
#include "sdk/http/request.h"
#include "sdk/http/transfers.h"
#include "sdk/metrics/registry.h"
#include "workers/eval/executor/kubernetes/credentials.h"
#include "workers/eval/executor/kubernetes/loop.h"
#include "workers/eval/executor/kubernetes/pressure.h"

namespace assay::eval::kubernetes {

struct ApiLimits {
  double writes_per_second = 20;
  double writes_burst = 40;
  Milliseconds patience{60'000};         // how long one request is repeated
  Milliseconds request_timeout{20'000};  // of one try
  Milliseconds backoff_first{200};
  Milliseconds backoff_last{10'000};
};

struct ApiRequest {
  std::string verb;      // create, get, delete, list, patch: for metrics
  std::string resource;  // jobs, pods, ...: for metrics
  std::string method = "GET";
  std::string path;  // with its query
  std::string body;  // JSON
  std::string content_type = "application/json";
  Milliseconds patience{0};  // 0: the limits' own
};

// A response that stays open. Callbacks come on the loop, in order; after the last piece, `done`.
struct ApiStream {
  std::string verb;  // watch, log
  std::string resource;
  std::string path;
  Milliseconds silence{0};  // after which it is given up
  std::function<void(std::string bytes)> on_bytes;
  std::function<void(Result<http::Response>)> done;
};

class Api {
 public:
  using Done = std::function<void(Result<http::Response>)>;
  using StreamId = http::Transfers::Id;

  Api(Loop& loop, http::Transfers& transfers, ClusterAccess access, ApiLimits limits,
      metrics::Registry& metrics, std::string cluster);

  // `done` gets any answer below 500 but 429, or, when `patience` is over, why there is none:
  // `kube_unavailable` (retry_later), or `kube_refused` (fix_input) for 401 and 403. Once begun it
  // is carried on: cancelling is the caller's not listening. Thread: the loop's, as all below.
  void call(ApiRequest request, Done done);
  // One try, without repetition.
  StreamId stream(ApiStream stream);
  void end_stream(StreamId id) { transfers_.cancel(id); }

  bool circuit_open() const { return breaker_.open(); }
  const std::string& cluster() const { return cluster_; }
  // A wait with jitter that doubles with each try, from 0.
  Milliseconds backoff(std::uint32_t tries);

 private:
  struct Call;
  void attempt(const std::shared_ptr<Call>& call);
  void on_end(const std::shared_ptr<Call>& call, Result<http::Response> result);
  void again(const std::shared_ptr<Call>& call, Milliseconds delay, const std::string& why);
  http::Request signed_request(const std::string& path);
  void count(const std::string& verb, const std::string& resource,
             const Result<http::Response>& result, Instant began);
  void note_health(bool healthy);

  Loop& loop_;
  http::Transfers& transfers_;
  ClusterAccess access_;
  ApiLimits limits_;
  metrics::Registry& metrics_;
  std::string cluster_;
  TokenSource tokens_;
  TokenBucket writes_;
  TokenBucket deletes_;  // a full system can still tidy up
  CircuitBreaker breaker_;
  std::minstd_rand dice_;
};

// What a server's Status object says: "jobs.batch "x" already exists", and its reason.
struct ApiComplaint {
  std::string reason;
  std::string message;
};
ApiComplaint complaint_of(const http::Response& response);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_API_H_
