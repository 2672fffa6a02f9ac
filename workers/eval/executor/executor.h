// Where pods run. A pod is one harness and, beside it and apart from it, the subject. Everything
// above this interface (planning, progress, results) is the same whatever is below it.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_EXECUTOR_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_EXECUTOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/evaluation.h"
#include "assay/status.h"
#include "workers/eval/executor/pod_events.h"
#include "workers/eval/harness/pod_plan.h"

namespace assay::eval {

// What a pod may use. A limit that is met ends the subject, and is named in SubjectEnded.
struct PodLimits {
  std::uint64_t memory_bytes = 2ULL << 30;  // resident, all processes together
  std::uint64_t work_bytes = 512ULL << 20;  // /work
  std::uint64_t tmp_bytes = 256ULL << 20;   // /tmp
  std::uint64_t shm_bytes = 64ULL << 20;    // /dev/shm
  std::uint64_t file_bytes = 512ULL << 20;  // one file
  std::uint64_t processes = 128;            // threads count too
  std::uint64_t open_files = 1024;          // of one process
  double cpu_seconds = 0;                   // all processes together; 0: as much as the time allows
  std::uint64_t log_bytes = 256ULL << 10;   // kept of what the subject prints
};

// Requests that all pods of a task may make to an endpoint, together. Thread: any.
struct RequestBudget {
  explicit RequestBudget(std::uint64_t requests_max) : max(requests_max) {}
  // False when there is none left.
  bool take() { return ++used <= max || (--used, false); }
  const std::uint64_t max;
  std::atomic<std::uint64_t> used{0};
};

struct EndpointUse {
  std::string name;  // granted by the worker's configuration
  std::shared_ptr<RequestBudget> budget;
};

// Whose pod it is: what an executor whose pods outlive this process finds it by.
struct PodIdentity {
  std::string task;
  std::uint32_t attempt = 0;
  std::string owner;
  std::string batch = "0";   // of the task: "0", "1", "d" for a discovery
  std::uint32_t launch = 1;  // counts up when a pod could not do its work
};

// An image that is an evaluation by itself.
struct ImageProgram {
  std::string image;                 // by its digest
  std::vector<std::string> command;  // what it runs
  std::string folder;                // where; empty: the pod's /work
};

struct PodSpec {
  std::string name;  // unique while it lives: task, attempt, number; a-z A-Z 0-9 - only
  std::size_t number = 0;
  PodIdentity identity = {};
  std::string profile = "small";
  std::shared_ptr<const std::vector<EvaluationFile>> files;
  std::vector<EndpointUse> endpoints;
  PodPlan plan;  // its deadline is the pod's
  PodLimits limits;
  std::optional<ImageProgram> program = std::nullopt;  // the subject, in the place of the runner
};

// A pod that was launched. Its destructor stops it, unless it was left, and returns when none of
// its events can come any more.
class Pod {
 public:
  virtual ~Pod() = default;
  // Ends it as soon as possible; PodEnded follows. Thread: any.
  virtual void stop() = 0;
  // From now on the destructor does not stop it: whoever takes the task over finds it running.
  // An executor whose pods cannot outlive this process stops it nevertheless. Thread: any.
  virtual void leave() {}
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Whether pods can be run here at all; asked once, at start.
  // Errors: `sandbox_unavailable` (fix_input), with what to install or allow.
  virtual Status check() = 0;
  // Starts a pod. Its events go to `events`, which must outlive it; the last one is PodEnded.
  // Errors: `pod_failed` (retry_later): nothing was started and nothing is left.
  virtual Result<std::unique_ptr<Pod>> launch(PodSpec spec, PodEvents& events) = 0;
  // Whether pods go on without this process, so that another worker can take them over.
  virtual bool pods_outlive_it() const { return false; }
  // What an image runs, with `arguments` in the place of its own. Errors: `unsupported_kind`
  // (fix_input: this executor runs no images), those of the registry. Thread: any.
  virtual Result<ImageProgram> image_program(const std::string& reference,
                                             const std::vector<std::string>& arguments) {
    (void)arguments;
    return fix_input("unsupported_kind", "cannot run the image " + reference +
                                             ": only workers with a cluster run images "
                                             "(executor: kubernetes)");
  }
  // False while a launch would only wait: the cluster is away. Thread: any.
  virtual bool takes_pods() const { return true; }
  // The task has ended, whatever way: nothing of its pods is to be left, in a cluster neither.
  // Returns when that is under way. Thread: any.
  virtual void task_ended(const std::string& task, std::uint32_t attempt) {
    (void)task;
    (void)attempt;
  }
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_EXECUTOR_H_
