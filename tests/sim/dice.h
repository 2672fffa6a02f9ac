// The simulation's only source of chance: everything random is drawn from it, so that a seed
// replays a run exactly.
#ifndef ASSAY_TESTS_SIM_DICE_H_
#define ASSAY_TESTS_SIM_DICE_H_

#include <cstdint>

#include "assay/ids.h"

namespace assay::sim {

// SplitMix64. Source: https://prng.di.unimi.it/splitmix64.c.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // 0 to `count` - 1.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  Duration delay(Duration low, Duration high) {
    return Duration(between(low.count(), high.count()));
  }

 private:
  std::uint64_t state_;
};

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_DICE_H_
