// The seam between the journal and the disk: the few operations that durability rests on. The real
// one is posix_file_system.h; tests/support/simulated_file_system.h forgets what was not flushed,
// fails and dies on demand. Must not know: what the files contain.
#ifndef ASSAY_BROKER_JOURNAL_FILE_SYSTEM_H_
#define ASSAY_BROKER_JOURNAL_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"

namespace assay::journal {

// The reasons that an operation of this seam fails with. Every message names the path and what to
// do.
inline constexpr std::string_view kReasonDiskFull = "disk_full";            // kExhausted
inline constexpr std::string_view kReasonPermission = "permission_denied";  // kFixInput
inline constexpr std::string_view kReasonFileNotFound = "file_not_found";   // kNotFound
inline constexpr std::string_view kReasonLocked = "journal_locked";         // kConflict
inline constexpr std::string_view kReasonInputOutput = "io_error";          // kInternal

// An open file. Thread: one at a time.
class File {
 public:
  virtual ~File() = default;

  // Writes all `pieces`, one after the other, from `offset` on; the file grows as needed. On
  // failure any part of them may have been written. Nothing is durable before sync().
  virtual Status write(std::uint64_t offset, std::span<const std::string_view> pieces) = 0;
  // Reads up to `length` bytes from `offset` into `into` (resized); fewer only at the file's end.
  virtual Status read(std::uint64_t offset, std::size_t length, std::string& into) = 0;
  // Makes the content durable (fdatasync). After a failure nobody knows what is: never retry it.
  virtual Status sync() = 0;
  // Takes disk space for the first `bytes` bytes without changing the content or the size, so that
  // writing there cannot fail for want of space. Does nothing where the file system cannot.
  virtual Status reserve(std::uint64_t bytes) = 0;
  // Cuts (or extends with zeros) to `bytes`.
  virtual Status truncate(std::uint64_t bytes) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

// Held as long as it lives. Released by the system when the process dies, however it dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // made when missing, emptied when there
};

// Thread: one at a time.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Makes the directory and its parents where missing, and their names durable.
  virtual Status create_directory(const std::string& path) = 0;
  // The names (not paths) of the files and directories in a directory, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // Atomic; replaces `to`. Durable after sync_directory(), as are creation and removal.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;  // a file, or an empty directory
  virtual Status sync_directory(const std::string& directory) = 0;
  // Fails with kReasonLocked, naming the holder, when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  // Bytes that this process could still write under `directory`.
  virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_FILE_SYSTEM_H_
