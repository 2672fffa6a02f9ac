// Why a step of a build did not succeed: what to do about it, and what to tell people.
#ifndef ASSAY_WORKERS_BUILD_FAILURE_H_
#define ASSAY_WORKERS_BUILD_FAILURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "assay/status.h"

namespace assay::image_build {

struct Failure {
  enum class Kind : std::uint8_t {
    kTask,       // the request, its files, its steps or its image said no: final
    kLimit,      // its time or memory was used up: final
    kTransient,  // a server is away or busy: the same step may succeed later
    kStopped,    // nobody wants it any more, or this worker must leave
  };
  Kind kind = Kind::kTask;
  std::string reason;  // one line for people
};

// A Status of a server's client or of the request's own checks, seen as a failure of a step.
inline Failure failure_of(const Status& status) {
  if (status.reason() == "stopped") return {Failure::Kind::kStopped, status.message()};
  const bool later = status.code() == Code::kRetryLater || status.code() == Code::kRetryCall;
  return {later ? Failure::Kind::kTransient : Failure::Kind::kTask, status.message()};
}

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_FAILURE_H_
