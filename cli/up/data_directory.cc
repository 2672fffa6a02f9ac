#include "cli/up/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace assay::cli {

namespace fs = std::filesystem;

Result<DataDirectory> DataDirectory::take(const std::string& wanted) {
  std::error_code error;
  fs::create_directories(fs::path(wanted) / "log", error);
  const fs::path path = error ? fs::path() : fs::canonical(wanted, error);
  if (error) {
    return internal_error("unwritable_directory", "cannot make the data directory '" + wanted +
                                                      "': " + error.message() +
                                                      "; choose another with --dir");
  }
  const std::string lock = path / "up.lock";
  const int descriptor = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return internal_error("unwritable_directory",
                          "cannot write '" + lock + "': " + std::strerror(errno));  // NOLINT
  }
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor);
    return Status(Code::kConflict, "directory_in_use",
                  "another 'assay up' runs in " + path.string() +
                      "; stop that one, or choose another directory with --dir");
  }
  return DataDirectory(path, descriptor);
}

DataDirectory::DataDirectory(fs::path path, int lock) : path_(std::move(path)), lock_(lock) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) close(lock_);
}

std::string default_data_directory() {
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    return std::string(value == nullptr ? "" : value);
  };
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/assay";
  if (const std::string home = environment("HOME"); !home.empty()) {
    return home + "/.local/share/assay";
  }
  return ".assay";
}

}  // namespace assay::cli
