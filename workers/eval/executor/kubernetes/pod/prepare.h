// The init container: the canary, then the pod's files. `assay-pod prepare`.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PREPARE_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PREPARE_H_

namespace assay::eval::kubernetes {

// Takes the flags after `prepare`. Exit status: 0, 3 the network is not isolated, 1 anything else.
// Its last line of output, and /dev/termination-log, say what the canary found, as JSON.
int prepare(int argc, char** argv);

inline constexpr int kNotIsolatedStatus = 3;

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PREPARE_H_
