// From what the cluster says of a pod to what it means: why it waits, how it ended, and whose doing
// that was. Pure.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLASSIFY_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLASSIFY_H_

#include <optional>
#include <string>

#include "workers/eval/executor/kubernetes/objects.h"
#include "workers/eval/executor/kubernetes/settings.h"

namespace assay::eval::kubernetes {

enum class Blame {
  kInfrastructure,  // the pod could not do its work: again, elsewhere
  kTask,            // it is wrong and will be again
  kLimit,           // it met a limit of its own
};

struct PodFault {
  Blame blame = Blame::kInfrastructure;
  std::string limit;   // "memory", "storage", "time": with kLimit
  std::string reason;  // one line for people
};

// Why it has not started, for people; empty when it has.
std::string waiting_reason(const PodState& pod);

// Whether one that has waited so long since it was created is given up, and why.
// `warning` is the last warning among its events; or empty.
std::optional<PodFault> overdue(const PodState& pod, Milliseconds waited, const Settings& settings,
                                const std::string& warning);

// The end of a pod whose harness has not said `finished`. In the order of: the pod's own reason, a
// disruption, its containers' ends, nothing. `gone`: it is no longer there.
PodFault fault_of(const PodState& pod, bool gone);

// The subject's container ended while the harness still waited for it.
PodFault subject_fault(const ContainerState& subject);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLASSIFY_H_
