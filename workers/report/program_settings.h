// The settings of assay-report: what stands in its configuration file, its environment and its
// flags.
#ifndef ASSAY_WORKERS_REPORT_PROGRAM_SETTINGS_H_
#define ASSAY_WORKERS_REPORT_PROGRAM_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/config/program_options.h"
#include "workers/report/report.h"
#include "workers/report/webhook/endpoint.h"

namespace assay::report {

struct ProgramSettings {
  std::string broker = "tcp://127.0.0.1:5556";
  std::string clients;  // empty: inputs only
  std::string name;
  std::string key;         // a key file; empty: no keys
  std::string server_key;  // the broker's NAME.pub, or its hexadecimal digits
  std::uint32_t slots = 2;
  Duration drain_timeout{30'000};
  std::string data_folder = "assay-report-data";
  std::string artifacts;
  Rates rates;
  std::vector<Endpoint> webhooks;
  std::string send_again;  // a webhook's name: what was given up is pending again, and that is all
};

// Binds every setting. `settings` must outlive the reading.
void describe(ProgramSettings& settings, config::Options& options);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_PROGRAM_SETTINGS_H_
