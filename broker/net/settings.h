// The broker's settings: what they are, and what is wrong with them.
#ifndef ASSAY_BROKER_NET_SETTINGS_H_
#define ASSAY_BROKER_NET_SETTINGS_H_

#include <string>
#include <vector>

#include "broker/core/limits.h"
#include "broker/history/history.h"
#include "broker/net/journal_tools.h"
#include "broker/net/loop.h"
#include "sdk/config/program_options.h"

namespace assay::net {

struct Settings {
  std::string data_dir = "assay-data";
  bool durable = true;
  std::uint64_t segment_bytes = 64ULL << 20;
  std::uint64_t compaction_bytes_min = 256ULL << 20;
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

// Binds every setting to its variable in `settings`, which must outlive the reading.
void describe(Settings& settings, config::Options& options);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_SETTINGS_H_
