// Copies a journal with the checkpoint that it begins with, while its broker goes on using both.
#ifndef ASSAY_BROKER_COMPACTION_CHECKPOINT_BACKUP_H_
#define ASSAY_BROKER_COMPACTION_CHECKPOINT_BACKUP_H_

#include <string>

#include "assay/status.h"
#include "broker/journal/backup.h"
#include "broker/journal/file_system.h"

namespace assay::compaction {

// As journal::backup, with its errors; the report counts the checkpoint too. A copy of which this
// did not return ok does not open.
Result<journal::BackupReport> back_up(journal::FileSystem& file_system, const std::string& from,
                                      const std::string& to);

}  // namespace assay::compaction

#endif  // ASSAY_BROKER_COMPACTION_CHECKPOINT_BACKUP_H_
