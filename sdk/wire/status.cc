#include "assay/status.h"

namespace assay {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kRetryCall:
      return "retry_call";
    case Code::kRetryLater:
      return "retry_later";
    case Code::kFixInput:
      return "fix_input";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kExhausted:
      return "exhausted";
    case Code::kDataLoss:
      return "data_loss";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

std::string Status::to_string() const {
  return is_ok() ? "ok" : reason_ + ": " + message_;
}

}  // namespace assay
