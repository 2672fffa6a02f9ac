#include "workers/eval/executor/kubernetes/classify.h"

#include "workers/eval/executor/kubernetes/pod/prepare.h"

namespace assay::eval::kubernetes {
namespace {

constexpr Milliseconds kRefusedImageMax{20'000};
constexpr Milliseconds kBadConfigurationMax{120'000};
constexpr int kNoPythonStatus = 127;

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The registry has answered, and the answer is no: waiting does not help.
bool refused_image(const std::string& message) {
  for (const char* words : {"not found", "manifest unknown", "does not exist", "repository name",
                            "pull access denied", "unauthorized", "invalid reference"}) {
    if (contains(message, words)) return true;
  }
  return false;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text.substr(0, 500);
}

const ContainerState* waiting_container(const PodState& pod) {
  for (const ContainerState& one : pod.containers) {
    // Those that come later wait for those before them.
    if (one.waiting && !one.reason.empty() && one.reason != "PodInitializing") return &one;
  }
  return nullptr;
}

std::string told(const std::string& reason, const std::string& message) {
  return one_line(reason + (message.empty() ? "" : ": " + message));
}

PodFault storage_limit(const std::string& message) {
  return {Blame::kLimit, "storage", "it used more disk than it may: " + one_line(message)};
}

}  // namespace

std::string waiting_reason(const PodState& pod) {
  if (pod.phase != "Pending") return {};
  if (!pod.unschedulable.empty()) return "no place for the pod: " + one_line(pod.unschedulable);
  if (!pod.scheduled) return "the pod waits to be scheduled";
  const ContainerState* waiting = waiting_container(pod);
  if (waiting == nullptr) return "the pod is being prepared";
  return "the container " + waiting->name + " waits: " + told(waiting->reason, waiting->message);
}

std::optional<PodFault> overdue(const PodState& pod, Milliseconds waited, const Settings& settings,
                                const std::string& warning) {
  if (pod.phase != "Pending") return std::nullopt;
  const ContainerState* waiting = waiting_container(pod);
  const std::string reason = waiting == nullptr ? "" : waiting->reason;
  const std::string words = waiting == nullptr ? "" : told(reason, waiting->message);
  if (reason == "InvalidImageName") return PodFault{Blame::kTask, "", words};
  if (reason == "ErrImagePull" || reason == "ImagePullBackOff") {
    const std::string& message = warning.empty() ? waiting->message : warning;
    if (refused_image(waiting->message + message) && waited >= kRefusedImageMax) {
      return PodFault{Blame::kTask, "", "the image cannot be pulled: " + one_line(message)};
    }
    if (waited < settings.image_pull_max) return std::nullopt;
    return PodFault{Blame::kInfrastructure, "",
                    "the image could not be pulled: " + one_line(message)};
  }
  if (reason == "CreateContainerConfigError" || reason == "CreateContainerError" ||
      reason == "RunContainerError") {
    if (waited < kBadConfigurationMax) return std::nullopt;
    return PodFault{Blame::kInfrastructure, "", words};
  }
  if (waited < settings.pending_max) return std::nullopt;
  std::string why = waiting_reason(pod);
  if (!warning.empty()) why += "; " + one_line(warning);
  return PodFault{Blame::kInfrastructure, "", "the pod did not start in time: " + why};
}

PodFault fault_of(const PodState& pod, bool gone) {
  // Pressure of the pod's own making is told from pressure of the node's by the message.
  if (pod.reason == "Evicted") {
    if (contains(pod.message, "ephemeral") && contains(pod.message, "exceed")) {
      return storage_limit(pod.message);
    }
    if (contains(pod.message, "EmptyDir volume") && contains(pod.message, "exceed")) {
      return storage_limit(pod.message);
    }
    return {Blame::kInfrastructure, "", "the pod was evicted: " + one_line(pod.message)};
  }
  if (pod.reason == "DeadlineExceeded") {
    return {Blame::kLimit, "time", "the pod reached its deadline"};
  }
  if (!pod.reason.empty()) {
    return {Blame::kInfrastructure, "", told("the pod ended: " + pod.reason, pod.message)};
  }
  if (!pod.disruption.empty()) {
    return {Blame::kInfrastructure, "", "the pod was disrupted: " + pod.disruption};
  }
  const ContainerState* prepare = pod.container(kPrepare);
  if (prepare != nullptr && prepare->terminated && prepare->exit_code == kNotIsolatedStatus) {
    return {Blame::kInfrastructure, "",
            "the pod's network is not isolated: " + one_line(prepare->message) +
                "; enforce the policies of deploy/kubernetes, or accept it by name "
                "(accept_open_network)"};
  }
  if (prepare != nullptr && prepare->terminated && prepare->exit_code != 0) {
    return {Blame::kInfrastructure, "", told("the pod could not be prepared", prepare->message)};
  }
  const ContainerState* harness = pod.container(kHarness);
  if (harness != nullptr && harness->restarts > 0) {
    return {Blame::kInfrastructure, "", "the harness was restarted"};
  }
  if (gone) return {Blame::kInfrastructure, "", "the pod was deleted while it ran"};
  if (harness != nullptr && harness->terminated) {
    return {Blame::kInfrastructure, "",
            "the harness ended before it had finished, with exit status " +
                std::to_string(harness->exit_code) + " " + harness->reason};
  }
  return {Blame::kInfrastructure, "", "the pod ended without a word"};
}

PodFault subject_fault(const ContainerState& subject) {
  if (subject.reason == "OOMKilled") {
    return {Blame::kLimit, "memory", "it used more memory than it may"};
  }
  if (subject.exit_code == kNoPythonStatus) {
    return {Blame::kTask, "", "its image has no Python (python3 in PATH)"};
  }
  return {Blame::kTask, "",
          told("its container ended with exit status " + std::to_string(subject.exit_code),
               subject.message)};
}

}  // namespace assay::eval::kubernetes
