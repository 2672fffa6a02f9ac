// The seam's system calls. Every failure becomes a Status that names the path and what to do about
// it.
#include "broker/journal/posix_file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace assay::journal {
namespace {

Status failure(std::string_view doing, const std::string& path, int error) {
  std::string message =
      std::string(doing) + " " + path + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return {Code::kExhausted, std::string(kReasonDiskFull),
              message + "; free some space or enlarge the volume"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Code::kFixInput, std::string(kReasonPermission),
              message + "; the broker's user must be able to read and write there"};
    case ENOENT:
      return {Code::kNotFound, std::string(kReasonFileNotFound), std::move(message)};
    default:
      return {Code::kInternal, std::string(kReasonInputOutput), std::move(message)};
  }
}

// Calls again while a signal interrupts.
template <typename Call>
auto uninterrupted(Call call) {
  auto answer = call();
  while (answer < 0 && errno == EINTR) {
    answer = call();
  }
  return answer;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  int number() const { return number_; }

 private:
  int number_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Status write(std::uint64_t offset, std::span<const std::string_view> pieces) override;
  Status read(std::uint64_t offset, std::size_t length, std::string& into) override;

  Status sync() override {
    const int answer = uninterrupted([&] { return ::fdatasync(descriptor_.number()); });
    return answer == 0 ? Status::ok() : failure("cannot flush", path_, errno);
  }

  Status reserve(std::uint64_t bytes) override {
    const int answer = uninterrupted([&] {
      return ::fallocate(descriptor_.number(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes));
    });
    if (answer == 0 || errno == EOPNOTSUPP || errno == ENOSYS) {
      return Status::ok();
    }
    return failure("cannot reserve " + std::to_string(bytes) + " bytes for", path_, errno);
  }

  Status truncate(std::uint64_t bytes) override {
    const int answer =
        uninterrupted([&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(bytes)); });
    return answer == 0 ? Status::ok() : failure("cannot truncate", path_, errno);
  }

  Result<std::uint64_t> size() override {
    struct stat status = {};
    if (::fstat(descriptor_.number(), &status) != 0) {
      return failure("cannot examine", path_, errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

Status PosixFile::write(std::uint64_t offset, std::span<const std::string_view> pieces) {
  constexpr std::size_t kPiecesMax = 4;
  ASSAY_ASSERT(pieces.size() <= kPiecesMax);
  std::array<iovec, kPiecesMax> vectors{};
  std::size_t count = 0;
  for (const std::string_view piece : pieces) {
    if (!piece.empty()) {
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
  }
  std::size_t first = 0;
  while (first < count) {
    const ssize_t written = uninterrupted([&] {
      return ::pwritev(descriptor_.number(), &vectors[first], static_cast<int>(count - first),
                       static_cast<off_t>(offset));
    });
    if (written <= 0) {
      return failure("cannot write to", path_, written < 0 ? errno : EIO);
    }
    offset += static_cast<std::uint64_t>(written);
    // A short write (the disk is nearly full, a signal): go on where it stopped.
    auto done = static_cast<std::size_t>(written);
    while (first < count && done >= vectors[first].iov_len) {
      done -= vectors[first++].iov_len;
    }
    if (first < count) {
      vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + done;
      vectors[first].iov_len -= done;
    }
  }
  return Status::ok();
}

Status PosixFile::read(std::uint64_t offset, std::size_t length, std::string& into) {
  into.resize(length);
  std::size_t have = 0;
  while (have < length) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(descriptor_.number(), into.data() + have, length - have,
                     static_cast<off_t>(offset + have));
    });
    if (got < 0) {
      into.clear();
      return failure("cannot read", path_, errno);
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  into.resize(have);
  return Status::ok();
}

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // closing it releases the lock
};

std::string holder_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  holder.erase(std::find(holder.begin(), holder.end(), '\n'), holder.end());
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  constexpr mode_t kOwnerOnly = 0600;  // the bodies of tasks may hold secrets
  int flags = O_CLOEXEC;
  switch (mode) {
    case OpenMode::kRead:
      flags |= O_RDONLY;
      break;
    case OpenMode::kReadWrite:
      flags |= O_RDWR;
      break;
    case OpenMode::kCreate:
      flags |= O_RDWR | O_CREAT | O_TRUNC;
      break;
  }
  const int number = uninterrupted([&] { return ::open(path.c_str(), flags, kOwnerOnly); });
  if (number < 0) {
    return failure("cannot open", path, errno);
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(Descriptor(number), path));
}

Status PosixFileSystem::create_directory(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  std::filesystem::path so_far;
  for (const std::filesystem::path& part : absolute) {
    const std::filesystem::path parent = so_far;
    so_far /= part;
    if (part.empty() || std::filesystem::is_directory(so_far, error)) {
      continue;
    }
    if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST) {
      return failure("cannot create directory", so_far.string(), errno);
    }
    if (Status status = sync_directory(parent.string()); !status.is_ok()) {
      return status;
    }
  }
  if (!std::filesystem::is_directory(absolute, error)) {
    return fix_input(std::string(kReasonPermission),
                     path + " is not a directory; name one, or a path where one can be made");
  }
  return Status::ok();
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator at(directory, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) {
    return failure("cannot list", directory, error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0
             ? Status::ok()
             : failure("cannot rename " + from + " to", to, errno);
}

Status PosixFileSystem::remove(const std::string& path) {
  return std::remove(path.c_str()) == 0 ? Status::ok() : failure("cannot remove", path, errno);
}

Status PosixFileSystem::sync_directory(const std::string& directory) {
  const Descriptor descriptor(
      uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (descriptor.number() < 0) {
    return failure("cannot open directory", directory, errno);
  }
  const int answer = uninterrupted([&] { return ::fsync(descriptor.number()); });
  return answer == 0 ? Status::ok() : failure("cannot flush directory", directory, errno);
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  Descriptor descriptor(
      uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }));
  if (descriptor.number() < 0) {
    return failure("cannot open", path, errno);
  }
  if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return failure("cannot lock", path, errno);
    }
    return Status(Code::kConflict, std::string(kReasonLocked),
                  path + " is locked by " + holder_of(descriptor.number()) +
                      ": a journal belongs to one broker; stop that one, or use another directory");
  }
  // For people who meet the lock. The lock itself is the kernel's: a stale number locks nobody out.
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor.number(), 0) != 0 ||
      ::pwrite(descriptor.number(), holder.data(), holder.size(), 0) < 0) {
    if (errno != ENOSPC && errno != EDQUOT) {  // a full disk must not keep a broker from starting
      return failure("cannot write to", path, errno);
    }
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(descriptor)));
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& directory) {
  struct statvfs status = {};
  if (::statvfs(directory.c_str(), &status) != 0) {
    return failure("cannot examine", directory, errno);
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace assay::journal
