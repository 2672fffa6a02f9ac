#include "sdk/artifacts/directory_entries.h"

#include <algorithm>
#include <system_error>

#include "sdk/artifacts/durable_file.h"

namespace assay::artifacts {

namespace fs = std::filesystem;

Time changed_at(const struct stat& facts) {
  return Time(Duration(static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1000 +
                       facts.st_mtim.tv_nsec / 1'000'000));
}

Result<std::vector<std::string>> sorted_entries(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename().string());
  }
  // What went since it was listed is not there, which is no failure.
  if (error && error != std::errc::no_such_file_or_directory) {
    return storage_error("cannot read", folder, error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace assay::artifacts
