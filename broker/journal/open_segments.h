// The segments that blobs are read from, opened when first needed; a bounded number stays open.
// Must not know: batches.
#ifndef ASSAY_BROKER_JOURNAL_OPEN_SEGMENTS_H_
#define ASSAY_BROKER_JOURNAL_OPEN_SEGMENTS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"

namespace assay::journal {

// Descriptors are few by default (1024 a process) and the broker's peers need most of them.
inline constexpr std::size_t kOpenSegmentsMax = 64;

// Thread: one at a time.
class OpenSegments {
 public:
  OpenSegments(FileSystem& file_system, std::string directory)
      : file_system_(file_system), directory_(std::move(directory)) {}

  // Reads the blob at `location` and verifies it. Errors: kReasonDamaged, those of File.
  Result<std::string> read_blob(const Location& location);
  // Closes the segments before `segment`, which are about to go.
  void close_before(std::uint32_t segment);

 private:
  Result<File*> file(std::uint32_t segment);

  FileSystem& file_system_;
  std::string directory_;
  std::list<std::pair<std::uint32_t, std::unique_ptr<File>>>
      files_;  // the one used last comes first
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_OPEN_SEGMENTS_H_
