// The settings of assay-eval: what stands in its configuration file, its environment and its flags.
#ifndef ASSAY_WORKERS_EVAL_PROGRAM_SETTINGS_H_
#define ASSAY_WORKERS_EVAL_PROGRAM_SETTINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/config/program_options.h"
#include "workers/eval/executor/kubernetes/settings.h"
#include "workers/eval/executor/local/local_executor.h"
#include "workers/eval/settings.h"

namespace assay::eval {

struct ProgramSettings {
  std::string broker = "tcp://127.0.0.1:5556";
  std::string key;         // a key file; empty: no keys
  std::string server_key;  // the broker's NAME.pub, or its hexadecimal digits
  std::string name;
  std::map<std::string, std::string> labels;  // what tasks may require of it
  std::uint32_t slots = 2;
  Duration drain_timeout{30'000};
  std::string runner_file;            // empty: the one in the program
  std::string artifacts;              // where they are kept; empty: nowhere
  std::string suites_folder;          // beside those in the program
  std::vector<std::string> endpoint;  // NAME=URL
  LocalOptions local{.data_folder = "assay-eval-data"};
  EvaluationSettings evaluation;
  kubernetes::Settings kubernetes;
  std::string metrics;  // HOST:PORT; empty: none
};

// Binds every setting. `settings` must outlive the reading.
void describe(ProgramSettings& settings, config::Options& options);

// What follows from the settings and is not in them: the runner, the suites, where the harness is.
// Errors: `unreadable_file`, `invalid_setting` (fix_input).
Status complete(ProgramSettings& settings);

// Each `--endpoint A=X --endpoint B=Y` counts: joined with commas, as one flag, because flags that
// come twice are otherwise taken once.
std::vector<std::string> join_endpoint_flags(int argc, const char* const* argv);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_PROGRAM_SETTINGS_H_
