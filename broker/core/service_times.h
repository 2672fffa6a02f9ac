// How long tasks of a queue have run lately: what an estimate rests on. Forgotten by a restart and
// learned again.
#ifndef ASSAY_BROKER_CORE_SERVICE_TIMES_H_
#define ASSAY_BROKER_CORE_SERVICE_TIMES_H_

#include <array>
#include <cstddef>
#include <optional>

#include "assay/ids.h"

namespace assay::core {

// The middle half of what was seen: a quarter was shorter than `low`, a quarter longer than `high`.
struct ServiceRange {
  Duration low{0};
  Duration high{0};
};

class ServiceTimes {
 public:
  void add(Duration run) {
    runs_[next_] = run;
    next_ = (next_ + 1) % runs_.size();
    if (count_ < runs_.size()) ++count_;
  }
  // Nothing before the first.
  std::optional<ServiceRange> range() const;

 private:
  std::array<Duration, 64> runs_{};  // the latest
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_SERVICE_TIMES_H_
