#include "broker/core/service_times.h"

#include <algorithm>

namespace assay::core {

std::optional<ServiceRange> ServiceTimes::range() const {
  if (count_ == 0) return std::nullopt;
  std::array<Duration, 64> sorted = runs_;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(count_);
  std::sort(sorted.begin(), end);
  return ServiceRange{sorted[count_ / 4], sorted[(count_ * 3) / 4]};
}

}  // namespace assay::core
