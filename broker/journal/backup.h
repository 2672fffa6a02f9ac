// Copies a journal while its broker goes on using it.
#ifndef ASSAY_BROKER_JOURNAL_BACKUP_H_
#define ASSAY_BROKER_JOURNAL_BACKUP_H_

#include <cstdint>
#include <string>

#include "assay/status.h"
#include "broker/journal/file_system.h"

namespace assay::journal {

struct BackupReport {
  std::uint32_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t last_sequence = 0;  // the newest batch in the copy
};

// Copies the journal in `from` into the empty or new directory `to`. The copy opens as a journal
// that holds every batch flushed before the call, and perhaps some later ones. The running broker
// is neither asked nor slowed, except by the reading. Errors: kReasonDamaged (the original is),
// kReasonFileNotFound (there is no journal), kReasonBackupNotEmpty, kRetryCall with
// kReasonBackupOvertaken (compaction dropped segments faster than they were copied: try again),
// kReasonDiskFull, kReasonInputOutput.
inline constexpr std::string_view kReasonBackupNotEmpty = "backup_not_empty";
inline constexpr std::string_view kReasonBackupOvertaken = "backup_overtaken";
Result<BackupReport> backup(FileSystem& file_system, const std::string& from,
                            const std::string& to);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_BACKUP_H_
