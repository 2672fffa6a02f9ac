// The whole durable state as records, so that what the journal held before may go. Applied in this
// order to an empty state they give the same state back: docs/journal.md, Compaction.
#ifndef ASSAY_BROKER_CORE_CHECKPOINT_H_
#define ASSAY_BROKER_CORE_CHECKPOINT_H_

#include <functional>

#include "assay/status.h"
#include "broker/core/location.h"
#include "broker/core/record.h"
#include "broker/core/state.h"

namespace assay::core {

// Told each record, and where the blob that belongs to it lies (length 0: none). What it returns,
// if it is not ok, ends the writing.
using CheckpointSink = std::function<Status(Record&& record, Location blob)>;

// Tells `sink` the state. Errors: those of the sink. Thread: that of the state.
Status write_checkpoint(const State& state, const CheckpointSink& sink);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_CHECKPOINT_H_
