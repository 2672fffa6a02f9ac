// Reads a journal through to its end whatever is wrong with it, and tells everything that is: what
// verify reports, what print prints, and what repair mends. Changes nothing. Must not know: what
// entries mean.
#ifndef ASSAY_BROKER_JOURNAL_INSPECTION_H_
#define ASSAY_BROKER_JOURNAL_INSPECTION_H_

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

struct Damage {
  enum class Kind : std::uint8_t {
    kManifest,        // missing or malformed
    kSegmentMissing,  // no such file
    kSegmentHeader,   // malformed, or it contradicts the file's name or the manifest
    kBatches,         // `lost_batches` from `first_sequence` on, in `offset` .. `offset + bytes`
  };
  Kind kind = Kind::kBatches;
  std::uint32_t segment = 0;
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t lost_batches = 0;
  // The batches are the segment's last: what follows is in the next segment, or nowhere.
  bool to_the_end = false;
  std::string what;  // "expected .., found .."

  std::string to_string() const;
};

struct SegmentSummary {
  SegmentHeader header;  // rebuilt from the batches when it is damaged
  std::string file;
  std::uint64_t file_bytes = 0;
  std::uint64_t batches = 0;  // intact ones
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t next_sequence = 0;  // the one after its last batch
  bool sealed = false;
};

struct Inspection {
  std::optional<Manifest> manifest;
  std::vector<SegmentSummary> segments;
  std::vector<Damage> damages;
  std::vector<std::string> notes;  // what is remarkable but no damage: a torn end, holes, leftovers

  bool is_intact() const { return damages.empty(); }
  // The whole report, several lines, for people.
  std::string to_string() const;
};

// Told every intact batch in order.
using InspectionVisitor = std::function<void(const SegmentSummary&, const Batch&)>;

// Inspects the journal in `directory`. Nobody may append to it meanwhile. Errors:
// kReasonFileNotFound (there is no journal), kReasonVersion, kReasonInputOutput, kReasonPermission.
// Damage is no error here.
Result<Inspection> inspect(FileSystem& file_system, const std::string& directory,
                           const InspectionVisitor& visit = {});

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_INSPECTION_H_
