#include "cli/exit_code.h"

namespace assay::cli {

ExitCode exit_code(const Status& status) {
  if (status.is_ok()) return ExitCode::kOk;
  if (status.reason() == "wait_timeout") return ExitCode::kCancelled;
  return status.code() == Code::kFixInput ? ExitCode::kUsage : ExitCode::kError;
}

ExitCode exit_code(TaskState state, std::string_view verdict) {
  if (state == TaskState::kCancelled) return ExitCode::kCancelled;
  if (verdict == "cancelled" || verdict == "timeout") return ExitCode::kCancelled;
  const bool passed = verdict.empty() || verdict == "passed" || verdict == "completed";
  return state == TaskState::kSucceeded && passed ? ExitCode::kOk : ExitCode::kFailed;
}

ExitCode worst(ExitCode one, ExitCode other) {
  const auto rank = [](ExitCode code) {
    switch (code) {
      case ExitCode::kOk:
        return 0;
      case ExitCode::kCancelled:
        return 1;
      case ExitCode::kFailed:
        return 2;
      case ExitCode::kUsage:
        return 3;
      case ExitCode::kError:
        return 4;
    }
    return 4;
  };
  return rank(one) >= rank(other) ? one : other;
}

}  // namespace assay::cli
