// What a build does next, from what has been observed of it. Pure: builder.cc acts, this decides.
#ifndef ASSAY_WORKERS_BUILD_PLAN_NEXT_STEP_H_
#define ASSAY_WORKERS_BUILD_PLAN_NEXT_STEP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "assay/ids.h"
#include "workers/build/failure.h"

namespace assay::image_build {

enum class Step : std::uint8_t {
  kClear,     // what an earlier attempt, whose worker was killed, left behind
  kFetch,     // the files
  kLookUp,    // an image that was made of the same before
  kBuild,     // one platform
  kPush,      // the images, each to each of its tags
  kConfirm,   // ask the registry what it has got
  kScan,      // the configured command
  kValidate,  // run it
  kFinish,    // nothing is left to do
};
std::string_view to_string(Step step);
// What people are told: pending, building, pushing, testing.
std::string_view stage_of(Step step);

struct Wanted {
  std::size_t platforms = 1;
  bool look_up = true;
  bool scan = false;
  bool validate = false;
};

struct Observed {
  bool cleared = false;
  bool fetched = false;
  bool looked_up = false;
  std::size_t built = 0;  // platforms
  bool pushed = false;
  bool confirmed = false;
  bool scanned = false;
  bool validated = false;
  std::optional<Failure> failure;  // that nothing can be done about
};

Step next_step(const Wanted& wanted, const Observed& observed);

// After a failure of a step for the `failures`-th time (from 1): how long to wait before the same
// step is tried again, or nothing when it is not. `waited` is how long this step has been failing.
std::optional<Duration> pause_before_retry(Step step, const Failure& failure,
                                           std::uint32_t failures, Duration waited,
                                           Duration patience);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_PLAN_NEXT_STEP_H_
