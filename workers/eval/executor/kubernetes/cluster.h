// One cluster: its API, what is in it of ours (as the watches see it), and who wants to know.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLUSTER_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLUSTER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "workers/eval/executor/kubernetes/api.h"
#include "workers/eval/executor/kubernetes/objects.h"
#include "workers/eval/executor/kubernetes/settings.h"
#include "workers/eval/executor/kubernetes/watch.h"

namespace assay::eval::kubernetes {

// Told of one Job and its pod.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  virtual void on_job(const JobState& job) = 0;
  virtual void on_job_gone() = 0;
  virtual void on_pod(const PodState& pod) = 0;
  virtual void on_pod_gone(const PodState& last) = 0;
};

// Thread: the loop's, but where it says otherwise.
class Cluster {
 public:
  Cluster(Loop& loop, http::Transfers& transfers, ClusterAccess access,
          const ClusterSettings& cluster, const Settings& settings, metrics::Registry& metrics);
  void start();
  // Both watches have told all that there is.
  bool ready() const { return jobs_watch_->listed() && pods_watch_->listed(); }

  Api& api() { return api_; }
  const ClusterSettings& settings() const { return settings_; }
  const std::string& namespace_name() const { return settings_.namespace_name; }
  PodWindow& window() { return window_; }

  // Has to be called before the Job can be there. Told at once of what is already known.
  void observe(const std::string& job, JobObserver* observer);
  void forget(const std::string& job);

  // What the server answered when it was made: its watch may tell of it much later.
  void know(const std::string& job_object);
  const std::map<std::string, JobState>& jobs() const { return jobs_; }
  const PodState* pod_of(const std::string& job) const;

  std::string jobs_path() const;
  std::string core_path(const std::string& kind) const;  // "pods", "configmaps", "events"
  std::string log_path(const std::string& pod, const std::string& container) const;

  // Deletes a Job and all that it owns; tried until it is gone. `done` when the server has agreed.
  void delete_job(const std::string& name, const std::string& why, std::function<void()> done = {});
  // All Jobs of a task, by its label, up to an attempt.
  void delete_task(const std::string& task, std::uint32_t attempt);
  // Jobs that nobody observes and that have ended long ago.
  void sweep(double now_seconds);
  // The last warning among an object's events, or nothing.
  void last_warning(const std::string& object, std::function<void(std::string)> done);

  std::size_t pods_in(const std::string& phase) const;

 private:
  void on_job(const std::string& object);
  void on_job_gone(const std::string& name, const std::string& uid);
  void on_pod(const std::string& object);
  void on_pod_gone(const std::string& name, const std::string& uid);

  Loop& loop_;
  ClusterSettings settings_;
  Milliseconds orphan_grace_;
  metrics::Registry& metrics_;
  Api api_;
  PodWindow window_;
  std::map<std::string, JobState> jobs_;
  std::map<std::string, PodState> pods_;
  std::map<std::string, std::string> pod_of_job_;
  std::map<std::string, JobObserver*> observers_;
  std::map<std::string, double> unobserved_since_;  // finished Jobs, by name
  std::unique_ptr<Watch> jobs_watch_;
  std::unique_ptr<Watch> pods_watch_;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CLUSTER_H_
