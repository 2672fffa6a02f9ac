// The clock of the dialogues: monotonic, so that a corrected wall clock neither ends a wait nor
// starts a storm of heartbeats. Sessions are told the time and never ask for it.
#ifndef ASSAY_SDK_TRANSPORT_INSTANT_H_
#define ASSAY_SDK_TRANSPORT_INSTANT_H_

#include <chrono>

#include "assay/ids.h"

namespace assay::transport {

using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Instant kNever = Instant::max();

// Thread: any.
inline Instant now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

// `start + delay`, or kNever where that would overflow.
inline Instant later(Instant start, Duration delay) {
  return delay < kNever - start ? start + delay : kNever;
}

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_INSTANT_H_
