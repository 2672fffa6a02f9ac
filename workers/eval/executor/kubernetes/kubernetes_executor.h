// Pods as Jobs in one or several clusters.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_EXECUTOR_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_EXECUTOR_H_

#include <memory>
#include <string>

#include "sdk/http/client.h"
#include "sdk/metrics/registry.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/kubernetes/settings.h"

namespace assay::eval::kubernetes {

// One thread decides, another carries HTTP; launch() and the pods only leave orders. Thread: any.
class KubernetesExecutor : public Executor {
 public:
  // `runner` is the text of another runner.py; empty: the image's own.
  KubernetesExecutor(Settings settings, std::string runner, metrics::Registry& metrics);
  ~KubernetesExecutor() override;

  // Reads the credentials and lists what is there. Errors, beside the executor's own:
  // `unreadable_file`, `invalid_kubeconfig`, `not_in_cluster`, `kube_refused` (fix_input),
  // `kube_unavailable` (retry_later) when no cluster answers.
  Status check() override;
  Result<std::unique_ptr<Pod>> launch(PodSpec spec, PodEvents& events) override;
  Result<ImageProgram> image_program(const std::string& reference,
                                     const std::vector<std::string>& arguments) override;
  bool pods_outlive_it() const override { return true; }
  void task_ended(const std::string& task, std::uint32_t attempt) override;

  // Whether any cluster would take pods now: none does while their circuits are open.
  bool takes_pods() const override;

 private:
  class Shared;
  class Handle;
  std::shared_ptr<Shared> shared_;
  http::Client registries_;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_EXECUTOR_H_
