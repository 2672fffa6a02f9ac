#include "workers/eval/executor/kubernetes/kubernetes_pod.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "sdk/log/structured_log.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

constexpr Milliseconds kTick{500};
// After `finished` the subject's container has so long to leave with its log read.
constexpr Milliseconds kLeaveGrace{15'000};
// The harness notices within this that its subject is gone, if it ever had one.
constexpr Milliseconds kNoticeTimeout{3'000};
constexpr Milliseconds kDeadlineGrace{30'000};
constexpr Milliseconds kAskForWarningAfter{8'000};

double now_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// "500m" or "2" as processors.
double processors(const std::string& cpu) {
  const double number = std::strtod(cpu.c_str(), nullptr);
  return cpu.ends_with('m') ? number / 1000 : number;
}

}  // namespace

KubernetesPod::KubernetesPod(PodContext& context, PodSpec spec, PodEvents& events,
                             std::function<void()> on_over)
    : context_(context),
      spec_(std::move(spec)),
      events_(&events),
      on_over_(std::move(on_over)),
      log_(spec_.limits.log_bytes) {}

KubernetesPod::~KubernetesPod() {
  *alive_ = false;
}

void KubernetesPod::push(decltype(PodEvent::what) what) {
  if (events_ != nullptr) events_->push_now({spec_.number, std::move(what)});
}

void KubernetesPod::tell_waiting(const std::string& why) {
  if (why.empty() || why == waiting_told_ || over_) return;
  waiting_told_ = why;
  push(PodWaiting{why});
}

void KubernetesPod::begin(Cluster& cluster) {
  cluster_ = &cluster;
  begun_at_ = Loop::Clock::now();
  Result<Manifest> manifest =
      make_manifest(spec_, context_.settings, cluster.settings(), context_.runner);
  if (!manifest.is_ok()) return fail(manifest.status());
  manifest_ = std::move(manifest).value();
  if (const JobState* job = find_to_adopt()) {
    adopted_ = true;
    job_ = job->name;
    log::info("job_adopted", {{"cluster", cluster.settings().name},
                              {"job", job_},
                              {"task", spec_.identity.task},
                              {"batch", spec_.identity.batch}});
    cluster.observe(job_, this);
  } else {
    job_ = manifest_.job_name;
    cluster.observe(job_, this);
    create();
  }
  tick();
}

// The newest that runs the same thing for the same task, if this is the first launch of the batch
// here: a worker before this one has started it.
const JobState* KubernetesPod::find_to_adopt() const {
  const JobState* best = nullptr;
  for (const auto& [name, job] : cluster_->jobs()) {
    const bool same = job.batch == spec_.identity.batch && job.spec == manifest_.spec &&
                      job.attempt <= spec_.identity.attempt && !job.deleting &&
                      job.task == manifest_.task_label;
    if (!same || (job.attempt == spec_.identity.attempt && job.launch < spec_.identity.launch)) {
      continue;
    }
    if (spec_.identity.launch > 1 && job.attempt < spec_.identity.attempt) continue;
    const auto rank = [](const JobState& one) { return std::pair(one.attempt, one.launch); };
    if (best == nullptr || rank(*best) < rank(job)) best = &job;
  }
  return best;
}

void KubernetesPod::create() {
  ApiRequest request;
  request.verb = "create";
  request.resource = "jobs";
  request.method = "POST";
  request.path = cluster_->jobs_path();
  request.body = manifest_.job;
  auto self = weak_from_this();
  cluster_->api().call(std::move(request), [this, self](const Result<http::Response>& result) {
    const auto alive = self.lock();
    if (!alive || over_) return;
    if (!result.is_ok()) return fail(result.status());
    if (result->good()) return on_created(*result);
    if (result->status == 409) return on_conflict();
    fail(fix_input("pod_failed", "the cluster refused the Job: " + complaint_of(*result).message));
  });
}

void KubernetesPod::on_created(const http::Response& response) {
  const auto job = parse_job(response.body);
  if (!job) return fail(retry_later("pod_failed", "the cluster answered without the Job"));
  job_there_ = true;
  job_uid_ = job->uid;
  cluster_->know(response.body);
  context_.metrics.add("assay_jobs_created_total");
  log::info("audit_job_created",
            {{"cluster", cluster_->settings().name},
             {"job", job_},
             {"task", spec_.identity.task},
             {"attempt", spec_.identity.attempt},
             {"owner", spec_.identity.owner},
             {"image", spec_.program ? spec_.program->image : context_.settings.subject_image},
             {"profile", spec_.profile},
             {"memory", spec_.limits.memory_bytes}});
  for (std::size_t part = 0; part < manifest_.parts.size(); ++part) create_part(part);
}

// It is there already: ours from a try whose answer was lost, or one that is being deleted.
void KubernetesPod::on_conflict() {
  ApiRequest request;
  request.verb = "get";
  request.resource = "jobs";
  request.path = cluster_->jobs_path() + "/" + job_;
  auto self = weak_from_this();
  cluster_->api().call(std::move(request), [this, self](const Result<http::Response>& result) {
    const auto alive = self.lock();
    if (!alive || over_) return;
    if (!result.is_ok()) return fail(result.status());
    const auto job = result->good() ? parse_job(result->body) : std::nullopt;
    if (job && !job->deleting && job->spec == manifest_.spec) return on_created(*result);
    if (job && !job->deleting) {
      return fail({Code::kConflict, "pod_failed",
                   "the Job " + job_ + " is there already and runs something else"});
    }
    // Gone, or on its way: then there is room for ours.
    context_.loop.post_after(Milliseconds(500), [this, self] {
      const auto still = self.lock();
      if (still && !over_) create();
    });
  });
}

void KubernetesPod::create_part(std::size_t part) {
  auto self = weak_from_this();
  ApiRequest request;
  request.verb = "create";
  request.resource = "configmaps";
  request.method = "POST";
  request.path = cluster_->core_path("configmaps");
  request.body = config_map(manifest_, part, job_uid_);
  cluster_->api().call(std::move(request), [this, self](const Result<http::Response>& result) {
    const auto alive = self.lock();
    if (!alive || over_) return;
    if (!result.is_ok()) return fail(result.status());
    if (result->good() || result->status == 409) return;
    fail(
        fix_input("pod_failed", "the cluster refused the files: " + complaint_of(*result).message));
  });
}

void KubernetesPod::on_job(const JobState& job) {
  job_there_ = true;
  // A worker that died between the Job and its files left it without them.
  if (adopted_ && !job.finished && !pod_ && manifest_.job_name == job_) {
    adopted_ = false;
    job_uid_ = job.uid;
    for (std::size_t part = 0; part < manifest_.parts.size(); ++part) create_part(part);
  }
}

void KubernetesPod::on_job_gone() {
  if (!pod_ && job_there_) fail(retry_later("pod_failed", "its Job was deleted"));
}

void KubernetesPod::on_pod(const PodState& pod) {
  if (over_) return;
  if (pod_ && pod_->uid != pod.uid) {
    // One Job, one pod: a second one is not ours to believe.
    return fail(retry_later("pod_failed", "the pod was replaced by another"));
  }
  // What has ended stays so, whatever comes late.
  if (pod_ && pod_->over() && !pod.over()) return;
  pod_ = pod;
  look_at_pod();
}

void KubernetesPod::on_pod_gone(const PodState& last) {
  if (over_) return;
  pod_ = last;
  pod_gone_ = true;
  if (finished_) return finish();
  fail(fault_of(last, true));
}

void KubernetesPod::look_at_pod() {
  look_at_waiting();
  if (!over_) look_at_containers();
}

void KubernetesPod::look_at_waiting() {
  const std::string why = waiting_reason(*pod_);
  if (!why.empty()) return tell_waiting(why);
  if (!started_told_ && pod_->phase == "Running") {
    started_told_ = true;
    cluster_->window().on_started();
  }
}

void KubernetesPod::look_at_containers() {
  const ContainerState* prepare = pod_->container(kPrepare);
  if (prepare != nullptr && prepare->terminated && !isolation_told_) {
    isolation_told_ = true;
    const json found = json::parse(prepare->message, nullptr, false);
    if (found.is_object()) {
      push(PodIsolation{found.value("isolated", false), prepare->message});
    }
  }
  const ContainerState* harness = pod_->container(kHarness);
  const ContainerState* subject = pod_->container(kSubject);
  if (harness != nullptr && (harness->running || harness->terminated)) {
    follow(harness_, kHarness, [this](const std::string& text) { on_harness_text(text); });
    if (harness->terminated) harness_->container_ended();
  }
  if (over_) return;
  if (subject != nullptr && (subject->running || subject->terminated)) {
    follow(subject_, kSubject, [this](std::string text) { on_subject_text(std::move(text)); });
    if (subject->terminated) {
      subject_->container_ended();
      on_subject_gone();
    }
  }
  if (over_ || !pod_->over()) return;
  // A pod that has failed before its harness began has nothing more to say.
  const bool harness_ran = harness != nullptr && (harness->running || harness->terminated);
  if (!harness_ran && !finished_) fail(fault_of(*pod_, false));
}

void KubernetesPod::follow(std::unique_ptr<LogFollow>& log, const char* container,
                           LogFollow::OnText on_text) {
  if (log) return;
  log = std::make_unique<LogFollow>(context_.loop, cluster_->api(),
                                    cluster_->log_path(pod_->name, container), std::move(on_text),
                                    [this] { maybe_over(); });
  log->start();
}

void KubernetesPod::on_harness_text(const std::string& text) {
  half_line_ += text;
  std::size_t begin = 0;
  for (std::size_t end; (end = half_line_.find('\n', begin)) != std::string::npos;) {
    on_harness_line(half_line_.substr(begin, end - begin));
    begin = end + 1;
  }
  half_line_.erase(0, begin);
}

void KubernetesPod::on_harness_line(std::string line) {
  if (over_) return;
  const json event = json::parse(line, nullptr, false);
  const std::string name = event.is_object() ? event.value("event", "") : "";
  if (name == "listening") ++end_.starts;
  if (name == "connected") connected_ = true;
  if (name == "respawn") {
    ++end_.starts;
    const ContainerState* subject = pod_->container(kSubject);
    const bool out_of_memory = subject != nullptr && subject->reason == "OOMKilled";
    push(SubjectEnded{std::nullopt, std::nullopt, out_of_memory ? "memory" : "", false});
  }
  push(HarnessLine{std::move(line)});
  if (name != "finished") return;
  finished_ = true;
  finished_at_ = Loop::Clock::now();
}

void KubernetesPod::on_subject_text(std::string text) {
  log_.add(text);
  push(SubjectLog{std::move(text)});
}

void KubernetesPod::on_subject_gone() {
  if (subject_gone_at_) return;
  subject_gone_at_ = Loop::Clock::now();
  const ContainerState* subject = pod_->container(kSubject);
  push(SubjectEnded{subject->exit_code, std::nullopt,
                    subject->reason == "OOMKilled" ? "memory" : "", stopping_});
}

void KubernetesPod::fail(const PodFault& fault) {
  if (over_) return;
  if (fault.blame == Blame::kInfrastructure) {
    return fail(retry_later("pod_failed", fault.reason));
  }
  // It is the subject's own doing: what the harness can no longer say is said for it.
  if (!fault.limit.empty()) push(SubjectEnded{std::nullopt, std::nullopt, fault.limit, false});
  const json line = {{"event", "finished"},
                     {"reason", connected_ ? "gave_up" : "load_failed"},
                     {"text", fault.reason},
                     {"detail", ""},
                     {"not_run", spec_.plan.tests.value_or(std::vector<std::string>())}};
  push(HarnessLine{line.dump(-1, ' ', false, json::error_handler_t::replace)});
  finished_ = true;
  finish();
}

void KubernetesPod::fail(Status status) {
  if (over_) return;
  end_.failure = std::move(status);
  finish();
}

void KubernetesPod::maybe_over() {
  if (over_ || !harness_ || !harness_->over()) return;
  if (!finished_) return fail(fault_of(*pod_, pod_gone_));
  if (subject_ && !subject_->over()) return;
  finish();
}

void KubernetesPod::finish() {
  if (over_) return;
  over_ = true;
  end_.usage = usage();
  end_.log = log_.text();
  // A pod that could not do its work is of no use to anybody; one that could is kept until its task
  // has ended.
  if (cluster_ != nullptr && !end_.failure.is_ok() && !job_.empty()) {
    cluster_->delete_job(job_, end_.failure.message());
  }
  harness_.reset();
  subject_.reset();
  push(std::move(end_));
  on_over_();
}

PodUsage KubernetesPod::usage() const {
  PodUsage out;
  if (!pod_ || pod_->started_at == 0) return out;
  double end = 0;
  for (const ContainerState& one : pod_->containers) end = std::max(end, one.ended_at);
  if (end == 0) end = now_seconds();
  out.wall_seconds = std::max(0.0, end - pod_->started_at);
  const auto profile = context_.settings.profiles.find(spec_.profile);
  const PodProfile& used =
      profile == context_.settings.profiles.end() ? PodProfile() : profile->second;
  // What was reserved, for as long as it was: two containers of a tenth each stand beside it.
  out.cpu_seconds = out.wall_seconds * (processors(used.cpu) + 0.1);
  out.gpu_seconds = out.wall_seconds * used.gpus;
  out.memory_byte_seconds = out.wall_seconds * static_cast<double>(spec_.limits.memory_bytes);
  return out;
}

void KubernetesPod::tick() {
  auto self = weak_from_this();
  context_.loop.post_after(kTick, [this, self] {
    const auto alive = self.lock();
    if (alive && !over_) tick();
  });
  const auto now = Loop::Clock::now();
  const auto waited = std::chrono::duration_cast<Milliseconds>(now - begun_at_);
  if (finished_) {
    if (now - finished_at_ > kLeaveGrace) finish();
    return;
  }
  if (subject_gone_at_ && !connected_ && now - *subject_gone_at_ > kNoticeTimeout) {
    return fail(subject_fault(*pod_->container(kSubject)));
  }
  if (!pod_) {
    if (job_there_ && waited > context_.settings.no_pod_max) {
      cluster_->last_warning(job_, [this, self](const std::string& warning) {
        const auto alive = self.lock();
        if (!alive || over_ || pod_) return;
        fail(retry_later("pod_failed", "the Job made no pod: " + warning));
      });
    }
    return;
  }
  if (pod_->phase != "Pending") {
    if (waited > spec_.plan.deadline + context_.settings.pending_max + kDeadlineGrace) {
      fail(retry_later("pod_failed", "the harness did not end at its deadline"));
    }
    return;
  }
  cluster_->window().on_pending(waited, now);
  if (waited > kAskForWarningAfter && !asked_for_warning_) {
    asked_for_warning_ = true;
    cluster_->last_warning(pod_->name, [this, self](std::string warning) {
      const auto alive = self.lock();
      if (alive && !over_) warning_ = std::move(warning);
    });
  }
  if (const auto fault = overdue(*pod_, waited, context_.settings, warning_)) fail(*fault);
}

void KubernetesPod::stop() {
  if (over_ || stopping_) return;
  stopping_ = true;
  if (cluster_ == nullptr) return finish();
  auto self = weak_from_this();
  cluster_->delete_job(job_, "stopped", [this, self] {
    const auto alive = self.lock();
    if (alive && !over_) finish();
  });
}

void KubernetesPod::detach(bool remove) {
  events_ = nullptr;
  if (cluster_ == nullptr) {
    over_ = true;
    return;
  }
  if (!over_ && remove && !stopping_) cluster_->delete_job(job_, "stopped");
  if (!job_.empty()) cluster_->forget(job_);
  if (!over_) {
    over_ = true;
    on_over_();
  }
  harness_.reset();
  subject_.reset();
}

}  // namespace assay::eval::kubernetes
