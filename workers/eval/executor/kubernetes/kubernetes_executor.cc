#include "workers/eval/executor/kubernetes/kubernetes_executor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <thread>
#include <vector>

#include "sdk/log/structured_log.h"
#include "workers/eval/executor/kubernetes/cluster.h"
#include "workers/eval/executor/kubernetes/image_program.h"
#include "workers/eval/executor/kubernetes/kubernetes_pod.h"

namespace assay::eval::kubernetes {
namespace {

using std::chrono::seconds;

constexpr Milliseconds kFirstListPatience{30'000};
constexpr Milliseconds kSweepInterval{10'000};
constexpr const char* kDefaultNamespace = "assay-evals";

Result<ClusterAccess> access_of(const ClusterSettings& cluster) {
  if (!cluster.kubeconfig.empty()) return read_kubeconfig(cluster.kubeconfig, cluster.context);
  const char* from_environment = std::getenv("KUBECONFIG");  // NOLINT(concurrency-mt-unsafe): as is
  if (from_environment != nullptr && *from_environment != '\0') {
    return read_kubeconfig(from_environment, cluster.context);
  }
  return in_cluster_access();
}

double wall_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void describe(metrics::Registry& metrics) {
  metrics.counter("assay_kube_requests_total", "Requests to Kubernetes, by their end.");
  metrics.histogram("assay_kube_request_seconds", "Time of requests to Kubernetes.",
                    {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30});
  metrics.gauge("assay_kube_circuit_open", "1 while a cluster fails and is left alone.");
  metrics.gauge("assay_pods", "Pods of evaluations, by state.");
  metrics.counter("assay_jobs_created_total", "Jobs created.");
}

}  // namespace

// What lives on the loop.
class KubernetesExecutor::Shared {
 public:
  Shared(Settings settings, std::string runner, metrics::Registry& metrics)
      : settings_(std::move(settings)),
        metrics_(metrics),
        context_{loop_, settings_, metrics_, std::move(runner)} {
    describe(metrics_);
  }
  // The order matters: first nothing is run any more, then what cancels its transfers goes, then
  // the transfers, whose last callbacks need the loop to be there.
  ~Shared() {
    loop_.stop();
    waiting_.clear();
    clusters_.clear();
    transfers_.reset();
  }

  Status connect() {
    transfers_ = std::make_unique<http::Transfers>();
    for (ClusterSettings& one : settings_.clusters) {
      Result<ClusterAccess> access = access_of(one);
      if (!access.is_ok()) return access.status();
      if (one.namespace_name.empty()) one.namespace_name = access->namespace_name;
      if (one.namespace_name.empty()) one.namespace_name = kDefaultNamespace;
      clusters_.push_back(
          std::make_unique<Cluster>(loop_, *transfers_, *access, one, settings_, metrics_));
    }
    std::string trouble;
    loop_.run_and_wait([&] {
      for (const auto& one : clusters_) {
        ApiRequest request;
        request.verb = "list";
        request.resource = "jobs";
        request.path = one->jobs_path() + "?limit=1";
        one->api().call(std::move(request), [this](const Result<http::Response>& result) {
          if (!result.is_ok() && result.status().code() == Code::kFixInput) {
            const std::lock_guard lock(mutex_);
            refusal_ = result.status();
          }
        });
        one->start();
      }
    });
    return wait_until_listed();
  }

  void launch(const std::shared_ptr<KubernetesPod>& pod) {
    loop_.post([this, pod] {
      waiting_.push_back(pod);
      admit();
    });
  }

  void task_ended(const std::string& task, std::uint32_t attempt) {
    loop_.run_and_wait([&] {
      for (const auto& one : clusters_) one->delete_task(task_label(task), attempt);
    });
  }

  Loop& loop() { return loop_; }
  PodContext& context() { return context_; }
  bool takes_pods() const { return takes_pods_; }
  void on_over() {
    if (in_cluster_ > 0) --in_cluster_;
    loop_.post([this] { admit(); });
  }

 private:
  Status wait_until_listed() {
    const auto deadline = std::chrono::steady_clock::now() + kFirstListPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      bool ready = false;
      loop_.run_and_wait([&] {
        ready = std::all_of(clusters_.begin(), clusters_.end(),
                            [](const auto& one) { return one->ready(); });
      });
      if (ready) {
        loop_.post([this] { look_around(); });
        return Status::ok();
      }
      {
        const std::lock_guard lock(mutex_);
        if (!refusal_.is_ok()) return refusal_;
      }
      std::this_thread::sleep_for(Milliseconds(20));
    }
    return retry_later("kube_unavailable", "no answer from every cluster within 30 s");
  }

  // Where the next pod goes: the cluster with the least of its weight in use.
  Cluster* choose() {
    Cluster* best = nullptr;
    double best_load = 0;
    for (const auto& one : clusters_) {
      const ClusterSettings& settings = one->settings();
      if (settings.weight == 0 || one->api().circuit_open()) continue;
      const std::size_t used = in_use_[one.get()];
      if (used >= one->window().size()) continue;
      const double load = static_cast<double>(used + 1) / settings.weight;
      if (best == nullptr || load < best_load) {
        best = one.get();
        best_load = load;
      }
    }
    return best;
  }

  // The cluster that runs it already, for another worker before this one.
  Cluster* home_of(const KubernetesPod& pod) {
    for (const auto& one : clusters_) {
      for (const auto& [name, job] : one->jobs()) {
        const bool same = job.batch == pod.spec().identity.batch && !job.deleting &&
                          job.task == task_label(pod.spec().identity.task);
        if (same) return one.get();
      }
    }
    return nullptr;
  }

  void admit() {
    while (!waiting_.empty()) {
      const auto pod = waiting_.front();
      if (pod->over()) {
        waiting_.pop_front();
        continue;
      }
      Cluster* cluster = home_of(*pod);
      if (cluster == nullptr && in_cluster_ < settings_.pods_max) cluster = choose();
      if (cluster == nullptr) {
        for (const auto& one : waiting_) one->wait_for_room("there is no room in the cluster yet");
        return;
      }
      waiting_.pop_front();
      ++in_cluster_;
      homes_[pod.get()] = cluster;
      ++in_use_[cluster];
      pod->begin(*cluster);
    }
  }

  // Every now and then: the metrics, what waits, what a crash left.
  void look_around() {
    bool takes = false;
    std::map<std::string, double> states{{"pending", 0}, {"running", 0}, {"queued", 0}};
    for (const auto& one : clusters_) {
      takes = takes || (one->settings().weight > 0 && !one->api().circuit_open());
      one->sweep(wall_seconds());
      states["pending"] += static_cast<double>(one->pods_in("Pending"));
      states["running"] += static_cast<double>(one->pods_in("Running"));
    }
    states["queued"] = static_cast<double>(waiting_.size());
    for (const auto& [state, count] : states) metrics_.set("assay_pods", {{"state", state}}, count);
    takes_pods_ = takes;
    admit();
    loop_.post_after(Milliseconds(500), [this] { look_around(); });
  }

 public:
  void released(KubernetesPod* pod) {
    const auto home = homes_.find(pod);
    if (home == homes_.end()) return;
    --in_use_[home->second];
    homes_.erase(home);
    on_over();
  }

 private:
  Settings settings_;
  metrics::Registry& metrics_;
  Loop loop_;
  PodContext context_;
  std::unique_ptr<http::Transfers> transfers_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  std::deque<std::shared_ptr<KubernetesPod>> waiting_;
  std::map<KubernetesPod*, Cluster*> homes_;
  std::map<Cluster*, std::size_t> in_use_;
  std::uint32_t in_cluster_ = 0;
  std::atomic<bool> takes_pods_{true};
  std::mutex mutex_;
  Status refusal_;
};

// What the evaluation holds.
class KubernetesExecutor::Handle : public Pod {
 public:
  Handle(std::shared_ptr<Shared> shared, PodSpec spec, PodEvents& events)
      : shared_(std::move(shared)) {
    // The pod outlives no loop, and its callback no pod.
    Shared* const state = shared_.get();
    pod_ = std::make_shared<KubernetesPod>(state->context(), std::move(spec), events,
                                           [state, this] { state->released(pod_.get()); });
    state->launch(pod_);
  }
  ~Handle() override {
    shared_->loop().run_and_wait([this] {
      pod_->detach(!left_);
      shared_->released(pod_.get());
      pod_.reset();
    });
  }
  void stop() override {
    shared_->loop().post([pod = pod_] { pod->stop(); });
  }
  void leave() override { left_ = true; }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<KubernetesPod> pod_;
  std::atomic<bool> left_{false};
};

KubernetesExecutor::KubernetesExecutor(Settings settings, std::string runner,
                                       metrics::Registry& metrics)
    : shared_(std::make_shared<Shared>(std::move(settings), std::move(runner), metrics)) {}

KubernetesExecutor::~KubernetesExecutor() = default;

Status KubernetesExecutor::check() {
  return shared_->connect();
}

Result<std::unique_ptr<Pod>> KubernetesExecutor::launch(PodSpec spec, PodEvents& events) {
  return std::unique_ptr<Pod>(std::make_unique<Handle>(shared_, std::move(spec), events));
}

Result<ImageProgram> KubernetesExecutor::image_program(const std::string& reference,
                                                       const std::vector<std::string>& arguments) {
  return read_image_program(registries_, reference, arguments);
}

void KubernetesExecutor::task_ended(const std::string& task, std::uint32_t attempt) {
  shared_->task_ended(task, attempt);
}

bool KubernetesExecutor::takes_pods() const {
  return shared_->takes_pods();
}

}  // namespace assay::eval::kubernetes
