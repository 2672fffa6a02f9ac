#include "broker/net/settings.h"

#include "broker/net/clock.h"
#include "broker/net/schedule_settings.h"

namespace assay::net {
namespace {

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
    read_schedules(file, core.schedules, Clock::wall());
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

void describe_journal(Settings& settings, config::Options& options) {
  options.bytes("segment_bytes", settings.segment_bytes,
                "of each of the journal's files; a batch that is larger gets one of its own",
                {64 << 10, 1ULL << 30});
  options.bytes("compaction_bytes_min", settings.compaction_bytes_min,
                "the journal is compacted when it has grown by as much, and by as much as it held",
                {256 << 10, 1ULL << 40});
}

void describe_limits(core::CoreOptions& core, config::Options& options) {
  options.integer("quarantine_losses", core.quarantine_losses,
                  "lost so many workers to one body or image, its tasks are held", {1, 1'000'000});
  options.integer("owner_tasks_max", core.owner_tasks_max,
                  "tasks of one owner that have not ended; 0: no bound", {0, 100'000'000});
  options.integer("client_tasks_max", core.client_tasks_max,
                  "tasks that one client submitted and that have not ended; 0: no bound",
                  {0, 100'000'000});
  options.integer("losses_max", core.losses_max, "lost with so many workers, a task is dead",
                  {1, 100});
  options.integer("queue_tasks_max", core.queue_tasks_max,
                  "tasks that a queue holds before it refuses more", {1, 100'000'000});
  options.bytes("queue_bytes_max", core.queue_bytes_max, "bytes of bodies that a queue holds");
  options.duration("ageing_step", core.ageing_step,
                   "waiting for so long lifts a task by one priority",
                   {std::chrono::milliseconds(1000), std::chrono::hours(24 * 7)});
}

}  // namespace

void describe(Settings& settings, config::Options& options) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  options.text("data_dir", settings.data_dir, "where the journal lives");
  options.boolean("durable", settings.durable,
                  "keep a journal; without one everything ends with the process");
  describe_journal(settings, options);
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
  describe_limits(settings.core, options);
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

}  // namespace assay::net
