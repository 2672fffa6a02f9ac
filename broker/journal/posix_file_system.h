// The file-system seam over POSIX calls: pwritev, pread, fdatasync, fallocate, flock.
#ifndef ASSAY_BROKER_JOURNAL_POSIX_FILE_SYSTEM_H_
#define ASSAY_BROKER_JOURNAL_POSIX_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "broker/journal/file_system.h"

namespace assay::journal {

// Thread: any; it holds no state.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status create_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_POSIX_FILE_SYSTEM_H_
