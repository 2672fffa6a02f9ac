#include "broker/compaction/checkpoint_backup.h"

#include "broker/compaction/checkpoint_directory.h"
#include "broker/journal/directory.h"

namespace assay::compaction {

using journal::BackupReport;

// The journal first: the copy's manifest names the checkpoint that belongs to it. Without that one
// it does not open, so it may come last.
Result<BackupReport> back_up(journal::FileSystem& file_system, const std::string& from,
                             const std::string& to) {
  auto report = journal::backup(file_system, from, to);
  if (!report.is_ok()) return report;
  const auto manifest = journal::read_manifest(file_system, to);
  if (!manifest.is_ok()) return manifest.status();
  const std::uint32_t segment = checkpoint_of(*manifest.value());
  if (segment == 0) return report;
  const auto copied =
      journal::backup(file_system, checkpoint_path(from, segment), checkpoint_path(to, segment));
  const auto now = journal::read_manifest(file_system, from);
  if (now.is_ok() && now.value() && checkpoint_of(*now.value()) != segment) {
    return Status(Code::kRetryCall, std::string(journal::kReasonBackupOvertaken),
                  "the checkpoint was replaced while it was copied; empty the directory and start "
                  "again");
  }
  if (!copied.is_ok()) return copied;
  report->segments += copied->segments;
  report->bytes += copied->bytes;
  return report;
}

}  // namespace assay::compaction
