// A released location tells its blob's length but not its head's: heads count by the average of
// those retained in the same segment, which is as good as the question (is it worth compacting?)
// needs.
#include "broker/journal/space.h"

#include "assay/status.h"

namespace assay::journal {

void Space::start(std::uint32_t oldest, std::uint64_t first_sequence) {
  oldest_ = oldest;
  segments_.clear();
  total_ = {};
  add_segment(first_sequence);
}

void Space::add_segment(std::uint64_t first_sequence) {
  segments_.push_back({.first_sequence = first_sequence});
  add_bytes(kSegmentHeaderBytes);
}

void Space::add_bytes(std::uint64_t bytes) {
  segments_.back().bytes += bytes;
  total_.bytes += bytes;
}

void Space::retain(const Location& location, std::uint64_t head_bytes) {
  ASSAY_ASSERT(holds(location.segment));
  for (Segment* segment : {&segments_[location.segment - oldest_], &total_}) {
    segment->retained += 1;
    segment->head_bytes += head_bytes;
    segment->live += 1;
    segment->live_blob_bytes += location.length;
  }
}

void Space::release(const Location& location) {
  ASSAY_ASSERT(holds(location.segment));
  for (Segment* segment : {&segments_[location.segment - oldest_], &total_}) {
    ASSAY_ASSERT(segment->live > 0 && segment->live_blob_bytes >= location.length);
    segment->live -= 1;
    segment->live_blob_bytes -= location.length;
  }
}

void Space::drop_before(std::uint32_t segment) {
  ASSAY_ASSERT(holds(segment));
  for (; oldest_ < segment; ++oldest_) {
    const Segment& oldest = segments_.front();
    total_.bytes -= oldest.bytes;
    total_.retained -= oldest.retained;
    total_.head_bytes -= oldest.head_bytes;
    total_.live -= oldest.live;
    total_.live_blob_bytes -= oldest.live_blob_bytes;
    segments_.pop_front();
  }
}

SegmentUsage Space::usage(std::uint32_t segment) const {
  ASSAY_ASSERT(holds(segment));
  return usage_of(segments_[segment - oldest_]);
}

SegmentUsage Space::total() const {
  return usage_of(total_);
}

SegmentUsage Space::usage_of(const Segment& segment) {
  const std::uint64_t head_bytes =
      segment.retained == 0 ? 0 : segment.head_bytes / segment.retained;
  const std::uint64_t each = head_bytes + kEntryBytesMin + kBlobChecksumBytes;
  return {segment.first_sequence, segment.bytes, segment.live,
          segment.live_blob_bytes + segment.live * each};
}

}  // namespace assay::journal
