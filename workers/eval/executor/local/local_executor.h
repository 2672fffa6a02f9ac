// Pods as sandboxed processes on this machine. Needs bubblewrap and user namespaces, and never runs
// a subject without.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_EXECUTOR_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_EXECUTOR_H_

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/local/descriptor.h"
#include "workers/eval/executor/local/sandbox.h"
#include "workers/eval/relay/relay.h"

namespace assay::eval {

struct LocalOptions {
  std::string data_folder;                  // pods live in data_folder/pods
  std::string bubblewrap = "bwrap";         // a path, or a name looked for in PATH
  std::string python = "/usr/bin/python3";  // must be inside the sandbox: under /usr or `read_only`
  std::vector<std::string> read_only;       // more folders of this machine for the sandbox to see
  std::string harness;                      // path of assay-harness
  std::string runner;                       // the text of runner.py
  std::vector<Endpoint> endpoints;          // granted
  uid_t user_base = 61'200;                 // as root: pods run under the ids from here on
};

class LocalExecutor : public Executor {
 public:
  explicit LocalExecutor(LocalOptions options);
  ~LocalExecutor() override;

  // Also removes the pods of workers that are gone.
  Status check() override;
  Result<std::unique_ptr<Pod>> launch(PodSpec spec, PodEvents& events) override;

  // Folders of dead workers' pods that check() removed.
  std::size_t removed() const { return removed_; }
  // As root: the first of the user ids that its pods run under.
  uid_t user_base() const { return options_.user_base; }
  // Where the pods of this process are.
  const std::string& pods_folder() const { return pods_folder_; }

 private:
  friend class LocalPod;
  Status claim_folder();
  Status find_tools();
  Status try_sandbox();
  Status claim_user_ids();
  // User ids for one pod at a time, when this is root.
  std::optional<uid_t> take_user();
  void give_back_user(std::optional<uid_t> user);

  LocalOptions options_;
  SandboxTools tools_;
  Descriptor harness_;
  std::string pods_folder_;  // this process's own
  Descriptor lock_;
  Descriptor user_ids_lock_;
  std::size_t removed_ = 0;
  std::mutex mutex_;
  std::vector<bool> users_taken_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_EXECUTOR_H_
