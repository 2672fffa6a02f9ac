#include "workers/cleanup/report_folders.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

namespace assay::cleanup {

namespace fs = std::filesystem;

std::vector<Item> reports_in(const std::string& root) {
  std::vector<Item> items;
  std::error_code error;
  for (const auto& folder : fs::directory_iterator(root, error)) {
    const auto id = TaskId::parse(folder.path().filename().string());
    if (!id || folder.is_symlink(error) || !folder.is_directory(error)) continue;
    Item item{folder.path().filename().string(), {}, 0};
    for (const auto& file : fs::directory_iterator(folder.path(), error)) {
      item.bytes += file.is_regular_file(error) ? file.file_size(error) : 0;
    }
    const auto changed = std::chrono::file_clock::to_sys(folder.last_write_time(error));
    if (error) continue;  // somebody else removed it
    item.at = std::chrono::time_point_cast<Duration>(changed);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace assay::cleanup
