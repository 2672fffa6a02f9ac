// From a pod's specification to the objects that the cluster is given. A task never writes any of
// it: names, labels, hardening and limits are ours. Pure.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_MANIFEST_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_MANIFEST_H_

#include <string>
#include <vector>

#include "assay/status.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/kubernetes/settings.h"

namespace assay::eval::kubernetes {

struct Manifest {
  std::string job_name;
  std::string task_label;          // as Jobs bear it
  std::string spec;                // a digest of what it runs, times left out
  std::string job;                 // JSON
  std::vector<std::string> parts;  // of the pack: each a ConfigMap of its own
};

// Errors: `unknown_profile`, `submission_too_large` (fix_input).
Result<Manifest> make_manifest(const PodSpec& spec, const Settings& settings,
                               const ClusterSettings& cluster, const std::string& runner);

// The ConfigMap of one part, owned by the Job, so that it goes with it.
std::string config_map(const Manifest& manifest, std::size_t part, const std::string& job_uid);
std::string config_map_name(const std::string& job_name, std::size_t part);

// A task's id as a label's value.
std::string task_label(const std::string& task);

// A name that Kubernetes takes: lower case, at most 63 characters, the same for the same text, and
// another for another.
std::string object_name(const std::string& text);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_MANIFEST_H_
