#include "sdk/artifacts/durable_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "sdk/artifacts/sha256.h"

namespace assay::artifacts {
namespace {

namespace fs = std::filesystem;

// A put takes its lock right after it has made its file; younger ones are left alone for that.
constexpr std::time_t kLeftOverAfterSeconds = 600;
// How much is written before the system is asked to begin with it, so that the disk works while
// more arrives.
constexpr std::uint64_t kWriteOutEvery = 8ULL << 20;

Descriptor open_file(const fs::path& path, int flags) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644));
}

std::string chance() {
  std::array<char, 16> bytes{};
  // Sixteen bytes come at once or, before the machine has gathered any chance, not yet.
  ASSAY_ASSERT(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return hex({bytes.data(), bytes.size()});
}

}  // namespace

Status storage_error(const std::string& what, const fs::path& path, int error) {
  const std::string message =
      what + " '" + path.string() + "': " + std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) {
    return {Code::kExhausted, "storage_full", message + "; make room or let cleanup do it"};
  }
  return retry_later("storage_failed", message);
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

Result<TemporaryFile> TemporaryFile::create(const fs::path& folder) {
  const fs::path path = folder / chance();
  Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) return storage_error("cannot create", path, errno);
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    return storage_error("cannot lock", path, errno);
  }
  return TemporaryFile(std::move(file), path);
}

TemporaryFile::~TemporaryFile() {
  if (file_.is_open() && !published_) unlink(path_.c_str());
}

Status TemporaryFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t length = ::write(file_.number(), bytes.data(), bytes.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return storage_error("cannot write", path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(length));
    written_ += static_cast<std::uint64_t>(length);
  }
  if (written_ - begun_ >= kWriteOutEvery) {
    // A hint: what it could not do, flush() will do or tell.
    sync_file_range(file_.number(), static_cast<off_t>(begun_),
                    static_cast<off_t>(written_ - begun_), SYNC_FILE_RANGE_WRITE);
    begun_ = written_;
  }
  return Status::ok();
}

Status TemporaryFile::flush() {
  if (fsync(file_.number()) != 0) return storage_error("cannot flush", path_, errno);
  return Status::ok();
}

Status TemporaryFile::publish(const fs::path& path) {
  if (rename(path_.c_str(), path.c_str()) != 0) {
    return storage_error("cannot give its name to", path, errno);
  }
  published_ = true;
  return Status::ok();
}

Status sync_folder(const fs::path& folder) {
  const Descriptor file = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.is_open()) return storage_error("cannot open", folder, errno);
  if (fsync(file.number()) != 0) return storage_error("cannot flush", folder, errno);
  return Status::ok();
}

Status make_folder(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0755) == 0) {
    return sync_folder(folder.has_parent_path() ? folder.parent_path() : ".");
  }
  if (errno == EEXIST) return Status::ok();
  if (errno != ENOENT || !folder.has_parent_path()) {
    return storage_error("cannot make", folder, errno);
  }
  Status above = make_folder(folder.parent_path());
  return above.is_ok() ? make_folder(folder) : above;
}

Status remove_left_over(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const Descriptor file = open_file(entry.path(), O_RDONLY);
    struct stat facts {};
    if (!file.is_open() || fstat(file.number(), &facts) != 0) continue;
    if (facts.st_mtime > std::time(nullptr) - kLeftOverAfterSeconds) continue;
    if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) unlink(entry.path().c_str());
  }
  return error ? storage_error("cannot read", folder, error.value()) : Status::ok();
}

Result<FolderLock> FolderLock::take(const fs::path& file, bool exclusive) {
  Descriptor descriptor = open_file(file, O_RDWR | O_CREAT);
  if (!descriptor.is_open()) return storage_error("cannot open", file, errno);
  while (flock(descriptor.number(), exclusive ? LOCK_EX : LOCK_SH) != 0) {
    if (errno != EINTR) return storage_error("cannot lock", file, errno);
  }
  return FolderLock(std::move(descriptor));
}

}  // namespace assay::artifacts
