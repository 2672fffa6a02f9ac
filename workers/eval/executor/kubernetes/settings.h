// What the configuration says about clusters and about what pods may be there.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_SETTINGS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_SETTINGS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "assay/status.h"

namespace assay::eval::kubernetes {

using Milliseconds = std::chrono::milliseconds;

// What a pod of this profile is given, beside PodLimits.
struct PodProfile {
  std::string cpu = "500m";
  std::string gpu_resource = "nvidia.com/gpu";
  std::uint32_t gpus = 0;
  std::map<std::string, std::string> node_selector;
  std::vector<std::string> tolerations;  // key[=value][:effect]
  std::string priority_class;
  std::string runtime_class;  // gvisor, kata
};

struct ClusterSettings {
  std::string name = "default";
  std::string kubeconfig;  // empty: KUBECONFIG, then the service account of this pod
  std::string context;
  std::string namespace_name;  // empty: what the credentials say, then "assay-evals"
  std::map<std::string, std::string> labels = {};  // region, gpu: what tasks may require
  std::uint32_t weight = 1;                        // 0 drains it
  std::uint32_t pods_max = 100;
  // Its network enforces no policies, and that is accepted: results say `not isolated`.
  bool accept_open_network = false;
};

struct Settings {
  std::vector<ClusterSettings> clusters{{}};
  std::string pod_image;                           // deploy/images/build prints it
  std::string subject_image = "python:3.11-slim";  // of scripts, notebooks and configs
  std::vector<std::string> image_pull_secrets;
  std::map<std::string, PodProfile> profiles{{"small", {}}};
  std::string service_account = "assay-subject";  // of the pods: bound to nothing
  Milliseconds pending_max{600'000};
  Milliseconds image_pull_max{900'000};
  Milliseconds no_pod_max{30'000};
  Milliseconds orphan_grace{900'000};
  std::uint32_t finished_ttl_seconds = 3600;  // a safety net: the cluster removes what we did not
  std::uint32_t pods_max = 200;               // in all clusters together
  std::uint64_t pack_bytes_max = 8ULL << 20;
  double writes_per_second = 20;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_SETTINGS_H_
