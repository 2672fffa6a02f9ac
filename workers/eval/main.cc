// assay-eval: takes evaluations from the broker and runs them.
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "sdk/log/structured_log.h"
#include "sdk/metrics/endpoint.h"
#include "workers/eval/evaluator.h"
#include "workers/eval/executor/kubernetes/kubernetes_executor.h"
#include "workers/eval/executor/local/local_executor.h"
#include "workers/eval/kept_artifacts.h"
#include "workers/eval/program_settings.h"

namespace {

using namespace assay;        // NOLINT(google-build-using-namespace): a program's main
using namespace assay::eval;  // NOLINT(google-build-using-namespace): as above

Worker* g_worker = nullptr;  // for the signal handler only

// The first drains, the second cancels what runs.
void on_stop_signal(int) {
  g_worker->request_stop();
}

void log_outcome(const TaskAssignment& task, const TaskOutcome& outcome) {
  log::info("evaluation_ended", {{"task", task.id.text()},
                                 {"attempt", task.attempt.number},
                                 {"outcome", to_string(outcome.outcome)},
                                 {"cause", to_string(outcome.cause)},
                                 {"reason", outcome.reason},
                                 {"result_bytes", outcome.result.size()}});
}

std::unique_ptr<Executor> make_executor(const ProgramSettings& settings,
                                        metrics::Registry& metrics) {
  if (settings.evaluation.executor == "kubernetes") {
    // The image has a runner of its own; only another one has to travel.
    const std::string runner = settings.runner_file.empty() ? "" : settings.local.runner;
    return std::make_unique<kubernetes::KubernetesExecutor>(settings.kubernetes, runner, metrics);
  }
  return std::make_unique<LocalExecutor>(settings.local);
}

// Nothing to hold when they are served nowhere.
Result<std::unique_ptr<metrics::Endpoint>> serve_metrics(const ProgramSettings& settings,
                                                         metrics::Registry& metrics) {
  if (settings.metrics.empty()) return std::unique_ptr<metrics::Endpoint>();
  auto endpoint = metrics::Endpoint::listen(settings.metrics, metrics);
  if (endpoint.is_ok()) log::info("metrics", {{"address", (*endpoint)->address()}});
  return endpoint;
}

WorkerOptions worker_options(const ProgramSettings& settings, const Executor& executor) {
  WorkerOptions options;
  options.endpoint = settings.broker;
  options.name = settings.name;
  options.key_file = settings.key;
  options.server_key = settings.server_key;
  options.queues = {QueueName("eval")};
  options.slots = settings.slots;
  options.labels = settings.labels;
  // Pods in a cluster go on without this process: there is nothing to wait for.
  options.drain_timeout = executor.pods_outlive_it() ? Duration(0) : settings.drain_timeout;
  options.hands_over = executor.pods_outlive_it();
  options.notice = [](std::string_view line) { log::warn("broker", {{"text", line}}); };
  return options;
}

int run(const ProgramSettings& settings) {
  metrics::Registry metrics;
  const std::unique_ptr<Executor> executor = make_executor(settings, metrics);
  const Status ready = executor->check();
  if (!ready.is_ok()) {
    std::fprintf(stderr, "assay-eval: %s\n", ready.message().c_str());
    return 1;
  }
  if (const auto* local = dynamic_cast<const LocalExecutor*>(executor.get());
      local != nullptr && local->removed() > 0) {
    log::warn("removed_left_pods", {{"count", local->removed()}});
  }
  auto endpoint = serve_metrics(settings, metrics);
  if (!endpoint.is_ok()) {
    std::fprintf(stderr, "assay-eval: %s\n", endpoint.status().message().c_str());
    return 1;
  }
  const Evaluator evaluator(*executor, settings.evaluation);
  std::unique_ptr<ArtifactStore> artifacts;
  if (!settings.artifacts.empty()) {
    auto opened = open_artifacts({.location = settings.artifacts});
    if (!opened.is_ok()) {
      std::fprintf(stderr, "assay-eval: %s\n", opened.status().message().c_str());
      return 1;
    }
    artifacts = std::move(*opened);
  }
  WorkerOptions options = worker_options(settings, *executor);
  options.recorded = [&evaluator](const TaskId& task, Attempt attempt, Outcome outcome) {
    evaluator.recorded(task, attempt, outcome);
  };
  Worker worker(options, [&](const TaskAssignment& task, TaskContext& context) {
    log::info("evaluation_begins", {{"task", task.id.text()},
                                    {"attempt", task.attempt.number},
                                    {"owner", task.owner.value},
                                    {"bytes", task.body.size()}});
    TaskOutcome outcome = evaluator.run(task, context);
    // A try that is to be repeated leaves nothing behind but its reason.
    if (artifacts && !outcome.result.empty() && outcome.outcome != Outcome::kRetry) {
      outcome.result = keep_artifacts(*artifacts, task.id, std::move(outcome.result));
    }
    log_outcome(task, outcome);
    return outcome;
  });
  g_worker = &worker;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGINT, on_stop_signal);
  log::info("ready", {{"broker", settings.broker},
                      {"name", worker.name()},
                      {"slots", settings.slots},
                      {"executor", settings.evaluation.executor},
                      {"endpoints", settings.evaluation.endpoints.size()}});
  const Status status = worker.run();
  // It leaves already; what is left to do is to tidy up.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  if (status.is_ok()) {
    log::info("stopped");
    return 0;
  }
  std::fprintf(stderr, "assay-eval: %s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments = join_endpoint_flags(argc, argv);
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  ProgramSettings settings;
  const auto exit_status =
      config::read_settings({"assay-eval", "Runs evaluations that nobody has to trust."},
                            static_cast<int>(pointers.size()), pointers.data(),
                            [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  return run(settings);
}
