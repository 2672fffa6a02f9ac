// Runs one evaluation after another from task to outcome: plans, launches pods, listens to them,
// tells progress, and makes the result document.
#ifndef ASSAY_WORKERS_EVAL_EVALUATOR_H_
#define ASSAY_WORKERS_EVAL_EVALUATOR_H_

#include "assay/worker.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/settings.h"

namespace assay::eval {

// Thread: run() from any number of threads at once.
class Evaluator {
 public:
  Evaluator(Executor& executor, EvaluationSettings settings)
      : executor_(executor), settings_(std::move(settings)) {}

  // Never leaves a pod behind, whatever the outcome.
  TaskOutcome run(const TaskAssignment& task, TaskContext& context) const;

 private:
  Executor& executor_;
  EvaluationSettings settings_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EVALUATOR_H_
