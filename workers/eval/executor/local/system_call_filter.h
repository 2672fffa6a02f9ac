// What the subject may not ask of the kernel, though its namespaces would let it: memory that
// belongs to no process and so escapes every count, sockets that leave the machine's own network,
// and parts of the kernel that no evaluation needs.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SYSTEM_CALL_FILTER_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SYSTEM_CALL_FILTER_H_

#include "assay/status.h"
#include "workers/eval/executor/local/descriptor.h"

namespace assay::eval {

// A file with the filter as a BPF program, as bwrap's --seccomp reads it, at its beginning.
// Errors: `pod_failed` (retry_later). Source: seccomp(2), libseccomp.
Result<Descriptor> make_system_call_filter();

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SYSTEM_CALL_FILTER_H_
