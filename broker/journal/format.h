// The journal's bytes on disk: every number, every limit, and the frames drawn as boxes of bytes.
// docs/journal.md is the same as a grammar. All integers are little-endian. Whoever changes
// anything here raises kFormatVersion and adds bytes of the new version to tests/compat/.
//
// A segment is a file: one segment header, then batches one after the other, each starting at a
// multiple of 8, then whatever the file held before: zeros, or the bytes of a dropped segment.
//
//   segment header, 64 bytes                             batch header, 48 bytes
//   0        4        8        12       16               0        4        8        12       16
//   +--------+--------+--------+--------+                +--------+--------+--------+--------+
//   | magic "assayjnl"| version| number |                | salt            | sequence        |
//   +--------+--------+--------+--------+                +--------+--------+--------+--------+
//   | journal id      | salt            |                | durable         | length | entries|
//   +--------+--------+--------+--------+                +--------+--------+--------+--------+
//   | first sequence  | flags  | zeros  |                | kind   | payload| zeros  | header |
//   +--------+--------+--------+--------+                |        |  crc32c|        |  crc32c|
//   | zeros                    | crc32c |                +--------+--------+--------+--------+
//   +--------+--------+--------+--------+                | payload (length bytes), zeros to 8 ..
//
//   The payload of a batch of records is its entries, back to back:
//   +--------+------------+--------+----------------------------------+
//   | head   | head       | blob   | if blob length > 0:              |
//   | length | ...        | length | +--------+---------------------+ |
//   +--------+------------+--------+ | crc32c | blob ...            | |
//                                    +--------+---------------------+ |
#ifndef ASSAY_BROKER_JOURNAL_FORMAT_H_
#define ASSAY_BROKER_JOURNAL_FORMAT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/core/location.h"

namespace assay::journal {

using core::Location;

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::string_view kSegmentMagic = "assayjnl";
inline constexpr std::string_view kManifestMagic = "assaymfs";

inline constexpr std::uint32_t kSegmentHeaderBytes = 64;
inline constexpr std::uint32_t kBatchHeaderBytes = 48;
inline constexpr std::uint32_t kBatchAlignment = 8;
inline constexpr std::uint32_t kManifestBytes = 64;
inline constexpr std::uint32_t kEntryBytesMin = 8;      // two lengths
inline constexpr std::uint32_t kBlobChecksumBytes = 4;  // only in front of a blob
inline constexpr std::uint32_t kSegmentRecycledFlag = 1;

// Limits. A batch is written, checked and replayed as a whole, and lies in one segment.
inline constexpr std::uint64_t kSegmentBytesMin = 4096;
inline constexpr std::uint64_t kSegmentBytesMax = 1ULL << 30;
inline constexpr std::uint32_t kEntryHeadBytesMax = 16U << 20;
inline constexpr std::uint32_t kBatchEntriesMax = 1U << 20;
// What is left of the largest segment after its header, the batch's header, padding and the seal.
inline constexpr std::uint64_t kBatchPayloadBytesMax =
    kSegmentBytesMax - kSegmentHeaderBytes - 2ULL * kBatchHeaderBytes - kBatchAlignment;
static_assert(kSegmentHeaderBytes % kBatchAlignment == 0);
static_assert(kBatchHeaderBytes % kBatchAlignment == 0);
static_assert(kSegmentBytesMax <= UINT32_MAX, "an offset in a segment has 32 bits");

struct SegmentHeader {
  std::uint32_t version = kFormatVersion;
  std::uint32_t number = 0;          // from 1, without gaps
  std::uint64_t journal_id = 0;      // the same in every file of one journal
  std::uint64_t salt = 0;            // this segment's; batches of another one do not carry it
  std::uint64_t first_sequence = 0;  // of its first batch
  // The file was a segment before: what follows the last batch are its old bytes, not zeros.
  bool recycled = false;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

// Kinds of batches. The numbers are on disk: never reuse one.
enum class BatchKind : std::uint32_t {
  kRecords = 1,  // entries
  kSeal = 2,     // the segment's last; the next segment exists
  kClose =
      3,  // the broker ended in good order here; nothing but a witness for what stands before it
  kHole =
      4,  // put by repair over what was damaged; `entries` batches are lost, `length` bytes skipped
};

struct BatchHeader {
  std::uint64_t salt = 0;
  std::uint64_t sequence = 0;  // counts batches over all segments, from 1, without gaps
  // The newest batch that was flushed when this one was written. A batch that did not survive
  // although a later one says that it was flushed was damaged, not torn: that is how recovery tells
  // the two apart.
  std::uint64_t durable = 0;
  std::uint32_t length = 0;  // bytes of the payload, without the padding
  std::uint32_t entries = 0;
  BatchKind kind = BatchKind::kRecords;
  std::uint32_t payload_checksum = 0;

  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

// Which segments make up the journal; replaced as a whole, never edited.
struct Manifest {
  std::uint32_t version = kFormatVersion;
  std::uint64_t journal_id = 0;
  std::uint32_t oldest_segment = 0;
  std::uint64_t oldest_sequence = 0;  // first sequence of that segment
  // Batches up to this one may speak of things that segments dropped since then introduced.
  std::uint64_t orphans_through = 0;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// What can be wrong with bytes that should be a header: in words for people, "expected .., found
// ..".
struct Malformed {
  std::string what;
  bool newer_version = false;  // intact, but written by a later assay
};

template <typename Header>
struct Decoded {
  std::optional<Header> header;  // none: malformed says why
  Malformed malformed;
};

void encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> into);
void encode(const BatchHeader& header, std::span<char, kBatchHeaderBytes> into);
void encode(const Manifest& manifest, std::span<char, kManifestBytes> into);

// `bytes` may be shorter than a header, which is one way to be malformed.
Decoded<SegmentHeader> decode_segment_header(std::string_view bytes);
Decoded<BatchHeader> decode_batch_header(std::string_view bytes);
Decoded<Manifest> decode_manifest(std::string_view bytes);

// Bytes that a batch with so much payload takes, header and padding included.
constexpr std::uint64_t batch_bytes(std::uint64_t payload_bytes) {
  const std::uint64_t bytes = kBatchHeaderBytes + payload_bytes;
  return (bytes + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
}

// Bytes that an entry takes in a payload.
constexpr std::uint64_t entry_bytes(std::uint64_t head_bytes, std::uint64_t blob_bytes) {
  return kEntryBytesMin + head_bytes + (blob_bytes > 0 ? kBlobChecksumBytes + blob_bytes : 0);
}

// Appends the entry's bytes at `to` and returns the end. The caller made room for entry_bytes().
char* encode_entry(std::string_view head, std::string_view blob, char* to);

// One entry in a payload, as views into it.
struct RawEntry {
  std::string_view head = {};
  std::string_view blob = {};
  std::uint32_t blob_offset = 0;  // in the payload: where the blob is, or where it would be
};

// Takes the entries out of a payload in turn.
class EntryCursor {
 public:
  explicit EntryCursor(std::string_view payload) : payload_(payload) {}
  // None at the end, or where the bytes are no entry: then at_end() is false.
  std::optional<RawEntry> next();
  bool at_end() const { return at_ == payload_.size(); }

 private:
  std::string_view payload_;
  std::size_t at_ = 0;
};

std::uint32_t load_u32(const char* from);
std::uint64_t load_u64(const char* from);
void store_u32(std::uint32_t value, char* to);
void store_u64(std::uint64_t value, char* to);
std::string hexadecimal(std::uint64_t value);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_FORMAT_H_
