#include "workers/build/builder.h"

#include <filesystem>
#include <optional>

#include "sdk/pipeline/input_reference.h"
#include "workers/build/build_run.h"
#include "workers/build/watch.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr Duration kRetryDelay{5'000};
constexpr std::size_t kReasonBytesMax = 4000;

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// Steps until nothing is left to do, or a failure that waiting does not mend.
class Steps {
 public:
  Steps(BuildRun& run, const BuildSettings& settings, TaskContext& context, BuildLog& log,
        Watch& watch)
      : run_(run), settings_(settings), context_(context), log_(log), watch_(watch) {}

  std::optional<Failure> take() {
    const Wanted wanted = run_.wanted();
    Step last = Step::kFinish;
    std::uint32_t failures = 0;
    Clock::time_point failing_since;
    for (Step step = next_step(wanted, observed_); step != Step::kFinish;
         step = next_step(wanted, observed_)) {
      if (step != last) failures = 0;
      last = step;
      std::optional<Failure> failure = run_.act(step, observed_);
      if (watch_.token().stop_requested()) {
        failure = Failure{Failure::Kind::kStopped, "stopped"};
      }
      if (!failure) {
        failures = 0;
        continue;
      }
      if (failures++ == 0) failing_since = Clock::now();
      const auto waited = std::chrono::duration_cast<Duration>(Clock::now() - failing_since);
      const auto pause = pause_before_retry(step, *failure, failures, waited, settings_.patience);
      if (!pause) {
        observed_.failure = failure;
        continue;
      }
      log_.line(failure->reason + "; trying again in " + std::to_string(pause->count()) + " ms");
      log_.flush();
      context_.progress(0, 0, std::string(stage_of(step)) + ": waiting: " + failure->reason);
      (void)context_.wait_cancelled(*pause);
    }
    return observed_.failure;
  }

 private:
  BuildRun& run_;
  const BuildSettings& settings_;
  TaskContext& context_;
  BuildLog& log_;
  Watch& watch_;
  Observed observed_;
};

TaskOutcome outcome_of(const BuildRequest& request, const BuildRecord& record,
                       const std::optional<Failure>& failure) {
  if (!failure) return TaskOutcome::done(result_document(request, record, "completed", ""));
  const std::string reason = failure->reason.substr(0, kReasonBytesMax);
  switch (failure->kind) {
    case Failure::Kind::kStopped:
      return TaskOutcome::cancelled(result_document(request, record, "cancelled", reason));
    case Failure::Kind::kTransient: {
      TaskOutcome outcome = TaskOutcome::retry(reason, kRetryDelay, Cause::kInfrastructure);
      outcome.result = result_document(request, record, "failed", reason);
      return outcome;
    }
    case Failure::Kind::kLimit:
      return TaskOutcome::failed(reason, Cause::kLimit,
                                 result_document(request, record, "failed", reason));
    case Failure::Kind::kTask:
      break;
  }
  return TaskOutcome::failed(reason, Cause::kTask,
                             result_document(request, record, "failed", reason));
}

}  // namespace

namespace {

// What stands there as a reference to the result of a task that this one comes after. It is judged
// afterwards, like everything else in the request.
Result<BuildRequest> request_of(const TaskAssignment& task) {
  Result<BuildRequest> request = decode_build(task.body);
  if (!request.is_ok() || task.inputs.empty()) return request;
  std::vector<std::string*> texts;
  for (auto& [name, value] : request->arguments) texts.push_back(&value);
  for (auto& [name, value] : request->labels) texts.push_back(&value);
  if (request->validation) {
    for (auto& [name, value] : request->validation->environment) texts.push_back(&value);
    texts.push_back(&request->validation->inference_body);
  }
  for (std::string* text : texts) {
    const Status status = pipeline::resolve_inputs(*text, task.inputs);
    if (!status.is_ok()) return status;
  }
  const std::string problems = build_problems(*request);
  if (!problems.empty()) return fix_input("invalid_build", problems);
  return request;
}

}  // namespace

TaskOutcome Builder::run(const TaskAssignment& task, TaskContext& context) {
  const Time started_at = now();
  const Result<BuildRequest> request = request_of(task);
  if (!request.is_ok()) return TaskOutcome::failed(request.status().message());
  const std::string folder = settings_.folder + "/" + task.id.text();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return TaskOutcome::retry("cannot make " + folder, kRetryDelay, Cause::kInfrastructure);
  const std::string log_path = folder + ".log";
  std::optional<Failure> failure;
  BuildRecord record;
  {
    BuildLog log(context, log_path);
    const Duration timeout = std::min(request->timeout, settings_.timeout_max);
    Watch watch(context, Clock::now() + timeout);
    BuildRun run({parts_, settings_, tag_locks_, task, context, log, folder, watch.token()},
                 *request);
    failure = Steps(run, settings_, context, log, watch).take();
    if (failure && watch.timed_out()) {
      failure = Failure{Failure::Kind::kLimit, "it was not done within its time of " +
                                                   std::to_string(timeout.count() / 1000) +
                                                   " s; it was " + run.record().stage};
    }
    log.flush();
    record = std::move(run.record());
    record.log_lines = log.lines();
    record.log = log.tail();
  }
  // What the engine made although its answer never came.
  if (failure) {
    (void)remove_labelled(parts_.engine, std::string(kTaskLabel) + "=" + task.id.text(), {});
  }
  if (parts_.keep_log) record.log_artifact = parts_.keep_log(task.id, log_path);
  record.started_at = started_at;
  record.ended_at = now();
  fs::remove_all(folder, error);
  fs::remove(log_path, error);
  if (!failure) record.stage = "completed";
  context.progress(failure ? 0 : 1, failure ? 0 : 1, failure ? "failed" : "completed");
  return outcome_of(*request, record, failure);
}

Status remove_labelled(DockerApi& engine, const std::string& label, const std::stop_token& stop) {
  const Result<std::vector<std::string>> containers = engine.containers_with(label, stop);
  if (!containers.is_ok()) return containers.status();
  for (const std::string& id : *containers) {
    Status status = engine.remove_container(id, stop);
    if (!status.is_ok()) return status;
  }
  const Result<std::vector<std::string>> networks = engine.networks_with(label, stop);
  if (!networks.is_ok()) return networks.status();
  for (const std::string& id : *networks) {
    Status status = engine.remove_network(id, stop);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status Builder::clear_leftovers(const std::stop_token& stop) {
  std::error_code error;
  fs::remove_all(settings_.folder, error);
  fs::create_directories(settings_.folder, error);
  return remove_labelled(parts_.engine, std::string(kWorkerLabel) + "=" + settings_.instance, stop);
}

}  // namespace assay::image_build
