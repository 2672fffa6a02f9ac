// Unpacks the archive of a context into a folder. The archive is not trusted.
#ifndef ASSAY_WORKERS_BUILD_SOURCE_ARCHIVE_H_
#define ASSAY_WORKERS_BUILD_SOURCE_ARCHIVE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "assay/status.h"

namespace assay::image_build {

struct ArchiveLimits {
  std::size_t entries_max = 200'000;
  std::uint64_t bytes_max = 8ULL << 30;        // of all files, unpacked
  std::uint64_t expansion_max = 1000;          // unpacked bytes to packed ones
  std::uint64_t expansion_free = 64ULL << 20;  // unpacked bytes that no ratio binds
};

// The next bytes of the archive, at most `size`; 0 at its end.
using ArchiveBytes = std::function<Result<std::size_t>(char* to, std::size_t size)>;

// Takes tar, plain or compressed by gzip or zstd. Files, folders, links and hard links only; every
// path and the file that a hard link names stay inside; owners and special bits are left out. A
// symbolic link may say anything, as it would in the image: it is never followed.
//
// Errors (fix_input): `unsafe_archive` (names the entry), `damaged_archive`, `context_too_large`;
// those of `bytes`; `stopped`.
Status unpack_archive(const ArchiveBytes& bytes, const std::string& folder,
                      const ArchiveLimits& limits, const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_SOURCE_ARCHIVE_H_
