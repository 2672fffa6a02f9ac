// assay-broker: reads its settings, recovers its state from the journal, and turns its loop until
// it is told to stop.
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "broker/net/clock.h"
#include "broker/net/history_service.h"
#include "broker/net/journal_tools.h"
#include "broker/net/loop.h"
#include "broker/net/storage.h"
#include "sdk/config/program_options.h"
#include "sdk/log/structured_log.h"

namespace {

using namespace assay;       // NOLINT(google-build-using-namespace): a program's main
using namespace assay::net;  // NOLINT(google-build-using-namespace): as above

struct Settings {
  std::string data_dir = "assay-data";
  bool durable = true;
  Endpoints endpoints;
  std::string key_file;    // of the broker; empty: no keys
  std::string known_keys;  // a folder
  std::vector<std::string> queues{"eval", "build", "report", "cleanup"};
  core::CoreOptions core;
  bool history = true;
  bool history_rebuild = false;
  history::Retention retention;
  int ready_fd = -1;
  JournalTools tools;
};

// Shares and quotas, by the names of owners and queues: in the file only.
void describe_rules(core::CoreOptions& core, config::Options& options) {
  const auto checked = [](const std::string& name, config::Map& map) {
    if (valid_name(name)) return true;
    map.mistake("'" + name.substr(0, 80) +
                "' is no name: expected 1 to 64 of letters, digits, '.', '_', '-'");
    return false;
  };
  options.in_file([&core, checked](config::Map& file) {
    file.named("owner_rules", [&](const std::string& name, config::Map& map) {
      core::OwnerRule rule;
      map.integer("weight", rule.weight, {1, 1000});
      map.integer("running_cost_max", rule.running_cost_max, {0, 1'000'000'000});
      map.integer("tasks_max", rule.tasks_max, {0, 100'000'000});
      if (checked(name, map)) core.owners[OwnerName(name)] = rule;
    });
    file.named("queue_rules", [&](const std::string& name, config::Map& map) {
      core::QueueRule rule;
      map.integer("tasks_max", rule.tasks_max, {1, 100'000'000});
      if (map.has("bytes_max")) map.bytes("bytes_max", rule.bytes_max.emplace());
      map.integer("owner_running_cost_max", rule.owner_running_cost_max, {0, 1'000'000'000});
      if (checked(name, map)) core.queues[QueueName(name)] = rule;
    });
  });
}

void describe_keys(Settings& settings, config::Options& options) {
  options.text("broker_key", settings.key_file,
               "the broker's key file (assay keygen); empty: no keys, and loopback only");
  options.text("known_keys", settings.known_keys,
               "a folder with the NAME.pub of everybody who is let in");
  options.check([&settings] {
    if (settings.key_file.empty() == settings.known_keys.empty()) return Status::ok();
    return fix_input("invalid_setting",
                     "broker_key, known_keys: expected both or neither; a key without known ones "
                     "lets nobody in, known ones without a key can't be checked");
  });
  options.check([&settings] {
    if (settings.key_file.empty()) return Status::ok();
    const auto own = keys::read_key_file(settings.key_file);
    return own.is_ok() ? read_known_keys(settings.known_keys).status() : own.status();
  });
}

void describe_history(Settings& settings, config::Options& options) {
  using std::chrono::hours;
  options.boolean("history", settings.history,
                  "keep what ended and what happened in a database that can be asked");
  options.boolean(
      "history_rebuild", settings.history_rebuild,
      "throw the history away and make it anew from the journal, as far as that reaches");
  options.duration("history_kept_for", settings.retention.ended_kept_for,
                   "how long ended tasks stay in the history", {hours(1), hours(24 * 3650)});
  options.integer("history_tasks_max", settings.retention.ended_kept_max,
                  "ended tasks in the history; the oldest go first", {1000, 1'000'000'000});
  options.duration("usage_kept_for", settings.retention.usage_kept_for,
                   "how long usage by owner, queue and day is kept", {hours(24), hours(24 * 3650)});
  options.duration("events_kept_for", settings.retention.events_kept_for,
                   "how long changes of state can be asked for by those who missed them",
                   {hours(1), hours(24 * 3650)});
  options.integer("events_kept_max", settings.retention.events_kept_max,
                  "changes of state that can be asked for; the oldest go first",
                  {1000, 1'000'000'000});
}

void describe(Settings& settings, config::Options& options) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  options.text("data_dir", settings.data_dir, "where the journal lives");
  options.boolean("durable", settings.durable,
                  "keep a journal; without one everything ends with the process");
  options.text("clients", settings.endpoints.clients,
               "where producers and operators connect; port * chooses a free one");
  options.text("workers", settings.endpoints.workers, "where workers connect");
  options.text("feed", settings.endpoints.feed, "where the progress feed is published");
  options.text("http", settings.endpoints.http,
               "where health and metrics are served; empty: nowhere");
  describe_keys(settings, options);
  options.texts("queues", settings.queues,
                "queues that exist from the start; workers bring their own");
  options.duration("lease", settings.core.lease, "a worker silent for so long loses its tasks",
                   {milliseconds(500), hours(1)});
  options.duration("heartbeat_every", settings.core.heartbeat_every, "how often peers must speak",
                   {milliseconds(50), hours(1)});
  options.duration("adoption_grace", settings.core.adoption_grace,
                   "after a start: how long workers have to name what they hold",
                   {milliseconds(500), hours(1)});
  options.integer("quarantine_losses", settings.core.quarantine_losses,
                  "lost so many workers to one body or image, its tasks are held", {1, 1'000'000});
  options.integer("owner_tasks_max", settings.core.owner_tasks_max,
                  "tasks of one owner that have not ended; 0: no bound", {0, 100'000'000});
  options.integer("losses_max", settings.core.losses_max,
                  "lost with so many workers, a task is dead", {1, 100});
  options.integer("queue_tasks_max", settings.core.queue_tasks_max,
                  "tasks that a queue holds before it refuses more", {1, 100'000'000});
  options.bytes("queue_bytes_max", settings.core.queue_bytes_max,
                "bytes of bodies that a queue holds");
  options.duration("ageing_step", settings.core.ageing_step,
                   "waiting for so long lifts a task by one priority",
                   {milliseconds(1000), hours(24 * 7)});
  describe_rules(settings.core, options);
  options.integer("ended_tasks_kept_max", settings.core.ended_tasks_kept_max,
                  "ended tasks that can be asked for; the oldest are forgotten",
                  {1000, 100'000'000});
  describe_history(settings, options);
  options.integer("ready_fd", settings.ready_fd,
                  "a file descriptor that is told, in one line of JSON, where the broker listens",
                  {-1, 1023});
  options.boolean(
      "verify", settings.tools.verify,
      "read the whole journal, report all damage, and exit; the broker must be stopped");
  options.boolean("repair", settings.tools.repair,
                  "keep what is intact of a damaged journal, set the rest aside, and exit");
  options.boolean("print", settings.tools.print, "print every record of the journal and exit");
  options.text("backup", settings.tools.backup,
               "copy the journal to this directory and exit; the broker may be running");
  options.check([&settings] {
    for (const std::string& queue : settings.queues) {
      if (!valid_name(queue)) {
        return fix_input(
            "invalid_name",
            "queues: expected 1 to 64 of letters, digits, '.', '_', '-', found '" + queue + "'");
      }
    }
    return Status::ok();
  });
  options.check([&settings] {
    if (settings.core.heartbeat_every * 2 <= settings.core.lease) return Status::ok();
    return fix_input("invalid_setting",
                     "lease: expected at least twice heartbeat_every, so that one lost message "
                     "loses no task");
  });
}

// SIGTERM and SIGINT as a descriptor that the loop can poll.
int open_stop_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write over the limit fails, and is told like any other
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

int run(const Settings& settings) {
  allow_many_connections();
  const int stop_descriptor = open_stop_descriptor();
  const Clock clock;
  core::CoreOptions core_options = settings.core;
  core_options.history = settings.durable && settings.history;
  core::BrokerCore core(core_options);
  Recovery recovery;
  std::unique_ptr<Storage> storage = make_memory_storage();
  if (settings.durable) {
    auto opened = open_journal_storage(settings.data_dir, core, recovery);
    if (!opened.is_ok()) return fail(opened.status());
    storage = std::move(*opened);
  }
  log::info("recovered", {{"data_dir", settings.data_dir},
                          {"durable", settings.durable},
                          {"records", recovery.records},
                          {"orphans", recovery.orphans},
                          {"tasks", core.state().tasks().size()},
                          {"report", recovery.report}});

  std::optional<HistoryService> history;
  if (core_options.history) {
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
  std::string security = "no keys: loopback only";
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
  const auto exit_status = config::read_settings(
      {"assay-broker",
       "Holds the queues, gives tasks to workers, and loses nothing that it has accepted."},
      argc, argv, [&](config::Options& options) { describe(settings, options); });
  if (exit_status) return *exit_status;
  try {
    if (settings.tools.any()) return run_journal_tools(settings.tools, settings.data_dir);
    return run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-broker: %s\n", error.what());
    return 1;
  }
}
