// Theory. A segment is read in chunks from where the last reading stopped, so that a writer that
// falls behind again and again reads each byte once, and a segment of a gigabyte is never in memory
// as a whole. Where the chunk ends in the middle of a batch, the next one begins with that batch,
// and is made as large as the batch where that is larger.
#include "broker/history/journal_reader.h"

#include <algorithm>
#include <optional>

#include "broker/journal/directory.h"
#include "broker/journal/segment_scan.h"

namespace assay::history {

using journal::Batch;
using journal::BatchKind;
using journal::File;
using journal::kSegmentHeaderBytes;
using journal::SegmentHeader;

namespace {

constexpr std::size_t kChunkBytes = 1 << 20;

}  // namespace

Result<std::uint64_t> JournalReader::read(std::uint64_t after, std::uint64_t through,
                                          const BatchVisitor& visit) {
  lost_ = 0;
  const Asked asked{after, through, visit};
  if (after >= through) return lost_;
  if (place_.next_sequence != after + 1) {
    if (Status status = locate(after); !status.is_ok()) return status;
  }
  while (place_.next_sequence <= through) {
    if (Status status = read_segment(asked); !status.is_ok()) {
      place_ = {};
      return status;
    }
  }
  return lost_;
}

// Finds the segment of the batch after `after`, or the oldest where that is younger.
Status JournalReader::locate(std::uint64_t after) {
  const auto manifest = journal::read_manifest(file_system_, directory_);
  if (!manifest.is_ok()) return manifest.status();
  if (!manifest.value()) {
    return not_found(std::string(journal::kReasonFileNotFound),
                     "there is no journal in " + directory_);
  }
  const auto numbers = journal::list_segments(file_system_, directory_);
  if (!numbers.is_ok()) return numbers.status();
  const std::uint32_t oldest = manifest.value()->oldest_segment;
  Place found{oldest, kSegmentHeaderBytes, manifest.value()->oldest_sequence};
  for (auto number = numbers.value().rbegin(); number != numbers.value().rend(); ++number) {
    if (*number <= oldest) break;
    const auto file = file_system_.open(
        journal::path_in(directory_, journal::segment_name(*number)), journal::OpenMode::kRead);
    if (!file.is_ok()) return file.status();
    const auto header = read_header(*file.value(), *number);
    if (!header.is_ok()) return header.status();
    if (header.value().first_sequence <= after + 1) {
      found = {*number, kSegmentHeaderBytes, header.value().first_sequence};
      break;
    }
  }
  const bool can_go_on = found.segment == place_.segment && place_.next_sequence <= after + 1;
  if (!can_go_on) place_ = found;
  count_lost(after + 1, place_.next_sequence, after);
  return Status::ok();
}

// The batches from `first` to before `next` are gone; those up to `after` nobody asked for.
void JournalReader::count_lost(std::uint64_t first, std::uint64_t next, std::uint64_t after) {
  first = std::max(first, after + 1);
  if (next > first) lost_ += next - first;
}

Result<SegmentHeader> JournalReader::read_header(File& file, std::uint32_t number) const {
  std::string bytes;
  if (Status status = file.read(0, kSegmentHeaderBytes, bytes); !status.is_ok()) return status;
  const auto decoded = journal::decode_segment_header(bytes);
  const std::string path = journal::path_in(directory_, journal::segment_name(number));
  if (!decoded.header) return journal::damaged(path, 0, decoded.malformed.what);
  if (decoded.header->number != number || decoded.header->journal_id != journal_id_) {
    return journal::damaged(
        path, 0, "expected segment " + std::to_string(number) + " of this journal, found another");
  }
  return *decoded.header;
}

Status JournalReader::read_segment(const Asked& asked) {
  const std::uint32_t number = place_.segment;
  const auto file = file_system_.open(journal::path_in(directory_, journal::segment_name(number)),
                                      journal::OpenMode::kRead);
  if (!file.is_ok()) {
    return file.status().code() == Code::kNotFound ? on_missing(file.status(), asked.after)
                                                   : file.status();
  }
  const auto header = read_header(*file.value(), number);
  if (!header.is_ok()) return on_missing(header.status(), asked.after);
  std::size_t chunk_bytes = kChunkBytes;
  while (place_.segment == number && place_.next_sequence <= asked.through) {
    Status status = read_chunk(*file.value(), *header, asked, chunk_bytes);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status JournalReader::read_chunk(File& file, const SegmentHeader& header, const Asked& asked,
                                 std::size_t& chunk_bytes) {
  if (Status status = file.read(place_.offset, chunk_bytes, chunk_); !status.is_ok()) return status;
  journal::SegmentScan scan(chunk_, header);
  scan.resume(Batch{.header = {.sequence = place_.next_sequence}, .offset = 0, .payload = {}});
  bool any = false;
  while (scan.next_sequence() <= asked.through) {
    const std::optional<Batch> batch = scan.next();
    if (!batch) break;
    any = true;
    const std::uint64_t sequence = batch->header.sequence;
    if (batch->header.kind == BatchKind::kHole) {
      count_lost(sequence, scan.next_sequence(), asked.after);
    } else if (batch->header.kind == BatchKind::kRecords && sequence > asked.after) {
      Status status = read_batch(header, batch->payload, sequence, batch->header.entries, asked);
      if (!status.is_ok()) return status;
    }
  }
  if (scan.sealed()) {
    place_ = {header.number + 1, kSegmentHeaderBytes, scan.next_sequence()};
    return Status::ok();
  }
  if (any) {
    place_.offset += scan.offset();
    place_.next_sequence = scan.next_sequence();
    chunk_bytes = kChunkBytes;
    return Status::ok();
  }
  const auto batch = journal::decode_batch_header(chunk_).header;
  if (batch && batch->salt == header.salt && chunk_.size() == chunk_bytes &&
      journal::batch_bytes(batch->length) > chunk_bytes) {
    chunk_bytes = journal::batch_bytes(batch->length);
    return Status::ok();
  }
  return on_missing(
      journal::damaged(journal::path_in(directory_, journal::segment_name(header.number)),
                       place_.offset, scan.stopped_by()),
      asked.after);
}

Status JournalReader::read_batch(const SegmentHeader& header, std::string_view payload,
                                 std::uint64_t sequence, std::uint32_t count, const Asked& asked) {
  entries_.clear();
  journal::EntryCursor cursor(payload);
  while (const auto entry = cursor.next()) {
    entries_.push_back(
        {.head = entry->head, .blob = entry->blob, .blob_bytes = entry->blob.size()});
  }
  if (!cursor.at_end() || entries_.size() != count) {
    return journal::damaged(
        journal::path_in(directory_, journal::segment_name(header.number)), place_.offset,
        "expected " + std::to_string(count) + " entries, found " + std::to_string(entries_.size()));
  }
  return asked.visit(sequence, entries_);
}

Status JournalReader::on_missing(const Status& why, std::uint64_t after) {
  const auto manifest = journal::read_manifest(file_system_, directory_);
  if (!manifest.is_ok()) return manifest.status();
  if (!manifest.value() || manifest.value()->oldest_segment <= place_.segment) return why;
  const std::uint64_t wanted = place_.next_sequence;
  place_ = {manifest.value()->oldest_segment, kSegmentHeaderBytes,
            manifest.value()->oldest_sequence};
  count_lost(wanted, place_.next_sequence, after);
  return Status::ok();
}

}  // namespace assay::history
