// Tells blobs in the journal's segments from those in a checkpoint's. Of checkpoints two may be in
// use at a time, the one before and the next: they stand on different shelves. Nothing of this is
// on disk.
#ifndef ASSAY_BROKER_COMPACTION_SHELF_H_
#define ASSAY_BROKER_COMPACTION_SHELF_H_

#include <cstdint>

#include "broker/core/location.h"

namespace assay::compaction {

enum class Shelf : std::uint32_t {
  kJournal = 0,
  kCheckpointA = 1U << 30,
  kCheckpointB = 1U << 31,
};
inline constexpr std::uint32_t kShelfBits = 3U << 30;  // of a segment's number: they count from 1

inline core::Location on_shelf(core::Location location, Shelf shelf) {
  location.segment |= static_cast<std::uint32_t>(shelf);
  return location;
}
inline Shelf shelf_of(const core::Location& location) {
  return Shelf{location.segment & kShelfBits};
}
inline core::Location without_shelf(core::Location location) {
  location.segment &= ~kShelfBits;
  return location;
}
inline Shelf other(Shelf checkpoint) {
  return checkpoint == Shelf::kCheckpointA ? Shelf::kCheckpointB : Shelf::kCheckpointA;
}

}  // namespace assay::compaction

#endif  // ASSAY_BROKER_COMPACTION_SHELF_H_
