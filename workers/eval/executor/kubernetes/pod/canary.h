// Tries to reach what a pod must not reach, before the subject starts. What it finds is the proof
// of isolation, or of its absence.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_CANARY_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_CANARY_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::eval::kubernetes {

struct CanaryTarget {
  std::string name;     // "api", "metadata", "dns", "public"
  std::string address;  // IPv4 or IPv6
  std::uint16_t port = 0;
  bool dns = false;  // a question over UDP instead of a connection
};

struct CanaryFinding {
  std::string name;
  std::string address;
  bool answered = false;  // connected, refused or replied: packets get through
};

// The cluster's API as this pod's environment names it, the metadata address, the nameservers of
// /etc/resolv.conf, and public addresses.
std::vector<CanaryTarget> canary_targets();
// Tries all at once, for at most `patience`.
std::vector<CanaryFinding> try_targets(const std::vector<CanaryTarget>& targets,
                                       std::chrono::milliseconds patience);
// The limit on processes that this pod is under; 0: none, or it cannot be seen.
std::uint64_t process_limit();

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_CANARY_H_
