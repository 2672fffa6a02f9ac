// The subject's container: process 1, which starts the runner, starts it again when the harness
// asks for that, and passes on a bounded part of what the subject prints. `assay-pod subject`.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_SUBJECT_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_SUBJECT_H_

namespace assay::eval::kubernetes {

// Takes the flags after `subject`. Exit status: 0 when the harness has finished, 127 when there is
// no Python, otherwise what kept it from its work.
int run_subject(int argc, char** argv);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_SUBJECT_H_
