// The result of a build, read from the bytes that its worker left at the broker, and shown.
// docs/builds.md describes the document. Views make its texts printable.
#ifndef ASSAY_CLI_BUILD_RESULT_H_
#define ASSAY_CLI_BUILD_RESULT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/task.h"
#include "cli/text/line.h"

namespace assay::cli {

struct BuildResult {
  std::string status;  // completed, failed, cancelled
  std::string stage;
  std::string reason;
  std::string digest;
  std::string commit;
  std::vector<std::string> pinned;  // name@digest, one a tag
  std::uint64_t size_bytes = 0;
  std::uint64_t steps = 0;
  std::uint64_t steps_cached = 0;
  bool reused = false;
  std::optional<bool> healthy;
  std::optional<bool> inferred;
  std::vector<std::pair<std::string, std::uint64_t>> findings;  // by severity
  std::map<std::string, double> seconds;
};

// Nothing when the bytes are not the result of a build.
std::optional<BuildResult> parse_build_result(std::string_view bytes);

// What became of it, the digest, and what to do next.
std::vector<Line> build_lines(const TaskResult& task, const BuildResult& result);

}  // namespace assay::cli

#endif  // ASSAY_CLI_BUILD_RESULT_H_
