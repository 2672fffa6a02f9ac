// What is kept of the cluster's objects: the few fields that decide anything. Pure.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_OBJECTS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_OBJECTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::eval::kubernetes {

inline constexpr const char* kManagedBy = "app.kubernetes.io/managed-by";
inline constexpr const char* kManager = "assay-eval";
inline constexpr const char* kTaskLabel = "assay.dev/task";
inline constexpr const char* kAttemptLabel = "assay.dev/attempt";
inline constexpr const char* kBatchLabel = "assay.dev/batch";
inline constexpr const char* kLaunchLabel = "assay.dev/launch";
inline constexpr const char* kOwnerLabel = "assay.dev/owner";
inline constexpr const char* kEgressLabel = "assay.dev/egress";
inline constexpr const char* kSpecAnnotation = "assay.dev/spec";

inline constexpr const char* kPrepare = "prepare";
inline constexpr const char* kHarness = "harness";
inline constexpr const char* kSubject = "subject";

struct ContainerState {
  std::string name;
  bool waiting = false;
  bool running = false;
  bool terminated = false;
  std::string reason;   // of waiting or of the end: ErrImagePull, OOMKilled
  std::string message;  // of either
  int exit_code = 0;
  int signal = 0;
  std::uint32_t restarts = 0;
  double started_at = 0;  // seconds since 1970; 0: not known
  double ended_at = 0;
};

struct PodState {
  std::string name;
  std::string uid;
  std::string job;
  std::string phase;   // Pending, Running, Succeeded, Failed, Unknown
  std::string reason;  // Evicted, DeadlineExceeded, NodeLost, ...
  std::string message;
  std::string node;
  bool scheduled = false;
  std::string unschedulable;  // the scheduler's words
  std::string disruption;     // the DisruptionTarget condition's reason
  bool deleting = false;
  double created_at = 0;
  double started_at = 0;
  std::vector<ContainerState> containers;  // the init containers first

  const ContainerState* container(std::string_view name) const;
  bool over() const { return phase == "Succeeded" || phase == "Failed"; }
};

struct JobState {
  std::string name;
  std::string uid;
  std::string task;
  std::string batch;
  std::string spec;
  std::uint32_t attempt = 0;
  std::uint32_t launch = 0;
  bool deleting = false;
  bool finished = false;
  std::string failure;  // the reason of its Failed condition: DeadlineExceeded
  double created_at = 0;
  double finished_at = 0;  // seconds since 1970; 0: not known
};

// From an object's JSON. Nothing when it has no name: it is no such object.
std::optional<PodState> parse_pod(std::string_view object);
std::optional<JobState> parse_job(std::string_view object);

// "2024-06-07T12:00:01Z", with or without a fraction, as seconds since 1970; 0 for anything else.
double parse_time(std::string_view text);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_OBJECTS_H_
