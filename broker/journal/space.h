// Accounts of what in which segment is still needed. Must not know: files.
#ifndef ASSAY_BROKER_JOURNAL_SPACE_H_
#define ASSAY_BROKER_JOURNAL_SPACE_H_

#include <cstdint>
#include <deque>

#include "broker/journal/format.h"

namespace assay::journal {

struct SegmentUsage {
  std::uint64_t first_sequence = 0;  // of its first batch
  std::uint64_t bytes = 0;           // of its batches and header
  std::uint64_t live_entries = 0;    // retained and not released
  std::uint64_t live_bytes = 0;      // what carrying them forward writes, estimated
};

// Thread: one at a time.
class Space {
 public:
  // Begins with `oldest` as the only segment.
  void start(std::uint32_t oldest, std::uint64_t first_sequence);
  // The segment after the newest one.
  void add_segment(std::uint64_t first_sequence);
  void add_bytes(std::uint64_t bytes);  // to the newest segment
  void retain(const Location& location, std::uint64_t head_bytes);
  void release(const Location& location);
  // Forgets the segments before `segment`.
  void drop_before(std::uint32_t segment);

  std::uint32_t oldest() const { return oldest_; }
  std::uint32_t newest() const {
    return oldest_ + static_cast<std::uint32_t>(segments_.size()) - 1;
  }
  bool holds(std::uint32_t segment) const { return segment >= oldest_ && segment <= newest(); }
  SegmentUsage usage(std::uint32_t segment) const;
  SegmentUsage total() const;

 private:
  struct Segment {
    std::uint64_t first_sequence = 0;
    std::uint64_t bytes = 0;
    std::uint64_t retained = 0;  // entries ever retained, and the bytes of their heads
    std::uint64_t head_bytes = 0;
    std::uint64_t live = 0;
    std::uint64_t live_blob_bytes = 0;
  };
  static SegmentUsage usage_of(const Segment& segment);

  std::uint32_t oldest_ = 1;
  std::deque<Segment> segments_;
  // Kept as sums, since the loop asks every turn.
  Segment total_;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_SPACE_H_
