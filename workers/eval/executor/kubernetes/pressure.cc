#include "workers/eval/executor/kubernetes/pressure.h"

namespace assay::eval::kubernetes {

Milliseconds TokenBucket::take(Instant now) {
  if (last_ == Instant{}) last_ = now;
  tokens_ =
      std::min(burst_, tokens_ + std::chrono::duration<double>(now - last_).count() * per_second_);
  last_ = now;
  tokens_ -= 1;
  if (tokens_ >= 0) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(std::chrono::duration<double>(-tokens_ / per_second_));
}

Milliseconds CircuitBreaker::wait(Instant now) {
  if (!open_) return Milliseconds(0);
  if (now < try_at_) {
    return std::max(Milliseconds(1), std::chrono::ceil<Milliseconds>(try_at_ - now));
  }
  if (trying_) return first_wait_;
  trying_ = true;
  return Milliseconds(0);
}

void CircuitBreaker::on_success() {
  open_ = trying_ = false;
  failures_ = 0;
  wait_ = Milliseconds(0);
}

void CircuitBreaker::on_failure(Instant now) {
  const bool tried = trying_;
  trying_ = false;
  if (++failures_ < failures_max_ && !open_) return;
  // Those that were on their way when it opened do not make it wait longer.
  if (open_ && !tried) return;
  wait_ = open_ ? std::min(last_wait_, wait_ * 2) : first_wait_;
  open_ = true;
  try_at_ = now + wait_;
}

void PodWindow::on_pending(Milliseconds waited, Instant now) {
  if (waited < patience_ || (shrunk_ && now - shrunk_at_ < patience_)) return;
  shrunk_ = true;
  shrunk_at_ = now;
  size_ = std::max(1.0, size_ / 2);
}

}  // namespace assay::eval::kubernetes
