// The settings of assay-cleanup: what stands in its configuration file, its environment and its
// flags.
#ifndef ASSAY_WORKERS_CLEANUP_PROGRAM_SETTINGS_H_
#define ASSAY_WORKERS_CLEANUP_PROGRAM_SETTINGS_H_

#include <cstdint>
#include <string>

#include "sdk/config/program_options.h"
#include "workers/cleanup/policy.h"

namespace assay::cleanup {

struct ProgramSettings {
  std::string broker = "tcp://127.0.0.1:5556";
  std::string clients = "tcp://127.0.0.1:5555";
  std::string name;
  std::string key;         // a key file; empty: no keys
  std::string server_key;  // the broker's NAME.pub, or its hexadecimal digits
  std::uint32_t slots = 1;
  Duration drain_timeout{30'000};
  std::string data_folder = "assay-cleanup-data";
  std::string artifacts;
  std::string reports_folder;
  Policy policy;
};

// Binds every setting. `settings` must outlive the reading.
void describe(ProgramSettings& settings, config::Options& options);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_PROGRAM_SETTINGS_H_
