// What the process says with its exit status. Scripts rest on these: never change one.
#ifndef ASSAY_CLI_EXIT_CODE_H_
#define ASSAY_CLI_EXIT_CODE_H_

#include <string_view>

#include "assay/status.h"
#include "assay/task.h"

namespace assay::cli {

enum class ExitCode : int {
  kOk = 0,         // done; the evaluation passed, the task succeeded
  kError = 1,      // anything else: no broker, a full disk, ...
  kUsage = 2,      // wrong arguments or a wrong file
  kFailed = 3,     // the evaluation (or the awaited task) failed or is dead
  kCancelled = 4,  // it was cancelled or timed out
};

// For a call that failed: `fix_input` and `not_found` are the caller's (2 and 1), a wait that timed
// out is 4.
ExitCode exit_code(const Status& status);

// For a task that ended. `verdict` is the status of its result document, empty when there is none:
// a document that says "failed" is never a success, and one that says "timeout" tells a failure
// apart.
ExitCode exit_code(TaskState state, std::string_view verdict = {});

// Of several tasks the worst: failed before cancelled before ok.
ExitCode worst(ExitCode one, ExitCode other);

}  // namespace assay::cli

#endif  // ASSAY_CLI_EXIT_CODE_H_
