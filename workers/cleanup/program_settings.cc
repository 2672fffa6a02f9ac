#include "workers/cleanup/program_settings.h"

namespace assay::cleanup {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

void read_retention(config::Map& map, Retention& retention) {
  const config::Durations years{Duration(0), hours(24 * 3660)};
  map.duration("keep_for", retention.keep_for, years);
  map.integer("keep_count", retention.keep_count);
  map.bytes("keep_bytes", retention.keep_bytes);
}

}  // namespace

void describe(ProgramSettings& settings, config::Options& options) {
  options.text("broker", settings.broker, "where the broker's workers connect");
  options.text("clients", settings.clients,
               "where the broker's clients connect: it is asked what is still needed");
  options.text("name", settings.name, "this worker's name; empty: host and process");
  options.text("key", settings.key, "this worker's key file, where the broker demands one");
  options.text("server_key", settings.server_key, "the broker's .pub file, or its 64 digits");
  // One sweep at a time: two would only wait for each other.
  options.integer("slots", settings.slots, "accepted for the sake of likeness; one task at a time",
                  {1, 1000});
  options.duration("drain_timeout", settings.drain_timeout,
                   "after SIGTERM: how long a running sweep may go on",
                   {milliseconds(0), hours(24)});
  options.text("data_dir", settings.data_folder, "audit.jsonl lies there");
  options.text("artifacts", settings.artifacts, "the store to clean; empty: none");
  options.text("reports_dir", settings.reports_folder,
               "the reports/ of assay-report to clean; empty: none");
  options.duration("safety_delay", settings.policy.safety_delay,
                   "nothing younger goes, whatever the bounds say", {milliseconds(0), hours(8760)});
  options.in_file([&settings](config::Map& map) {
    const auto read = [&map](const char* key, Retention& retention) {
      map.map(key, [&](config::Map& inner) { read_retention(inner, retention); });
    };
    read("keep_artifacts", settings.policy.artifacts);
    read("keep_reports", settings.policy.reports);
    read("keep_tasks", settings.policy.tasks);
    if (!map.has("keep_labels")) return;
    settings.policy.keep_labels.clear();
    map.texts("keep_labels", settings.policy.keep_labels);
  });
}

}  // namespace assay::cleanup
