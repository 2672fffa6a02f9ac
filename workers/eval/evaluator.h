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

  // Leaves no pod running, whatever the outcome, unless it hands the task over.
  TaskOutcome run(const TaskAssignment& task, TaskContext& context) const;
  // The broker has recorded how it ended: nothing of it is needed any more. Thread: any.
  void recorded(const TaskId& task, Attempt attempt, Outcome outcome) const;

 private:
  Executor& executor_;
  EvaluationSettings settings_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EVALUATOR_H_
