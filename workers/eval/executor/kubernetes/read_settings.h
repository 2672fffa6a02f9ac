// The part of the worker's configuration that is about clusters.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_READ_SETTINGS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_READ_SETTINGS_H_

#include <map>
#include <string>
#include "assay/status.h"

#include "sdk/config/strict_yaml.h"
#include "workers/eval/executor/kubernetes/settings.h"

namespace assay::eval::kubernetes {

// The map `kubernetes:`; its mistakes are the file's.
void read_settings(config::Map& map, Settings& settings);
// What a profile says beside the limits that every executor knows.
void read_profile(config::Map& map, PodProfile& profile);
// The labels that all clusters bear that take pods: a task that requires them may be run in any. A
// label on which they differ is none of them, and needs a worker for each value.
std::map<std::string, std::string> common_labels(const Settings& settings);
// What is missing before pods can be run. Errors: `invalid_setting` (fix_input).
Status check_settings(const Settings& settings);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_READ_SETTINGS_H_
