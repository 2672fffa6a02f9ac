// How long to wait before a child that died is started again.
#ifndef ASSAY_CLI_UP_BACKOFF_H_
#define ASSAY_CLI_UP_BACKOFF_H_

#include "assay/ids.h"

namespace assay::cli {

// Half a second, doubled with each death, half a minute at most; from the start again once a run
// lasted a minute.
class Backoff {
 public:
  static constexpr Duration kFirst{500};
  static constexpr Duration kLast{30'000};
  static constexpr Duration kHealthyAfter{60'000};

  Duration after_run(Duration lasted) {
    if (lasted >= kHealthyAfter) next_ = kFirst;
    const Duration delay = next_;
    next_ = next_ * 2 < kLast ? next_ * 2 : kLast;
    return delay;
  }

 private:
  Duration next_ = kFirst;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_BACKOFF_H_
