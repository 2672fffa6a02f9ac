// What `assay build` was asked for, as plain values.
#ifndef ASSAY_CLI_BUILD_OPTIONS_H_
#define ASSAY_CLI_BUILD_OPTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/ids.h"

namespace assay::cli {

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of their meaning
struct BuildOptions {
  std::string source;  // a folder or a git URL
  std::vector<std::string> tags;
  std::string file = "Dockerfile";
  std::string ref;
  std::string subdirectory;
  bool submodules = false;
  std::map<std::string, std::string> arguments;
  std::map<std::string, std::string> image_labels;
  std::string target;
  std::vector<std::string> platforms;
  std::vector<std::string> cache_from;
  bool no_cache = false;
  bool pull = false;
  bool no_network = false;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<Duration> timeout;

  bool run = false;  // the image must exit with 0
  std::string health;
  std::uint16_t port = 8000;
  std::optional<Duration> health_timeout;
  std::string inference;
  std::string inference_body;
  std::string inference_text;
  std::map<std::string, std::string> inference_fields;
  std::string scan_fail_at;

  std::string artifacts;  // a store for a context that is too large to travel with the task
  std::string queue = "build";
  std::string owner;
  std::uint8_t priority = 5;
  std::map<std::string, std::string> labels;
  bool detach = false;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_BUILD_OPTIONS_H_
