#include "cli/up/broker_file.h"

#include <filesystem>
#include <fstream>

namespace assay::cli {
namespace {

constexpr const char* kFirst =
    R"(# Settings of the broker that `assay up` starts here (docs/operations.md). This file is
# yours: it was written because there was none, and is not written again. Ports, keys and
# the data directory are told by flags. SIGHUP to the broker makes it read this again.
schedules:
  nightly-cleanup:  # ended tasks and reports over the bounds of docs/cleanup.md go
    cron: "0 3 * * *"
    queue: cleanup
    owner: operations
    # Artifacts stay: not every worker tells yet which ones its results need.
    body: '{"artifacts": {"keep_for": "0s", "keep_count": 0, "keep_bytes": 0}}'
)";

}  // namespace

Status broker_file(const DataDirectory& directory, std::string& path) {
  path = directory / "broker.yaml";
  if (std::filesystem::exists(path)) return Status::ok();
  // Under another name first: half of it would be a mistake that only its owner could mend.
  const std::string unfinished = path + ".new";
  std::ofstream(unfinished) << kFirst << std::flush;
  std::error_code error;
  if (std::filesystem::file_size(unfinished, error) == std::char_traits<char>::length(kFirst)) {
    std::filesystem::rename(unfinished, path, error);
  } else if (!error) {
    error = std::make_error_code(std::errc::no_space_on_device);
  }
  if (!error) return Status::ok();
  return internal_error("unwritable_directory", "cannot write '" + path + "': " + error.message());
}

}  // namespace assay::cli
