#include "broker/net/reload.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "sdk/log/structured_log.h"

namespace assay::net {
namespace {

// The settings that take effect at once; beside those in the file only (rules, schedules).
constexpr std::array<std::string_view, 9> kLive{
    "client_tasks_max", "losses_max",  "quarantine_losses",    "owner_tasks_max", "queue_tasks_max",
    "queue_bytes_max",  "ageing_step", "ended_tasks_kept_max", "known_keys"};

bool is_live(const std::string& key) {
  return std::find(kLive.begin(), kLive.end(), key) != kLive.end();
}

// The current options with what may change taken from `fresh`.
core::CoreOptions with_live_ones(core::CoreOptions options, const core::CoreOptions& fresh) {
  options.losses_max = fresh.losses_max;
  options.quarantine_losses = fresh.quarantine_losses;
  options.client_tasks_max = fresh.client_tasks_max;
  options.owner_tasks_max = fresh.owner_tasks_max;
  options.queue_tasks_max = fresh.queue_tasks_max;
  options.queue_bytes_max = fresh.queue_bytes_max;
  options.ageing_step = fresh.ageing_step;
  options.ended_tasks_kept_max = fresh.ended_tasks_kept_max;
  options.owners = fresh.owners;
  options.queues = fresh.queues;
  options.schedules = fresh.schedules;
  return options;
}

std::string keys_that_need_a_restart(Settings& current, Settings& fresh) {
  config::Options before, after;
  describe(current, before);
  describe(fresh, after);
  std::string keys;
  for (const std::string& key : config::different_keys(before, after)) {
    if (!is_live(key)) keys += (keys.empty() ? "" : ", ") + key;
  }
  return keys;
}

void refuse(const std::string& mistakes) {
  std::istringstream lines(mistakes);
  for (std::string line; std::getline(lines, line);)
    log::error("reload_refused", {{"mistake", line}, {"effect", "everything stays as it was"}});
}

}  // namespace

Status reload(Settings& current, const CommandWords& words, Loop& loop) {
  Settings fresh;
  const Status read =
      config::reread_settings(words.program, words.argc, words.argv,
                              [&](config::Options& options) { describe(fresh, options); });
  if (!read.is_ok()) {
    refuse(read.message());
    return Status::ok();
  }
  const bool has_keys = !current.key_file.empty() && !fresh.known_keys.empty();
  auto known = has_keys ? read_known_keys(fresh.known_keys) : Result<KnownKeys>(KnownKeys());
  if (!known.is_ok()) {
    refuse(known.status().message());
    return Status::ok();
  }
  const std::string need_restart = keys_that_need_a_restart(current, fresh);
  const std::size_t known_count = known->size();
  current.core = with_live_ones(current.core, fresh.core);
  Status status = loop.set_rules(current.core);
  if (status.is_ok() && has_keys) status = loop.set_known_keys(std::move(*known));
  if (has_keys) current.known_keys = fresh.known_keys;
  log::info("reloaded", {{"owner_rules", current.core.owners.size()},
                         {"queue_rules", current.core.queues.size()},
                         {"schedules", current.core.schedules.size()},
                         {"known_keys", known_count},
                         {"need_restart", need_restart}});
  return status;
}

}  // namespace assay::net
