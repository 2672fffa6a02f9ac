// Reads a journal from its oldest segment to its end, in order, and decides what the end is.
// Must not know: what entries mean.
#ifndef ASSAY_BROKER_JOURNAL_RECOVERY_H_
#define ASSAY_BROKER_JOURNAL_RECOVERY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"
#include "broker/journal/segment_scan.h"

namespace assay::journal {

// What recovery found, for the log and for --verify.
struct RecoveryReport {
  // Remains of batches that were never flushed. They were promised to nobody.
  struct Cut {
    std::string file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };

  std::uint32_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;         // of good batches
  bool was_closed = false;         // the broker before us ended in good order
  std::uint64_t lost_batches = 0;  // that an earlier repair gave up
  std::optional<Cut> cut;
  std::vector<std::string> removed;  // segments that were dropped, or never used

  // One line for people.
  std::string to_string() const;
};

// Where the journal goes on.
struct RecoveredEnd {
  SegmentHeader segment;
  std::uint32_t offset = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t file_bytes = 0;
};

// Told every good batch in order, with the segment it lies in.
using BatchVisitor = std::function<Status(const SegmentHeader&, const Batch&)>;

// Removes what is not part of the journal, visits every batch, cuts a torn tail. When it returns,
// all that was visited is durable, even if the flush that should have made it so failed before we
// started. Errors: kReasonDamaged, kReasonVersion, those of the file system, those of the visitor.
Result<RecoveredEnd> recover(FileSystem& file_system, const std::string& directory,
                             const Manifest& manifest, const BatchVisitor& visit,
                             RecoveryReport& report);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_RECOVERY_H_
