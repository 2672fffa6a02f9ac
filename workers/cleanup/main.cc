// assay-cleanup: removes what nobody needs any more.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "sdk/log/structured_log.h"
#include "workers/cleanup/cleaner.h"
#include "workers/cleanup/program_settings.h"

namespace {

using namespace assay;           // NOLINT(google-build-using-namespace): a program's main
using namespace assay::cleanup;  // NOLINT(google-build-using-namespace): as above

Worker* g_worker = nullptr;  // for the signal handler only

// The first drains, the second cancels what runs.
void on_stop_signal(int) {
  g_worker->request_stop();
}

int failed(const std::string& message) {
  std::fprintf(stderr, "assay-cleanup: %s\n", message.c_str());
  return 1;
}

WorkerOptions worker_options(const ProgramSettings& settings) {
  WorkerOptions options;
  options.endpoint = settings.broker;
  options.name = settings.name;
  options.key_file = settings.key;
  options.server_key = settings.server_key;
  options.queues = {QueueName("cleanup")};
  options.slots = 1;
  options.drain_timeout = settings.drain_timeout;
  options.notice = [](std::string_view line) { log::warn("broker", {{"text", line}}); };
  return options;
}

int run(const ProgramSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(settings.data_folder, error);
  if (error) return failed("cannot make '" + settings.data_folder + "': " + error.message());
  std::unique_ptr<ArtifactStore> artifacts;
  if (!settings.artifacts.empty()) {
    auto opened = open_artifacts({.location = settings.artifacts});
    if (!opened.is_ok()) return failed(opened.status().message());
    artifacts = std::move(*opened);
  }
  CleanerSettings cleaning;
  cleaning.data_folder = settings.data_folder;
  cleaning.reports_folder = settings.reports_folder;
  cleaning.policy = settings.policy;
  cleaning.broker = [&] {
    return broker_view(settings.clients, settings.key, settings.server_key);
  };
  cleaning.now = [] {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  };
  const Cleaner cleaner(std::move(cleaning), artifacts.get());
  Worker worker(worker_options(settings), [&](const TaskAssignment& task, TaskContext& context) {
    log::info("cleanup_begins", {{"task", task.id.text()}});
    TaskOutcome outcome = cleaner.run(task, context);
    log::info("cleanup_ended", {{"task", task.id.text()},
                                {"outcome", to_string(outcome.outcome)},
                                {"reason", outcome.reason}});
    return outcome;
  });
  g_worker = &worker;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGINT, on_stop_signal);
  log::info("ready", {{"broker", settings.broker}, {"name", worker.name()}});
  const Status status = worker.run();
  // It leaves already; what is left to do is to tidy up.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  if (!status.is_ok()) return failed(status.message());
  log::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ProgramSettings settings;
  const auto exit_status = config::read_settings(
      {"assay-cleanup", "Removes what nobody needs any more, and nothing else."}, argc, argv,
      [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  return run(settings);
}
