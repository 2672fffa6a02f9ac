// Where checkpoints are: `checkpoint-0000000042` beside the segments of a journal is a journal of
// its own that holds the state at the end of segment 42. The one in force is told by the manifest
// of the journal: it is the one before the oldest segment. All others are remains.
#ifndef ASSAY_BROKER_COMPACTION_CHECKPOINT_DIRECTORY_H_
#define ASSAY_BROKER_COMPACTION_CHECKPOINT_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "assay/status.h"
#include "broker/core/record.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"
#include "broker/journal/sealed.h"

namespace assay::compaction {

// Of the state at the end of `segment`; 0: at the beginning, where there is none.
std::string checkpoint_path(const std::string& journal_directory, std::uint32_t segment);

// The segment whose end the journal's checkpoint is of; 0: it has none.
inline std::uint32_t checkpoint_of(const journal::Manifest& manifest) {
  return manifest.oldest_segment - 1;
}

struct CheckpointRead {
  std::uint64_t bytes = 0;
  bool was_repaired = false;  // what comes after may speak of tasks that were given up
};

// Tells every entry of the checkpoint that the journal with this manifest begins with, if it has
// one. Errors: kReasonDamaged (also where it is missing, unfinished or of
// another journal), kReasonVersion, those of the file system, those of the visitor.
Result<CheckpointRead> read_checkpoint(journal::FileSystem& file_system,
                                       const std::string& journal_directory,
                                       const journal::Manifest& manifest,
                                       const journal::EntryVisitor& visit);

// Where the checkpoint that the journal begins with is missing altogether: an empty one in its
// place, as a repair leaves it. Answers whether that was so.
Result<bool> replace_missing_checkpoint(journal::FileSystem& file_system,
                                        const std::string& journal_directory,
                                        const journal::Manifest& manifest);

// Removes a checkpoint, or what there is of it.
Status remove_checkpoint(journal::FileSystem& file_system, const std::string& journal_directory,
                         std::uint32_t segment);
// Removes all but that of `segment`.
Status remove_other_checkpoints(journal::FileSystem& file_system,
                                const std::string& journal_directory, std::uint32_t segment);

}  // namespace assay::compaction

#endif  // ASSAY_BROKER_COMPACTION_CHECKPOINT_DIRECTORY_H_
