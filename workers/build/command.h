// Runs another program to its end: no shell, a clean environment, bounded output, and nothing of it
// left behind when it is stopped.
#ifndef ASSAY_WORKERS_BUILD_COMMAND_H_
#define ASSAY_WORKERS_BUILD_COMMAND_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"

namespace assay::image_build {

struct Command {
  std::vector<std::string> arguments;    // the first is the program, found in PATH
  std::vector<std::string> environment;  // NAME=value, beside PATH
  std::string folder;                    // where it runs; empty: where this process does
  std::chrono::milliseconds timeout{600'000};
  std::size_t output_bytes_max = 1U << 20;  // kept of its standard output; more is read and dropped
  std::uint64_t file_bytes_max = 0;         // of any file that it writes; 0: no limit
  std::function<void(std::string_view line)> on_error_line = {};  // its standard error
};

struct CommandEnd {
  int exit_code = 0;  // 128 + the signal that ended it
  std::string output;
  bool output_cut = false;
  std::string errors;  // the last lines of its standard error
};

// Waits for its end. It and its children, as far as they stayed in its process group, are killed
// when time is over, when `stop` is requested and when this process dies.
// Errors: `cannot_run` (internal), `command_timeout` (exhausted), `stopped` (retry_call).
Result<CommandEnd> run_command(const Command& command, const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_COMMAND_H_
