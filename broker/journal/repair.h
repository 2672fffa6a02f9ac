// Mends a damaged journal by giving up what cannot be read, and only that.
#ifndef ASSAY_BROKER_JOURNAL_REPAIR_H_
#define ASSAY_BROKER_JOURNAL_REPAIR_H_

#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/inspection.h"

namespace assay::journal {

struct RepairReport {
  Inspection before;
  std::vector<std::string> set_aside;  // copies of the files as they were found
  std::vector<std::string> rewritten;

  // What was lost, what was kept, and where the originals are; several lines, for people.
  std::string to_string() const;
};

// Repairs the journal in `directory`, which no broker may be using. A damaged file is first copied
// to `damaged-<its name>`, then replaced by one in which a hole stands for each run of batches that
// cannot be read. Entries that speak of what was lost may be orphans from then on. Repairing an
// intact journal changes nothing; a repair that is cut short can be run again. Errors:
// kReasonLocked, kReasonVersion, kReasonDiskFull, kReasonPermission, kReasonInputOutput,
// kReasonFileNotFound (there is no journal).
Result<RepairReport> repair(FileSystem& file_system, const std::string& directory);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_REPAIR_H_
