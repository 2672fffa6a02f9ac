// Files that are there whole or not at all after any crash, and locks between processes.
#ifndef ASSAY_SDK_ARTIFACTS_DURABLE_FILE_H_
#define ASSAY_SDK_ARTIFACTS_DURABLE_FILE_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "assay/status.h"

namespace assay::artifacts {

// `storage_full` (exhausted) for a full disk, else `storage_failed` (retry_later), with the
// system's words for `error`.
Status storage_error(const std::string& what, const std::filesystem::path& path, int error);

// A file descriptor, closed at its end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// A file without a name that counts yet. Unless it is published it is removed.
class TemporaryFile {
 public:
  static Result<TemporaryFile> create(const std::filesystem::path& folder);
  TemporaryFile(TemporaryFile&&) = default;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  Status write(std::string_view bytes);
  // Makes the bytes durable.
  Status flush();
  // Gives it its name, in the place of what had it. Durable when sync_folder() of its folder was
  // called after it.
  Status publish(const std::filesystem::path& path);

 private:
  TemporaryFile(Descriptor file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Descriptor file_;
  std::filesystem::path path_;
  std::uint64_t written_ = 0;
  std::uint64_t begun_ = 0;  // the system was asked to write out what is before it
  bool published_ = false;
};

// Makes the names in a folder durable.
Status sync_folder(const std::filesystem::path& folder);
// Makes a folder and those above it, durably.
Status make_folder(const std::filesystem::path& folder);
// Removes the files in `folder` that a process that is no more was writing.
Status remove_left_over(const std::filesystem::path& folder);

// Held until its end. Between processes and threads alike.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& file, bool exclusive);

 private:
  explicit FolderLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace assay::artifacts

#endif  // ASSAY_SDK_ARTIFACTS_DURABLE_FILE_H_
