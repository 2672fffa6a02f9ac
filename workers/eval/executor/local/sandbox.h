// One sandbox: the subject's first process and all that come of it, in namespaces of their own
// (bubblewrap). It knows nothing of harness, plans or evaluations.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SANDBOX_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SANDBOX_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/local/process.h"

namespace assay::eval {

struct SandboxTools {
  std::string mark;        // what its processes are called on this machine; of one worker
  std::string bubblewrap;  // path of bwrap
  std::vector<std::string>
      read_only;  // folders of this machine seen in the sandbox, beside the system's own
};

struct SandboxSpec {
  std::string assay_folder;  // this machine's path of what is seen at /assay
  std::vector<std::string> command;
  std::optional<uid_t> user;  // as root: the user id it runs under
  PodLimits limits;
  std::chrono::seconds cpu_of_one_process{3600};
};

// The arguments for bwrap, the command left out. Pure but for a look at which system folders there
// are. `assay_folder`: where bwrap will find it.
std::vector<std::string> sandbox_arguments(const SandboxTools& tools, const PodLimits& limits,
                                           const std::string& assay_folder);

struct SandboxExit {
  bool started = false;  // false: bwrap could not make it; its complaint is in the log
  std::optional<int> exit_code;
  std::optional<int> signal;
  double cpu_seconds = 0;
};

// Ends what a worker that was killed left in the few milliseconds in which bwrap's child does not
// yet die with bwrap: no subject was started there, but it would wait for ever. Returns how many
// processes that was.
std::size_t end_left_sandboxes(const std::string& mark);

class Sandbox {
 public:
  // Returns once the namespaces are there, the limits hold and the subject has been let go.
  // Errors: `pod_failed` (retry_later).
  static Result<std::unique_ptr<Sandbox>> start(const SandboxTools& tools, const SandboxSpec& spec);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // The sandbox's process 1, as this machine numbers it.
  pid_t root() const { return root_; }
  // Readable when the first process has ended.
  int descriptor() const { return outer_.descriptor(); }
  // What it prints, both standard output and standard error. Not blocking.
  int log() const { return log_.get(); }
  // Ends every process in it.
  void kill();
  // Ends what is left and returns when nothing is. Only once.
  SandboxExit finish();

 private:
  Sandbox(Process outer, Descriptor log, Descriptor status)
      : outer_(std::move(outer)), log_(std::move(log)), status_(std::move(status)) {}
  Status let_go(const SandboxSpec& spec, Descriptor block);
  std::string read_status_line();

  Process outer_;
  Descriptor log_;
  Descriptor status_;
  Descriptor inner_;
  pid_t root_ = 0;
  bool killed_ = false;  // before it ended by itself
  std::string status_text_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_SANDBOX_H_
