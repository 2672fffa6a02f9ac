// assay-report: takes the results of tasks and writes reports.
#include <csignal>
#include <cstdio>
#include <memory>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "sdk/log/structured_log.h"
#include "workers/report/program_settings.h"
#include "workers/report/reporter.h"
#include "workers/report/webhook/post_office.h"

namespace {

using namespace assay;          // NOLINT(google-build-using-namespace): a program's main
using namespace assay::report;  // NOLINT(google-build-using-namespace): as above

Worker* g_worker = nullptr;  // for the signal handler only

// The first drains, the second cancels what runs.
void on_stop_signal(int) {
  g_worker->request_stop();
}

int failed(const Status& status) {
  std::fprintf(stderr, "assay-report: %s\n", status.message().c_str());
  return 1;
}

// Prints the events that are pending again. A worker that runs finds them within a minute.
int send_again(PostOffice& office, const std::string& webhook) {
  Spool* spool = office.spool(webhook);
  if (spool == nullptr) {
    return failed(fix_input("unknown_webhook", "there is no webhook '" + webhook + "'"));
  }
  for (const std::string& id : spool->undelivered()) std::printf("%s\n", id.c_str());
  const Result<std::size_t> count = spool->send_again();
  return count.is_ok() ? 0 : failed(count.status());
}

int run(const ProgramSettings& settings) {
  std::unique_ptr<ArtifactStore> artifacts;
  if (!settings.artifacts.empty()) {
    auto opened = open_artifacts({.location = settings.artifacts});
    if (!opened.is_ok()) return failed(opened.status());
    artifacts = std::move(*opened);
  }
  ReporterSettings reporting;
  reporting.folder = settings.data_folder + "/reports";
  reporting.rates = settings.rates;
  if (!settings.clients.empty()) {
    reporting.source = [&] {
      return broker_source(settings.clients, settings.key, settings.server_key);
    };
  }
  auto office = PostOffice::open(settings.data_folder + "/webhooks", settings.webhooks);
  if (!office.is_ok()) return failed(office.status());
  if (!settings.send_again.empty()) return send_again(**office, settings.send_again);
  if (!settings.webhooks.empty()) {
    reporting.post = [&](const std::string& webhook, const std::string& id,
                         const std::string& body) { return (*office)->post(webhook, id, body); };
    (*office)->start();
  }
  const Reporter reporter(std::move(reporting), artifacts.get());
  WorkerOptions options;
  options.endpoint = settings.broker;
  options.name = settings.name;
  options.key_file = settings.key;
  options.server_key = settings.server_key;
  options.queues = {QueueName("report")};
  options.slots = settings.slots;
  options.drain_timeout = settings.drain_timeout;
  options.notice = [](std::string_view line) { log::warn("broker", {{"text", line}}); };
  Worker worker(options, [&](const TaskAssignment& task, TaskContext& context) {
    log::info("report_begins", {{"task", task.id.text()}, {"inputs", task.inputs.size()}});
    TaskOutcome outcome = reporter.run(task, context);
    log::info("report_ended", {{"task", task.id.text()},
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
  if (!status.is_ok()) return failed(status);
  log::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ProgramSettings settings;
  const auto exit_status = config::read_settings(
      {"assay-report", "Writes reports of what tasks came to, and compares them."}, argc, argv,
      [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  return run(settings);
}
