// Makes a checkpoint: reads the one before and the segments after it into a state of its own, and
// writes that out. It shares nothing with the broker that appends to the same journal meanwhile:
// what it reads is sealed. So a checkpoint is what a recovery would have given at that point, by
// the same code.
#ifndef ASSAY_BROKER_COMPACTION_CHECKPOINT_MAKER_H_
#define ASSAY_BROKER_COMPACTION_CHECKPOINT_MAKER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "broker/compaction/shelf.h"
#include "broker/core/limits.h"
#include "broker/core/location.h"
#include "broker/core/state.h"
#include "broker/journal/file_system.h"
#include "broker/journal/journal.h"

namespace assay::compaction {

// A blob that the checkpoint has a copy of.
struct Move {
  TaskId id;
  core::Location from;
  core::Location to;
};

struct Checkpoint {
  std::uint32_t segment = 0;  // it is the state at the end of this one
  std::uint64_t bytes = 0;
  std::uint64_t tasks = 0;
  std::vector<Move> moves;
};

struct CheckpointOrder {
  std::string journal_directory;
  std::uint32_t through_segment = 0;  // sealed
  Shelf from = Shelf::kCheckpointA;   // of the checkpoint before; the next goes to the other
  core::CoreOptions rules;
  std::uint64_t segment_bytes = 64ULL << 20;  // of the checkpoint's
};

// Writes the checkpoint; durable and complete when this returns ok. It is in force only when the
// journal has dropped the segments up to it. Errors: kReasonDamaged, kReasonDiskFull (what was
// written is removed), kReasonInputOutput, `malformed_record`, `unknown_record`,
// `impossible_record`, `interrupted` (retry_call: `stop` became true).
Result<Checkpoint> make_checkpoint(journal::FileSystem& file_system, const CheckpointOrder& order,
                                   const std::atomic<bool>& stop);

// Applies what the journal or a checkpoint holds to `state`. After a repair a record may speak of
// what was given up: it is skipped, and `orphans` counts it. Errors: those of make_checkpoint.
class RecordApplier {
 public:
  using Apply = std::function<Status(const core::Record&, core::Location)>;
  explicit RecordApplier(Apply apply) : apply_(std::move(apply)) {}
  // What is read from now on may be such records whatever its mark says.
  void expect_orphans() { expects_orphans_ = true; }
  Status operator()(const journal::EntryView& entry, Shelf shelf);

  std::uint64_t records() const { return records_; }
  std::uint64_t orphans() const { return orphans_; }

 private:
  Apply apply_;
  std::uint64_t records_ = 0;
  std::uint64_t orphans_ = 0;
  bool expects_orphans_ = false;
};

}  // namespace assay::compaction

#endif  // ASSAY_BROKER_COMPACTION_CHECKPOINT_MAKER_H_
