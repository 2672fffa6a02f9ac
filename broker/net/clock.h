// The broker's time: the wall clock at the start, carried on by a clock that never jumps. A wall
// clock that is set back or forward while the broker runs ends no lease and starts no task early.
#ifndef ASSAY_BROKER_NET_CLOCK_H_
#define ASSAY_BROKER_NET_CLOCK_H_

#include <chrono>

#include "assay/ids.h"

namespace assay::net {

// What the calendar has to say (schedules) asks for wall().
class Clock {
 public:
  Clock() : wall_at_start_(wall()), steady_(std::chrono::steady_clock::now()) {}

  // The wall clock as it is now, set or not.
  static Time wall() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }

  Time now() const {
    return wall_at_start_ +
           std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - steady_);
  }

 private:
  Time wall_at_start_;
  std::chrono::steady_clock::time_point steady_;
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_CLOCK_H_
