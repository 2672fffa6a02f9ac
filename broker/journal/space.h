// Accounts of which segments there are and how large they are. Must not know: files.
#ifndef ASSAY_BROKER_JOURNAL_SPACE_H_
#define ASSAY_BROKER_JOURNAL_SPACE_H_

#include <cstdint>
#include <deque>

namespace assay::journal {

// Thread: one at a time.
class Space {
 public:
  // Begins with `oldest` as the only segment.
  void start(std::uint32_t oldest, std::uint64_t first_sequence);
  // The segment after the newest one.
  void add_segment(std::uint64_t first_sequence);
  void add_bytes(std::uint64_t bytes);  // to the newest segment
  // Forgets the segments before `segment`.
  void drop_before(std::uint32_t segment);

  std::uint32_t oldest() const { return oldest_; }
  std::uint32_t newest() const {
    return oldest_ + static_cast<std::uint32_t>(segments_.size()) - 1;
  }
  bool holds(std::uint32_t segment) const { return segment >= oldest_ && segment <= newest(); }
  std::uint64_t first_sequence(std::uint32_t segment) const;
  std::uint64_t bytes() const { return bytes_; }  // of all their batches and headers

 private:
  struct Segment {
    std::uint64_t first_sequence = 0;
    std::uint64_t bytes = 0;
  };

  std::uint32_t oldest_ = 1;
  std::deque<Segment> segments_;
  std::uint64_t bytes_ = 0;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_SPACE_H_
