// /metrics and /healthz of a program that has no loop of its own for them.
#ifndef ASSAY_SDK_METRICS_ENDPOINT_H_
#define ASSAY_SDK_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "assay/status.h"
#include "sdk/metrics/registry.h"

struct MHD_Daemon;

namespace assay::metrics {

// Serves on a thread of its own until it is destroyed: `/metrics` in Prometheus' text form,
// `/healthz` with 200. Thread: any.
class Endpoint {
 public:
  // `address` is HOST:PORT with a numeric host; port 0 lets the system choose. The registry must
  // outlive it. Errors: `invalid_endpoint`, `address_in_use` (fix_input).
  static Result<std::unique_ptr<Endpoint>> listen(const std::string& address, Registry& registry);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const std::string& address() const { return address_; }

 private:
  explicit Endpoint(Registry& registry) : registry_(registry) {}

  Registry& registry_;
  std::string address_;
  MHD_Daemon* daemon_ = nullptr;

  friend struct Answerer;
};

}  // namespace assay::metrics

#endif  // ASSAY_SDK_METRICS_ENDPOINT_H_
