// An image that is an evaluation by itself: its program in the place of the runner, with its exit
// status as the result. `assay-pod program`.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PROGRAM_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PROGRAM_H_

namespace assay::eval::kubernetes {

// `--socket PATH --folder FOLDER --work FOLDER -- COMMAND...`: speaks the runner's side of the
// harness's protocol for one test, `image`. Exit status 0 when the harness has let it go.
int run_program(int argc, char** argv);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PROGRAM_H_
