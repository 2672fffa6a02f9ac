#include "broker/journal/space.h"

#include "assay/status.h"
#include "broker/journal/format.h"

namespace assay::journal {

void Space::start(std::uint32_t oldest, std::uint64_t first_sequence) {
  oldest_ = oldest;
  segments_.clear();
  bytes_ = 0;
  add_segment(first_sequence);
}

void Space::add_segment(std::uint64_t first_sequence) {
  segments_.push_back({.first_sequence = first_sequence});
  add_bytes(kSegmentHeaderBytes);
}

void Space::add_bytes(std::uint64_t bytes) {
  segments_.back().bytes += bytes;
  bytes_ += bytes;
}

void Space::drop_before(std::uint32_t segment) {
  ASSAY_ASSERT(holds(segment));
  for (; oldest_ < segment; ++oldest_) {
    bytes_ -= segments_.front().bytes;
    segments_.pop_front();
  }
}

std::uint64_t Space::first_sequence(std::uint32_t segment) const {
  ASSAY_ASSERT(holds(segment));
  return segments_[segment - oldest_].first_sequence;
}

}  // namespace assay::journal
