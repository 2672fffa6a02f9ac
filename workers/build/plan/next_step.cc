#include "workers/build/plan/next_step.h"

#include <algorithm>

namespace assay::image_build {
namespace {

constexpr Duration kPauseFirst{500};
constexpr Duration kPauseMax{15'000};
constexpr std::uint32_t kDoublingsMax = 10;

}  // namespace

std::string_view to_string(Step step) {
  switch (step) {
    case Step::kClear:
      return "clear";
    case Step::kFetch:
      return "fetch";
    case Step::kLookUp:
      return "look_up";
    case Step::kBuild:
      return "build";
    case Step::kPush:
      return "push";
    case Step::kConfirm:
      return "confirm";
    case Step::kScan:
      return "scan";
    case Step::kValidate:
      return "validate";
    case Step::kFinish:
      return "finish";
  }
  return "?";
}

std::string_view stage_of(Step step) {
  switch (step) {
    case Step::kClear:
    case Step::kFetch:
    case Step::kLookUp:
      return "pending";
    case Step::kBuild:
      return "building";
    case Step::kPush:
    case Step::kConfirm:
      return "pushing";
    case Step::kScan:
    case Step::kValidate:
      return "testing";
    case Step::kFinish:
      return "completed";
  }
  return "?";
}

Step next_step(const Wanted& wanted, const Observed& observed) {
  if (observed.failure) return Step::kFinish;
  if (!observed.cleared) return Step::kClear;
  if (!observed.fetched) return Step::kFetch;
  if (wanted.look_up && !observed.looked_up) return Step::kLookUp;
  if (observed.built < wanted.platforms) return Step::kBuild;
  if (!observed.pushed) return Step::kPush;
  if (!observed.confirmed) return Step::kConfirm;
  if (wanted.scan && !observed.scanned) return Step::kScan;
  if (wanted.validate && !observed.validated) return Step::kValidate;
  return Step::kFinish;
}

std::optional<Duration> pause_before_retry(Step step, const Failure& failure,
                                           std::uint32_t failures, Duration waited,
                                           Duration patience) {
  if (failure.kind != Failure::Kind::kTransient) return std::nullopt;
  // The engine's own work is not begun twice here: a task that goes back to its queue finds the
  // layers that were made, and maybe a worker whose engine is well.
  const bool worth = step == Step::kFetch || step == Step::kPush || step == Step::kConfirm;
  if (!worth) return std::nullopt;
  const Duration pause =
      std::min(kPauseMax, kPauseFirst * (1U << std::min(failures - 1, kDoublingsMax)));
  if (waited + pause > patience) return std::nullopt;
  return pause;
}

}  // namespace assay::image_build
