// How much may be asked of a cluster now: a rate for requests, a breaker for when it fails, and a
// number of pods that grows while pods start and shrinks while they wait. Pure: `now` comes in.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_PRESSURE_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_PRESSURE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace assay::eval::kubernetes {

using Instant = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

// So many requests a second, with bursts.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}
  // Reserves one; how long to wait before it may be used.
  Milliseconds take(Instant now);

 private:
  double per_second_;
  double burst_;
  double tokens_;  // below 0: reserved by those who wait
  Instant last_{};
};

// Opens after failures in a row, lets one request try after a while, closes when it succeeds.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(std::uint32_t failures_max = 5,
                          Milliseconds first_wait = Milliseconds(500),
                          Milliseconds last_wait = Milliseconds(15'000))
      : failures_max_(failures_max), first_wait_(first_wait), last_wait_(last_wait) {}
  // Zero: the request may go, and its end must be told. Otherwise ask again after that.
  Milliseconds wait(Instant now);
  void on_success();
  void on_failure(Instant now);
  bool open() const { return open_; }

 private:
  std::uint32_t failures_max_;
  Milliseconds first_wait_;
  Milliseconds last_wait_;
  std::uint32_t failures_ = 0;
  bool open_ = false;
  bool trying_ = false;
  Milliseconds wait_{0};
  Instant try_at_{};
};

// Pods that may be in the cluster at once: one more for each pod that starts soon, a half less when
// one has waited too long; never more than `most`.
class PodWindow {
 public:
  PodWindow(std::uint32_t most, Milliseconds patience)
      : most_(most), patience_(patience), size_(most) {}
  std::uint32_t size() const { return static_cast<std::uint32_t>(size_); }
  void on_started() { size_ = std::min<double>(most_, size_ + 1); }
  // Some pod has been pending for so long. Shrinks at most once in each `patience`.
  void on_pending(Milliseconds waited, Instant now);

 private:
  std::uint32_t most_;
  Milliseconds patience_;
  double size_;
  Instant shrunk_at_{};
  bool shrunk_ = false;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_PRESSURE_H_
