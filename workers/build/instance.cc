#include "workers/build/instance.h"

#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "assay/ids.h"

namespace assay::image_build {

Result<Instance> Instance::take(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/instance";
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (error || file.get() < 0) {
    return internal_error("no_folder", "expected a data_dir that can be written, found " + folder +
                                           ": " + std::strerror(errno));  // NOLINT
  }
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return Status(Code::kConflict, "data_dir_in_use",
                  "another assay-build works in " + folder + "; give each a data_dir of its own");
  }
  std::array<char, 64> bytes{};
  const ssize_t length = read(file.get(), bytes.data(), bytes.size());
  if (length > 0) {
    const auto id = TaskId::parse({bytes.data(), static_cast<std::size_t>(length)});
    if (id) return Instance(std::move(file), id->text());
  }
  const std::string id =
      TaskId::make(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())).text();
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return internal_error("no_folder", "cannot write " + path);
  }
  return Instance(std::move(file), id);
}

}  // namespace assay::image_build
