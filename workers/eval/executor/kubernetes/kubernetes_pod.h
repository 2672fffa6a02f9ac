// One pod from its launch to its end: a Job created or adopted, its pod observed, its logs read.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_POD_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_POD_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/kubernetes/classify.h"
#include "workers/eval/executor/kubernetes/cluster.h"
#include "workers/eval/executor/kubernetes/log_follow.h"
#include "workers/eval/executor/kubernetes/manifest.h"
#include "workers/eval/monitor/log_window.h"

namespace assay::eval::kubernetes {

struct PodContext {
  Loop& loop;
  const Settings& settings;
  metrics::Registry& metrics;
  std::string runner;
};

// Theory of operation. begin() creates the Job (or takes over one that runs the same thing), then
// its ConfigMaps. From there on the watches drive it: as soon as a container has started its log is
// followed; the harness's frames are what happened, the subject's are a log. The end is the
// harness's `finished` with its log read whole; a pod that ends, vanishes or never starts without
// it is classified. The Job stays until the task has ended, so that a worker that takes over finds
// what this one knew. Thread: the loop's.
class KubernetesPod : public JobObserver, public std::enable_shared_from_this<KubernetesPod> {
 public:
  KubernetesPod(PodContext& context, PodSpec spec, PodEvents& events,
                std::function<void()> on_over);
  ~KubernetesPod() override;

  void begin(Cluster& cluster);
  void wait_for_room(const std::string& why) { tell_waiting(why); }
  void stop();
  // Nobody listens any more. Its Job is deleted when `remove`.
  void detach(bool remove);
  bool over() const { return over_; }
  bool begun() const { return cluster_ != nullptr; }
  const PodSpec& spec() const { return spec_; }

  void on_job(const JobState& job) override;
  void on_job_gone() override;
  void on_pod(const PodState& pod) override;
  void on_pod_gone(const PodState& last) override;

 private:
  const JobState* find_to_adopt() const;
  void create();
  void on_created(const http::Response& response);
  void on_conflict();
  void create_part(std::size_t part);
  void look_at_pod();
  void look_at_waiting();
  void look_at_containers();
  void follow(std::unique_ptr<LogFollow>& log, const char* container, LogFollow::OnText on_text);
  void on_harness_text(const std::string& text);
  void on_harness_line(std::string line);
  void on_subject_text(std::string text);
  void on_subject_gone();
  void fail(const PodFault& fault);
  void fail(Status status);
  void maybe_over();
  void finish();
  void tick();
  void tell_waiting(const std::string& why);
  void push(decltype(PodEvent::what) what);
  PodUsage usage() const;

  PodContext& context_;
  PodSpec spec_;
  PodEvents* events_;
  std::function<void()> on_over_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Cluster* cluster_ = nullptr;
  Manifest manifest_;
  std::string job_;  // its name: the manifest's, or that of the one adopted
  std::string job_uid_;
  bool job_there_ = false;
  bool adopted_ = false;
  Instant begun_at_{};
  std::optional<PodState> pod_;
  bool pod_gone_ = false;
  bool started_told_ = false;
  bool isolation_told_ = false;
  bool asked_for_warning_ = false;
  std::string warning_;
  std::string waiting_told_;
  std::unique_ptr<LogFollow> harness_;
  std::unique_ptr<LogFollow> subject_;
  std::string half_line_;
  bool connected_ = false;
  bool finished_ = false;  // the harness has said so, or we have for it
  bool stopping_ = false;
  bool over_ = false;
  Instant finished_at_{};
  std::optional<Instant> subject_gone_at_;
  LogWindow log_;
  PodEnded end_;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_KUBERNETES_POD_H_
