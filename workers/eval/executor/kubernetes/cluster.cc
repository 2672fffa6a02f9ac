#include "workers/eval/executor/kubernetes/cluster.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "sdk/log/structured_log.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

constexpr Milliseconds kSlowStart{20'000};  // a pod that waits longer makes the window smaller
constexpr Milliseconds kDeleteAgain{5'000};

std::string selector() {
  return std::string(kManagedBy) + "=" + kManager;
}

}  // namespace

Cluster::Cluster(Loop& loop, http::Transfers& transfers, ClusterAccess access,
                 const ClusterSettings& cluster, const Settings& settings,
                 metrics::Registry& metrics)
    : loop_(loop),
      settings_(cluster),
      orphan_grace_(settings.orphan_grace),
      metrics_(metrics),
      api_(loop, transfers, std::move(access),
           {.writes_per_second = settings.writes_per_second,
            .writes_burst = 2 * settings.writes_per_second},
           metrics, cluster.name),
      window_(cluster.pods_max, kSlowStart) {
  WatchOptions jobs{.resource = "jobs", .path = jobs_path(), .selector = selector()};
  WatchOptions pods{.resource = "pods", .path = core_path("pods"), .selector = selector()};
  jobs_watch_ = std::make_unique<Watch>(
      loop, api_, jobs, [this](const std::string& object) { on_job(object); },
      [this](const std::string& name, const std::string& uid) { on_job_gone(name, uid); });
  pods_watch_ = std::make_unique<Watch>(
      loop, api_, pods, [this](const std::string& object) { on_pod(object); },
      [this](const std::string& name, const std::string& uid) { on_pod_gone(name, uid); });
}

void Cluster::start() {
  jobs_watch_->start();
  pods_watch_->start();
}

std::string Cluster::jobs_path() const {
  return "/apis/batch/v1/namespaces/" + settings_.namespace_name + "/jobs";
}

std::string Cluster::core_path(const std::string& kind) const {
  return "/api/v1/namespaces/" + settings_.namespace_name + "/" + kind;
}

std::string Cluster::log_path(const std::string& pod, const std::string& container) const {
  return core_path("pods") + "/" + pod + "/log?container=" + container;
}

void Cluster::observe(const std::string& job, JobObserver* observer) {
  observers_[job] = observer;
  unobserved_since_.erase(job);
  if (const auto found = jobs_.find(job); found != jobs_.end()) observer->on_job(found->second);
  if (const PodState* pod = pod_of(job)) observer->on_pod(PodState(*pod));
}

void Cluster::forget(const std::string& job) {
  observers_.erase(job);
}

const PodState* Cluster::pod_of(const std::string& job) const {
  const auto name = pod_of_job_.find(job);
  if (name == pod_of_job_.end()) return nullptr;
  const auto pod = pods_.find(name->second);
  return pod == pods_.end() ? nullptr : &pod->second;
}

void Cluster::know(const std::string& job_object) {
  const auto job = parse_job(job_object);
  // The watch's word, if it has come, is newer.
  if (job) jobs_.try_emplace(job->name, *job);
}

void Cluster::on_job(const std::string& object) {
  const auto job = parse_job(object);
  if (!job) return;
  jobs_[job->name] = *job;
  const auto observer = observers_.find(job->name);
  if (observer != observers_.end()) observer->second->on_job(*job);
}

void Cluster::on_job_gone(const std::string& name, const std::string&) {
  jobs_.erase(name);
  unobserved_since_.erase(name);
  const auto observer = observers_.find(name);
  if (observer != observers_.end()) observer->second->on_job_gone();
}

void Cluster::on_pod(const std::string& object) {
  auto pod = parse_pod(object);
  if (!pod) return;
  pods_[pod->name] = *pod;
  pod_of_job_[pod->job] = pod->name;
  const auto observer = observers_.find(pod->job);
  if (observer != observers_.end()) observer->second->on_pod(*pod);
}

void Cluster::on_pod_gone(const std::string& name, const std::string&) {
  const auto found = pods_.find(name);
  if (found == pods_.end()) return;
  const PodState last = std::move(found->second);
  pods_.erase(found);
  const auto of_job = pod_of_job_.find(last.job);
  if (of_job != pod_of_job_.end() && of_job->second == name) pod_of_job_.erase(of_job);
  const auto observer = observers_.find(last.job);
  if (observer != observers_.end()) observer->second->on_pod_gone(last);
}

void Cluster::delete_job(const std::string& name, const std::string& why,
                         std::function<void()> done) {
  ApiRequest request;
  request.verb = "delete";
  request.resource = "jobs";
  request.method = "DELETE";
  request.path = jobs_path() + "/" + name;
  // Without a word on it a Job leaves its pods behind.
  request.body = R"({"propagationPolicy":"Background"})";
  log::info("audit_job_deleted", {{"cluster", settings_.name}, {"job", name}, {"why", why}});
  api_.call(std::move(request), [this, name, why, done = std::move(done)](
                                    const Result<http::Response>& result) mutable {
    const bool settled = result.is_ok() && (result->good() || result->status == 404);
    if (settled) {
      // One that came and went unseen by the watch is not kept in mind.
      if (result->status == 404) jobs_.erase(name);
      if (done) done();
      return;
    }
    log::warn("cannot_delete_job", {{"cluster", settings_.name},
                                    {"job", name},
                                    {"why", result.is_ok() ? complaint_of(*result).message
                                                           : result.status().message()}});
    if (result.is_ok() || result.status().code() == Code::kRetryLater) {
      loop_.post_after(kDeleteAgain, [this, name, why, done = std::move(done)]() mutable {
        delete_job(name, why, std::move(done));
      });
    } else if (done) {
      done();
    }
  });
}

void Cluster::delete_task(const std::string& task, std::uint32_t attempt) {
  std::vector<std::string> names;
  for (const auto& [name, job] : jobs_) {
    if (job.task == task && job.attempt <= attempt && !job.deleting) names.push_back(name);
  }
  for (const std::string& name : names) delete_job(name, "its task has ended");
}

void Cluster::sweep(double now_seconds) {
  const double grace = std::chrono::duration<double>(orphan_grace_).count();
  std::vector<std::string> orphans;
  for (const auto& [name, job] : jobs_) {
    if (observers_.contains(name) || job.deleting || !job.finished) continue;
    const auto since = unobserved_since_.try_emplace(name, now_seconds).first;
    const double finished = job.finished_at > 0 ? job.finished_at : since->second;
    if (now_seconds - finished >= grace) orphans.push_back(name);
  }
  for (const std::string& name : orphans) {
    unobserved_since_.erase(name);
    delete_job(name, "no worker wants it");
  }
}

void Cluster::last_warning(const std::string& object, std::function<void(std::string)> done) {
  ApiRequest request;
  request.verb = "list";
  request.resource = "events";
  request.path = core_path("events") + "?fieldSelector=involvedObject.name%3D" + object;
  request.patience = Milliseconds(5'000);
  api_.call(std::move(request), [done = std::move(done)](const Result<http::Response>& result) {
    std::string out;
    std::string newest;
    const json list = result.is_ok() ? json::parse(result->body, nullptr, false) : json();
    if (list.is_object() && list.contains("items")) {
      for (const json& event : list["items"]) {
        if (event.value("type", "") != "Warning") continue;
        const auto time = event.find("lastTimestamp");
        const std::string when =
            time != event.end() && time->is_string() ? time->get<std::string>() : "";
        if (!out.empty() && when < newest) continue;
        newest = when;
        out = event.value("reason", "") + ": " + event.value("message", "");
      }
    }
    done(std::move(out));
  });
}

std::size_t Cluster::pods_in(const std::string& phase) const {
  std::size_t count = 0;
  for (const auto& [name, pod] : pods_) count += pod.phase == phase ? 1 : 0;
  return count;
}

}  // namespace assay::eval::kubernetes
