// Theory. Batches are found by walking from one to the next, never by searching: a body that looks
// like a batch is not one. Only after the walk has stopped is the rest searched, for headers that
// carry the segment's salt (64 random bits that no producer knows) and a good checksum. If one of
// them says that the batch we miss had been flushed when it was written, the missing one was
// damaged on the disk. Otherwise it was never flushed, and whatever remains of it and its
// successors was promised to nobody.
#include "broker/journal/segment_scan.h"

#include <algorithm>

#include "broker/journal/checksum.h"

namespace assay::journal {
namespace {

bool is_known(BatchKind kind) {
  switch (kind) {
    case BatchKind::kRecords:
    case BatchKind::kSeal:
    case BatchKind::kClose:
    case BatchKind::kHole:
      return true;
  }
  return false;
}

std::string expected_found(std::string_view what, std::uint64_t expected, std::uint64_t found) {
  return "expected " + std::string(what) + " " + std::to_string(expected) + ", found " +
         std::to_string(found);
}

}  // namespace

SegmentScan::SegmentScan(std::string_view bytes, const SegmentHeader& header)
    : bytes_(bytes), header_(header), next_sequence_(header.first_sequence) {}

std::optional<Batch> SegmentScan::stop(std::string why) {
  stopped_by_ = std::move(why);
  return std::nullopt;
}

// A batch with a good header of this segment and a payload inside the file that matches its
// checksum.
std::optional<Batch> SegmentScan::read_at(std::uint32_t offset, std::string& why) const {
  const std::string_view here = bytes_.substr(std::min<std::size_t>(offset, bytes_.size()));
  const Decoded<BatchHeader> decoded = decode_batch_header(here);
  if (!decoded.header) {
    why = decoded.malformed.what;
    return std::nullopt;
  }
  const BatchHeader& header = *decoded.header;
  if (header.salt != header_.salt) {
    why = "expected a batch of this segment, found one of an earlier use of the file";
    return std::nullopt;
  }
  if (header.length > here.size() - kBatchHeaderBytes) {
    why =
        expected_found("a batch payload of bytes", header.length, here.size() - kBatchHeaderBytes);
    return std::nullopt;
  }
  const std::string_view payload = here.substr(kBatchHeaderBytes, header.length);
  // What a hole covers is damaged by definition.
  if (header.kind != BatchKind::kHole && crc32c(payload) != header.payload_checksum) {
    why = "expected a payload of " + std::to_string(header.length) + " bytes with checksum " +
          hexadecimal(header.payload_checksum) + ", found " + hexadecimal(crc32c(payload));
    return std::nullopt;
  }
  return Batch{header, offset, payload};
}

std::optional<Batch> SegmentScan::next() {
  if (sealed_ || !stopped_by_.empty()) {
    return std::nullopt;
  }
  std::string why;
  std::optional<Batch> batch = read_at(offset_, why);
  if (!batch) {
    return stop(std::move(why));
  }
  if (batch->header.sequence != next_sequence_) {
    return stop(expected_found("batch", next_sequence_, batch->header.sequence));
  }
  if (!is_known(batch->header.kind)) {
    return stop("expected a batch of a known kind, found kind " +
                std::to_string(static_cast<std::uint32_t>(batch->header.kind)));
  }
  offset_ += static_cast<std::uint32_t>(batch_bytes(batch->header.length));
  const bool is_hole = batch->header.kind == BatchKind::kHole;
  next_sequence_ += is_hole ? batch->header.entries : 1;
  sealed_ = batch->header.kind == BatchKind::kSeal;
  closed_ = batch->header.kind == BatchKind::kClose;
  return batch;
}

// The next good header of this segment that is not older than what we miss; its payload may be bad.
std::optional<Batch> SegmentScan::find_header_from(std::uint32_t offset) const {
  for (std::size_t at = offset; at + kBatchHeaderBytes <= bytes_.size(); at += kBatchAlignment) {
    if (load_u64(&bytes_[at]) != header_.salt) {
      continue;
    }
    const Decoded<BatchHeader> decoded = decode_batch_header(bytes_.substr(at));
    if (decoded.header && decoded.header->sequence >= next_sequence_) {
      return Batch{*decoded.header, static_cast<std::uint32_t>(at), {}};
    }
  }
  return std::nullopt;
}

// Bytes up to the last one that this segment's batches may have left. In a file that was a segment
// before, only what carries our salt is ours; without a salt in it, nothing there can ever be taken
// for a batch.
std::uint64_t SegmentScan::remains() const {
  const std::size_t begin = std::min<std::size_t>(offset_, bytes_.size());
  const std::string_view rest = bytes_.substr(begin);
  if (!header_.recycled) {
    return rest.find_last_not_of('\0') + 1;  // npos + 1 is 0
  }
  std::uint64_t last = 0;
  for (std::size_t at = 0; at + sizeof header_.salt <= rest.size(); at += kBatchAlignment) {
    if (load_u64(&rest[at]) == header_.salt) {
      const auto batch = decode_batch_header(rest.substr(at)).header;
      last = at + (batch ? batch_bytes(batch->length) : sizeof header_.salt);
    }
  }
  return std::min<std::uint64_t>(last, rest.size());
}

Tail SegmentScan::tail() const {
  Tail tail;
  tail.bytes = remains();
  if (tail.bytes == 0) {
    return tail;
  }
  tail.state = TailState::kTorn;
  std::optional<Batch> later = find_header_from(offset_);
  while (later && later->header.durable < next_sequence_) {
    later = find_header_from(later->offset + kBatchAlignment);
  }
  if (later) {
    tail.state = TailState::kDamaged;
    tail.witness = later;
  }
  return tail;
}

void SegmentScan::resume(const Batch& batch) {
  offset_ = batch.offset;
  next_sequence_ = batch.header.sequence;
  stopped_by_.clear();
}

std::optional<Batch> SegmentScan::find_intact_after() const {
  // The bad batch took at least a header.
  std::optional<Batch> later = find_header_from(offset_ + kBatchHeaderBytes);
  while (later) {
    std::string why;
    std::optional<Batch> batch = read_at(later->offset, why);
    if (batch && is_known(batch->header.kind)) {
      return batch;
    }
    later = find_header_from(later->offset + kBatchAlignment);
  }
  return std::nullopt;
}

}  // namespace assay::journal
