// Attempts as keys of hash tables.
#ifndef ASSAY_SDK_WORKER_HELD_ATTEMPT_HASH_H_
#define ASSAY_SDK_WORKER_HELD_ATTEMPT_HASH_H_

#include <cstddef>
#include <functional>

#include "assay/message.h"

namespace assay::worker {

struct HeldAttemptHash {
  // Two attempts of one task are rarely held at once: the id is chance enough.
  std::size_t operator()(const HeldAttempt& held) const noexcept {
    return std::hash<TaskId>()(held.id) + held.attempt.number;
  }
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_HELD_ATTEMPT_HASH_H_
