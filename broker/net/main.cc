// assay-broker: reads its settings, recovers its state from the journal, and turns its loop until
// it is told to stop.
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <optional>

#include "broker/net/clock.h"
#include "broker/net/history_service.h"
#include "broker/net/journal_tools.h"
#include "broker/net/loop.h"
#include "broker/net/reload.h"
#include "broker/net/settings.h"
#include "broker/net/storage.h"
#include "sdk/log/structured_log.h"

namespace {

using namespace assay;       // NOLINT(google-build-using-namespace): a program's main
using namespace assay::net;  // NOLINT(google-build-using-namespace): as above

// Signals as a descriptor that the loop can poll.
int descriptor_of(std::initializer_list<int> numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

void tell_ready(int descriptor, const Endpoints& bound) {
  if (descriptor < 0) return;
  const std::string line = "{\"clients\":\"" + bound.clients + "\",\"workers\":\"" + bound.workers +
                           "\",\"feed\":\"" + bound.feed + "\",\"http\":\"" + bound.http + "\"}\n";
  if (write(descriptor, line.data(), line.size()) < 0) {
    log::warn("ready_fd_unwritable", {{"descriptor", descriptor}});
  }
  close(descriptor);
}

int fail(const Status& status) {
  std::fprintf(stderr, "assay-broker: %s\n", status.message().c_str());
  return 1;
}

// A connection takes a descriptor, and the usual limit of 1024 is there for programs that use
// select().
void allow_many_connections() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);  // if not, there are as many as there were
}

// What can't be written any more is told by the write, like any other failure.
void let_writes_fail() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

Result<std::unique_ptr<Storage>> open_storage(const Settings& settings, core::BrokerCore& core) {
  Recovery recovery;
  auto storage = settings.durable
                     ? open_journal_storage({.directory = settings.data_dir,
                                             .segment_bytes = settings.segment_bytes,
                                             .compaction_bytes_min = settings.compaction_bytes_min},
                                            settings.core, core, recovery)
                     : make_memory_storage();
  if (!storage.is_ok()) return storage;
  log::info("recovered", {{"data_dir", settings.data_dir},
                          {"durable", settings.durable},
                          {"records", recovery.records},
                          {"orphans", recovery.orphans},
                          {"tasks", core.state().tasks().size()},
                          {"report", recovery.report}});
  return storage;
}

int run(Settings& settings, const CommandWords& words) {
  allow_many_connections();
  let_writes_fail();
  const int stop_descriptor = descriptor_of({SIGTERM, SIGINT});
  const int reload_descriptor = descriptor_of({SIGHUP});
  const Clock clock;
  settings.core.history = settings.durable && settings.history;
  core::BrokerCore core(settings.core);
  auto opened = open_storage(settings, core);
  if (!opened.is_ok()) return fail(opened.status());
  const std::unique_ptr<Storage> storage = std::move(*opened);

  std::optional<HistoryService> history;
  if (settings.core.history) {
    history.emplace(history::JournalHistoryOptions{.journal_directory = settings.data_dir,
                                                   .last_sequence = storage->durable_sequence(),
                                                   .path = {},
                                                   .rebuild = settings.history_rebuild,
                                                   .retention = settings.retention});
    if (history->writer() != nullptr) storage->offer_to(*history->writer());
  }

  Loop loop(core, *storage, clock, stop_descriptor);
  if (history) loop.ask(*history);
  Status status;
  std::string security = "no keys: sockets on loopback only";
  if (!settings.key_file.empty()) {
    auto own = keys::read_key_file(settings.key_file);
    if (!own.is_ok()) return fail(own.status());
    auto known = read_known_keys(settings.known_keys);
    if (!known.is_ok()) return fail(known.status());
    security = "CURVE as " + keys::to_hex(own->public_key) + ", " + std::to_string(known->size()) +
               " known keys";
    status = loop.demand_keys(std::move(*own), std::move(*known));
  }
  if (status.is_ok()) status = loop.bind(settings.endpoints);
  if (!status.is_ok()) return fail(status);
  std::vector<QueueName> queues(settings.queues.begin(), settings.queues.end());
  core::Effects effects;
  core.start(clock.now(), queues, effects);

  loop.on_reload(reload_descriptor, [&] { return reload(settings, words, loop); });
  const Endpoints bound = loop.bound();
  log::info("ready", {{"clients", bound.clients},
                      {"workers", bound.workers},
                      {"feed", bound.feed},
                      {"http", bound.http},
                      {"security", security}});
  tell_ready(settings.ready_fd, bound);
  status = loop.run(effects);
  if (!status.is_ok()) {
    log::error("stopped", {{"reason", status.reason()}, {"message", status.message()}});
    return fail(
        std::move(status).with_context("the broker must stop, nothing more can be promised"));
  }
  if (history) history->close();
  status = storage->close();
  log::info("stopped", {{"tasks", core.state().tasks().size()}});
  return status.is_ok() ? 0 : fail(status);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  const CommandWords words{
      {"assay-broker",
       "Holds the queues, gives tasks to workers, and loses nothing that it has accepted."},
      argc,
      argv};
  const auto exit_status = config::read_settings(
      words.program, argc, argv, [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  try {
    if (settings.tools.any()) return run_journal_tools(settings.tools, settings.data_dir);
    return run(settings, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-broker: %s\n", error.what());
    return 1;
  }
}
