// A task's body made ready to run: decoded, checked against what this worker grants, its job
// document made. Pure.
#ifndef ASSAY_WORKERS_EVAL_REQUEST_H_
#define ASSAY_WORKERS_EVAL_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "assay/evaluation.h"
#include "assay/status.h"
#include "assay/task.h"
#include "workers/eval/settings.h"

namespace assay::eval {

struct EvaluationRequest {
  Evaluation evaluation;  // times bounded, the settings of a YAML taken over; without its files
  std::shared_ptr<const std::vector<EvaluationFile>> files;
  std::string job;  // JSON for the runner
  // With a grader: what it is given beside the outputs, and its own job. The subject's files are
  // then without it.
  std::shared_ptr<const std::vector<EvaluationFile>> grader_files;
  std::string grader_job;
  std::string model;
  std::string endpoint;  // granted; or empty
  std::size_t concurrency = 1;
  PodLimits limits;
  std::string profile;
};

// `inputs`: how the tasks ended that this one comes after; what the body refers to is taken from
// them. Errors, all fix_input, with what to do: `invalid_evaluation`, `unknown_profile`,
// `endpoint_not_granted`, `unresolved_input`.
Result<EvaluationRequest> make_request(std::string_view body, const EvaluationSettings& settings,
                                       const std::vector<TaskInput>& inputs);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_REQUEST_H_
