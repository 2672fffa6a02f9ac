#include "workers/eval/evaluator.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/eval/base64.h"
#include "workers/eval/monitor/record.h"
#include "workers/eval/plan/plan.h"
#include "workers/eval/request.h"

namespace assay::eval {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kListenInterval{100};
// A pod that could not do its work is launched anew for what is left, so often in all.
constexpr std::uint32_t kLaunchesMax = 2;
constexpr std::size_t kLineShownMax = 16U << 10;
constexpr milliseconds kRetryDelay{5'000};
// An output of 6 MiB, in base64 and as JSON.
constexpr std::size_t kLineBytesMax = 9U << 20;

// Nothing of the task is run after it, once it is recorded.
bool is_final(Outcome outcome) {
  return outcome == Outcome::kSucceeded || outcome == Outcome::kFailed;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The grader's files with what the subject brought out, under outputs/.
std::vector<EvaluationFile> with_outputs(std::vector<EvaluationFile> files,
                                         const std::vector<OutputFile>& outputs) {
  for (const OutputFile& output : outputs) {
    const std::string path = "outputs/" + output.path;
    std::erase_if(files, [&](const EvaluationFile& file) { return file.path == path; });
    EvaluationFile file{path, {}};
    if (output.left_out || !decode_base64(output.content_base64, file.content)) continue;
    files.push_back(std::move(file));
  }
  return files;
}

// One evaluation while it runs. One thread; the pods have their own.
class Run {
 public:
  Run(Executor& executor, const EvaluationSettings& settings, const TaskAssignment& task,
      TaskContext& context, EvaluationRequest request, std::optional<ImageProgram> program)
      : executor_(executor),
        settings_(settings),
        task_(task),
        context_(context),
        request_(std::move(request)),
        program_(std::move(program)),
        safety_(settings.safety),
        deadline_(Clock::now() + request_.evaluation.timeout),
        started_at_(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())) {
    for (const Endpoint& endpoint : settings_.endpoints) {
      if (endpoint.name != request_.endpoint) continue;
      endpoints_.push_back({endpoint.name, std::make_shared<RequestBudget>(endpoint.requests_max)});
    }
  }
  // Pods may be waiting to tell something; nobody listens any more.
  ~Run() { events_.close(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  TaskOutcome run() {
    KnownTests known;
    plan_ = make_plan(request_.evaluation, known, settings_.rules);
    if (plan_.discover) {
      context_.progress(0, 0, "finding the tests");
      plan_.pods = {{std::nullopt, 0}};
      discovering_ = true;
      run_pods();
      discovering_ = false;
      if (record_.discovered() && !stop_) {
        known.names = record_.discovered();
        plan_ = make_plan(request_.evaluation, known, settings_.rules);
        record_.forget_pods();
        run_pods();
      }
    } else {
      run_pods();
    }
    if (!request_.evaluation.grader.empty()) grade();
    return finish();
  }

 private:
  struct Waiting {
    std::size_t number;
    std::optional<std::vector<std::string>> tests;
    std::uint32_t launches = 0;
  };

  // After the subject's pods are gone: what they brought out is all that the grader sees of them,
  // and what it says is the result. A subject that did not come that far is not graded.
  void grade() {
    check_stop();
    if (stop_ || !record_.may_be_graded()) return;
    grading_files_ = std::make_shared<const std::vector<EvaluationFile>>(
        with_outputs(*request_.grader_files, record_.outputs()));
    record_.begin_grading();
    first_number_ = plan_.pods.size();
    grading_ = true;
    plan_.pods = {{std::nullopt, 0}};
    plan_.why += "; then its outputs are graded in a pod of their own";
    run_pods();
  }

  // Runs every pod of the plan to its end, `at_once` at a time.
  void run_pods() {
    context_.log(plan_.why);
    std::vector<Waiting> waiting;
    for (std::size_t i = plan_.pods.size(); i > 0; --i) {
      waiting.push_back({first_number_ + i - 1, plan_.pods[i - 1].tests});
    }
    for (const PlannedPod& pod : plan_.pods) {
      record_.on_plan(first_number_ + static_cast<std::size_t>(&pod - plan_.pods.data()),
                      pod.tests ? pod.tests->size() : 0);
    }
    while (!waiting.empty() || !pods_.empty()) {
      check_stop();
      if (stop_ && pods_.empty()) return;
      while (!stop_ && !waiting.empty() && pods_.size() < plan_.at_once) {
        Waiting next = std::move(waiting.back());
        waiting.pop_back();
        launch(std::move(next), waiting);
      }
      listen(waiting);
    }
  }

  void launch(Waiting next, std::vector<Waiting>& waiting) {
    ++next.launches;
    PodSpec spec;
    const std::string batch = grading_ ? "g" : discovering_ ? "d" : std::to_string(next.number);
    spec.number = next.number;
    spec.name = lower(task_.id.text()) + "-" + std::to_string(task_.attempt.number) + "-" + batch +
                "-" + std::to_string(next.launches);
    spec.identity = {task_.id.text(), task_.attempt.number, task_.owner.value, batch,
                     next.launches};
    spec.profile = request_.profile;
    spec.files = grading_ ? grading_files_ : request_.files;
    if (!grading_) spec.endpoints = endpoints_;
    spec.limits = request_.limits;
    spec.plan.job = grading_ ? request_.grader_job : request_.job;
    spec.plan.tests = next.tests;
    spec.plan.discover_only = discovering_;
    if (!discovering_ && !grading_) spec.plan.outputs = request_.evaluation.outputs;
    spec.plan.test_timeout = request_.evaluation.test_timeout;
    spec.plan.load_timeout = settings_.load_timeout;
    spec.plan.deadline = std::max(
        milliseconds(1), std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()));
    spec.plan.concurrency = request_.concurrency;
    spec.plan.line_bytes_max = kLineBytesMax;
    if (program_ && !grading_) {
      spec.program = program_;
      spec.plan.restarts_max = 0;  // a program that was lost has no exit status
    }
    record_.on_launch(next.number);
    Result<std::unique_ptr<Pod>> pod = executor_.launch(std::move(spec), events_);
    if (pod.is_ok()) {
      pods_.emplace(next.number, Running{std::move(pod).value(), std::move(next)});
    } else {
      PodEnded end;
      end.failure = pod.status();
      record_.on_event({next.number, end});
      launch_again(std::move(next), waiting);
    }
  }

  // After a failure of the pod: what it has no result for, if it has not been tried too often.
  void launch_again(Waiting pod, std::vector<Waiting>& waiting) {
    if (pod.launches >= kLaunchesMax || stop_) return;
    if (!pod.tests && !discovering_) pod.tests = record_.discovered();
    if (pod.tests) {
      std::erase_if(*pod.tests, [&](const auto& name) { return record_.has_result(name); });
      if (pod.tests->empty()) return;
    }
    waiting.push_back(std::move(pod));
  }

  void listen(std::vector<Waiting>& waiting) {
    for (PodEvent& event : events_.wait(kListenInterval)) {
      if (auto* log = std::get_if<SubjectLog>(&event.what)) {
        pass_on(event.pod, log->bytes);
        continue;
      }
      if (auto* pending = std::get_if<PodWaiting>(&event.what)) {
        // Nothing has begun: this is what somebody who asks why is told.
        if (!begun_) context_.progress(0, 0, "waiting: " + pending->reason);
        continue;
      }
      if (!begun_ && std::holds_alternative<HarnessLine>(event.what)) {
        // The time until a pod had its place is not the evaluation's.
        begun_ = true;
        deadline_ = Clock::now() + request_.evaluation.timeout;
      }
      record_.on_event(event);
      const auto* end = std::get_if<PodEnded>(&event.what);
      if (end == nullptr) continue;
      if (!unfinished_line_[event.pod].empty()) pass_on(event.pod, "\n");
      const auto found = pods_.find(event.pod);
      Waiting pod = std::move(found->second.what);
      pods_.erase(found);
      if (!end->failure.is_ok()) launch_again(std::move(pod), waiting);
    }
    if (discovering_) return;
    if (const auto progress = record_.take_progress()) {
      context_.progress(progress->done, progress->total, progress->text);
    }
  }

  // Whole lines, each pod's apart from the others'.
  void pass_on(std::size_t pod, std::string_view bytes) {
    std::string& text = unfinished_line_[pod];
    text += bytes;
    const auto end = text.rfind('\n');
    if (end != std::string::npos) {
      tell(text.substr(0, end));
      text.erase(0, end + 1);
    } else if (text.size() > kLineShownMax) {
      tell(std::exchange(text, {}));
    }
  }

  void tell(std::string lines) {
    // The rules are for the subject; its grader is not.
    if (!grading_) {
      for (const SafetyWatch::Finding& found : safety_.look(lines)) {
        context_.safety("rule " + found.rule + ": " + found.line);
        if (found.stops && stopped_by_.empty()) stopped_by_ = found.rule;
      }
    }
    context_.log(std::move(lines));
  }

  // Stops everything when nobody wants it any more, when time is over, and when one subject could
  // not be loaded.
  void check_stop() {
    if (stop_) return;
    cancelled_ = context_.cancelled();
    left_ = cancelled_ && executor_.pods_outlive_it() &&
            context_.stop_reason() != StopReason::kCancelled;
    // The harnesses keep the time themselves; this is for what has not been launched.
    const auto grace = pods_.empty() ? milliseconds(0) : milliseconds(5'000);
    const bool waits = !begun_ && executor_.pods_outlive_it() && !pods_.empty();
    out_of_time_ = !waits && Clock::now() >= deadline_ + grace;
    stop_ = cancelled_ || out_of_time_ || !stopped_by_.empty() || record_.load_failed();
    if (!stop_) return;
    for (auto& [number, pod] : pods_) left_ ? pod.pod->leave() : pod.pod->stop();
    if (left_) pods_.clear();
  }

  TaskOutcome finish() {
    if (left_) {
      // Whoever the broker gives it to finds the pods; a task that is lost is already elsewhere.
      return context_.stop_reason() == StopReason::kWorkerStops
                 ? TaskOutcome::hand_over("this worker leaves; its pods go on")
                 : TaskOutcome::cancelled();
    }
    TaskOutcome outcome = outcome_of_pods();
    // An end that is final may have to be told by another worker, which finds it in the pods: they
    // stay until it is recorded. The next try, though, must not find this one's.
    if (!is_final(outcome.outcome)) {
      executor_.task_ended(task_.id.text(), task_.attempt.number);
    }
    for (const auto& [number, pod] : record_.pods()) {
      outcome.usage.cpu_seconds += pod.usage.cpu_seconds;
      outcome.usage.wall_seconds += pod.usage.wall_seconds;
      outcome.usage.gpu_seconds += pod.usage.gpu_seconds;
      outcome.usage.memory_byte_seconds += pod.usage.memory_byte_seconds;
    }
    return outcome;
  }

  TaskOutcome outcome_of_pods() {
    Verdict verdict = judge(request_.evaluation, record_, cancelled_, out_of_time_);
    if (!stopped_by_.empty() && !cancelled_) {
      verdict = {"failed", "stopped by the safety rule " + stopped_by_, Cause::kSafety};
    }
    DocumentFacts facts;
    facts.evaluation = &request_.evaluation;
    facts.started_at = started_at_;
    facts.ended_at = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    facts.plan = plan_.why;
    facts.executor = settings_.executor;
    facts.model = request_.model;
    facts.endpoint = request_.endpoint;
    for (const EndpointUse& use : endpoints_) facts.requests[use.name] = use.budget->used;
    std::string document = make_document(record_, verdict, facts);
    if (cancelled_) return TaskOutcome::cancelled(std::move(document));
    if (verdict.again) {
      TaskOutcome outcome = TaskOutcome::retry(verdict.reason, kRetryDelay, verdict.cause);
      outcome.result = std::move(document);
      return outcome;
    }
    if (verdict.status == "passed") return TaskOutcome::done(std::move(document));
    return TaskOutcome::failed(verdict.reason, verdict.cause, std::move(document));
  }

  struct Running {
    std::unique_ptr<Pod> pod;
    Waiting what;
  };

  Executor& executor_;
  const EvaluationSettings& settings_;
  const TaskAssignment& task_;
  TaskContext& context_;
  EvaluationRequest request_;
  std::optional<ImageProgram> program_;
  SafetyWatch safety_;
  std::string stopped_by_;  // the safety rule
  Clock::time_point deadline_;
  Time started_at_;
  std::vector<EndpointUse> endpoints_;
  EvaluationRecord record_;
  Plan plan_;
  bool discovering_ = false;
  bool grading_ = false;
  std::size_t first_number_ = 0;  // of the pods of the present plan
  std::shared_ptr<const std::vector<EvaluationFile>> grading_files_;
  bool begun_ = false;  // some harness has spoken
  bool stop_ = false;
  bool cancelled_ = false;
  bool out_of_time_ = false;
  bool left_ = false;  // the pods go on for another worker
  PodEvents events_;   // outlives the pods
  std::map<std::size_t, std::string> unfinished_line_;
  std::map<std::size_t, Running> pods_;
};

}  // namespace

void Evaluator::recorded(const TaskId& task, Attempt attempt, Outcome outcome) const {
  if (is_final(outcome)) executor_.task_ended(task.text(), attempt.number);
}

TaskOutcome Evaluator::run(const TaskAssignment& task, TaskContext& context) const {
  Result<EvaluationRequest> request = make_request(task.body, settings_, task.inputs);
  if (!request.is_ok()) return TaskOutcome::failed(request.status().message());
  if (!executor_.takes_pods()) {
    return TaskOutcome::snooze(kRetryDelay, "the cluster does not answer just now");
  }
  std::optional<ImageProgram> program;
  if (request->evaluation.kind == EvaluationKind::kImage) {
    auto found = executor_.image_program(request->evaluation.entry, request->evaluation.arguments);
    if (!found.is_ok() && found.status().code() == Code::kFixInput) {
      return TaskOutcome::failed(found.status().message());
    }
    if (!found.is_ok()) {
      return TaskOutcome::retry(found.status().message(), kRetryDelay, Cause::kInfrastructure);
    }
    context.log("image " + found->image);
    program = std::move(found).value();
  }
  return Run(executor_, settings_, task, context, std::move(request).value(), std::move(program))
      .run();
}

}  // namespace assay::eval
