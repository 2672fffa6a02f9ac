// Keeps what an evaluation left behind as artifacts: its log, the files it brought out, and the
// result document itself. Knows nothing of how the document came about.
#ifndef ASSAY_WORKERS_EVAL_KEPT_ARTIFACTS_H_
#define ASSAY_WORKERS_EVAL_KEPT_ARTIFACTS_H_

#include <string>

#include "assay/artifacts.h"

namespace assay::eval {

// Stores `log.txt`, `outputs/PATH` (`outputs/pod-N/PATH` where several pods brought files out) and
// `result.json` under the task's name, and returns the document with their hashes in `artifacts`
// (docs/results.md). What could not be stored is named in its `notes`: an evaluation does not fail
// because a disk did.
std::string keep_artifacts(ArtifactStore& store, const TaskId& task, std::string document);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_KEPT_ARTIFACTS_H_
