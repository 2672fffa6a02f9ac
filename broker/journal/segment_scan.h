// Walks the batches of one segment in memory, and judges what follows the last good one.
// Recovery, verify, repair, print and backup all read through this one. Must not know: what entries
// mean, or that there are other segments.
#ifndef ASSAY_BROKER_JOURNAL_SEGMENT_SCAN_H_
#define ASSAY_BROKER_JOURNAL_SEGMENT_SCAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/journal/format.h"

namespace assay::journal {

// A batch as it stands in its segment.
struct Batch {
  BatchHeader header;
  std::uint32_t offset = 0;  // of its header in the segment
  std::string_view payload;  // for a hole: whatever it covers
};

// What stands after the last good batch of a segment that is not sealed.
enum class TailState : std::uint8_t {
  kClean,    // nothing
  kTorn,     // remains of batches that were never flushed: nobody was promised them
  kDamaged,  // a later batch says that what should stand here had been flushed
};

struct Tail {
  TailState state = TailState::kClean;
  std::uint64_t bytes = 0;       // how many bytes of remains, when torn or damaged
  std::optional<Batch> witness;  // when damaged: the later batch that proves it
};

// Thread: one at a time. `bytes` must outlive the scan.
class SegmentScan {
 public:
  // `bytes` is the whole file; `header` is what its first bytes decode to.
  SegmentScan(std::string_view bytes, const SegmentHeader& header);

  // The next good batch in order; none after the seal, at the end, and at the first bad byte.
  std::optional<Batch> next();

  std::uint32_t offset() const { return offset_; }  // where the next batch would start
  std::uint64_t next_sequence() const { return next_sequence_; }
  bool sealed() const { return sealed_; }
  // The last batch says that the broker ended in good order.
  bool closed() const { return closed_; }
  // Why next() answered none although the segment is not sealed: "expected .., found ..".
  const std::string& stopped_by() const { return stopped_by_; }

  // What stands at offset() and after it. Only after next() answered none.
  Tail tail() const;
  // The first batch with a good header and a good payload after offset() that continues the
  // sequence at or after next_sequence(): where a repair can go on.
  std::optional<Batch> find_intact_after() const;
  // Goes on there.
  void resume(const Batch& batch);

 private:
  std::optional<Batch> stop(std::string why);
  std::optional<Batch> read_at(std::uint32_t offset, std::string& why) const;
  std::optional<Batch> find_header_from(std::uint32_t offset) const;
  std::uint64_t remains() const;

  std::string_view bytes_;
  SegmentHeader header_;
  std::uint32_t offset_ = kSegmentHeaderBytes;
  std::uint64_t next_sequence_;
  bool sealed_ = false;
  bool closed_ = false;
  std::string stopped_by_;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_SEGMENT_SCAN_H_
