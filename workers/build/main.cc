// assay-build: takes builds from the broker and carries them out with a Docker engine. Without one
// it takes nothing, says so, and begins when it comes.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "sdk/http/client.h"
#include "sdk/http/request.h"
#include "sdk/log/structured_log.h"
#include "workers/build/builder.h"
#include "workers/build/docker/engine_client.h"
#include "workers/build/instance.h"
#include "workers/build/program_settings.h"
#include "workers/build/registry/registry_client.h"

namespace {

using namespace assay;               // NOLINT(google-build-using-namespace): a program's main
using namespace assay::image_build;  // NOLINT(google-build-using-namespace): as above

constexpr Duration kLookForEngine{1'000};
constexpr int kMissesMax = 3;  // an engine that is only busy is not away

std::atomic<Worker*> g_worker = nullptr;  // for the signal handler only
std::atomic<int> g_signals = 0;

void on_stop_signal(int) {
  ++g_signals;
  if (Worker* const worker = g_worker) worker->request_stop();
}

Probe probe_with(http::Client& client) {
  return
      [&client](const std::string& method, const std::string& url, const std::string& content_type,
                const std::string& body, Duration timeout) -> Result<ProbeAnswer> {
        http::Request request;
        request.method = method;
        request.url = url;
        if (!content_type.empty()) request.headers = {{"Content-Type", content_type}};
        request.body = body;
        request.timeouts.total = timeout;
        request.response_bytes_max = 4U << 20;
        const Result<http::Response> response = client.perform(std::move(request));
        if (!response.is_ok()) return response.status();
        return ProbeAnswer{response->status, response->body};
      };
}

ReadArtifact reader_of(ArtifactStore* store) {
  if (store == nullptr) return {};
  return [store](const std::string& sha256, const std::string& path) -> Status {
    std::FILE* const file = std::fopen(path.c_str(), "wbe");
    if (file == nullptr) return internal_error("no_folder", "cannot write " + path);
    Status status = store->get(
        ArtifactHash::parse(sha256).value_or(ArtifactHash{}), {}, [file](std::string_view bytes) {
          const auto count = std::fwrite(bytes.data(), 1, bytes.size(), file);
          if (count == bytes.size()) return Status::ok();
          return internal_error("disk_full", "cannot write the context");
        });
    if (std::fclose(file) != 0 && status.is_ok()) {
      status = internal_error("disk_full", "cannot write the context");
    }
    return status;
  };
}

KeepLog keeper_of(ArtifactStore* store) {
  if (store == nullptr) return {};
  return [store](const TaskId& task, const std::string& path) -> std::string {
    const Result<ByteSource> source = bytes_of_file(path);
    if (!source.is_ok()) return {};
    const Result<ArtifactInfo> kept = store->put(*source);
    if (!kept.is_ok()) {
      log::warn("log_not_kept", {{"task", task.text()}, {"why", kept.status().message()}});
      return {};
    }
    (void)store->set_name({task, "build.log"}, kept->hash);
    return kept->hash.text();
  };
}

TaskOutcome build_and_log(Builder& builder, const TaskAssignment& task, TaskContext& context) {
  log::info("build_begins", {{"task", task.id.text()},
                             {"attempt", task.attempt.number},
                             {"owner", task.owner.value},
                             {"bytes", task.body.size()}});
  TaskOutcome outcome = builder.run(task, context);
  log::info("build_ended", {{"task", task.id.text()},
                            {"attempt", task.attempt.number},
                            {"outcome", to_string(outcome.outcome)},
                            {"cause", to_string(outcome.cause)},
                            {"reason", outcome.reason}});
  return outcome;
}

// Returns once an engine answers, or a signal came.
bool wait_for_engine(EngineClient& engine, const std::string& where) {
  bool told = false;
  while (g_signals == 0) {
    const Result<EngineInfo> info = engine.info({});
    if (info.is_ok()) {
      log::info("engine", {{"version", info->version}, {"platform", info->platform}});
      return true;
    }
    if (!told) log::warn("no_engine", {{"docker_host", where}, {"why", info.status().message()}});
    told = true;
    std::this_thread::sleep_for(kLookForEngine);
  }
  return false;
}

// One time with the broker: until a signal, or until the engine has gone.
Status work(const ProgramSettings& settings, EngineClient& engine, Builder& builder) {
  const Status cleared = builder.clear_leftovers({});
  if (!cleared.is_ok()) return Status::ok();  // the engine went at once; it is waited for again
  WorkerOptions options;
  options.endpoint = settings.broker;
  options.name = settings.name;
  options.key_file = settings.key;
  options.server_key = settings.server_key;
  options.queues = {QueueName("build")};
  options.slots = settings.slots;
  options.drain_timeout = settings.drain_timeout;
  options.notice = [](std::string_view line) { log::warn("broker", {{"text", line}}); };
  Worker worker(options, [&builder](const TaskAssignment& task, TaskContext& context) {
    return build_and_log(builder, task, context);
  });
  const std::jthread watch([&](const std::stop_token& ended) {
    int misses = 0;
    while (!ended.stop_requested() && misses < kMissesMax) {
      misses = engine.info(ended).is_ok() ? 0 : misses + 1;
      for (int i = 0; i < 10 && !ended.stop_requested(); ++i) {
        std::this_thread::sleep_for(kLookForEngine / 10);
      }
    }
    if (ended.stop_requested()) return;
    log::warn("engine_gone", {{"docker_host", settings.docker_host}});
    worker.request_stop();
  });
  g_worker = &worker;
  if (g_signals > 0) worker.request_stop();
  log::info("ready",
            {{"broker", settings.broker}, {"name", worker.name()}, {"slots", settings.slots}});
  const Status status = worker.run();
  g_worker = nullptr;
  return status;
}

int fail(const Status& status) {
  std::fprintf(stderr, "assay-build: %s\n", status.message().c_str());
  return 1;
}

int run(ProgramSettings& settings) {
  const Result<Instance> instance = Instance::take(settings.data_folder);
  if (!instance.is_ok()) return fail(instance.status());
  settings.build.instance = instance->id();
  std::unique_ptr<ArtifactStore> store;
  if (!settings.artifacts.empty()) {
    Result<std::unique_ptr<ArtifactStore>> opened =
        open_artifacts({.location = settings.artifacts});
    if (!opened.is_ok()) return fail(opened.status());
    store = std::move(*opened);
  }
  EngineClient engine(socket_of(settings.docker_host).value());
  RegistryClient registry(settings.build.registries);
  http::Client client;
  Builder builder(
      {engine, registry, probe_with(client), reader_of(store.get()), keeper_of(store.get())},
      settings.build);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGINT, on_stop_signal);
  while (wait_for_engine(engine, settings.docker_host)) {
    const Status status = work(settings, engine, builder);
    if (!status.is_ok()) return fail(status);
    if (g_signals > 0) break;
  }
  log::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ProgramSettings settings;
  const auto exit_status =
      config::read_settings({"assay-build", "Builds, pushes and tests container images."}, argc,
                            argv, [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  return run(settings);
}
