#include "broker/journal/sealed.h"

#include "broker/journal/directory.h"
#include "broker/journal/segment_scan.h"

namespace assay::journal {
namespace {

Status read_batch(const std::string& path, std::uint32_t segment, const Batch& batch,
                  std::uint64_t orphans_through, const EntryVisitor& visit) {
  EntryCursor cursor(batch.payload);
  EntryView view;
  view.sequence = batch.header.sequence;
  view.may_be_orphan = view.sequence <= orphans_through;
  std::uint32_t count = 0;
  for (; const std::optional<RawEntry> entry = cursor.next(); ++count) {
    view.head = entry->head;
    view.blob = entry->blob;
    view.location = {segment, batch.offset + kBatchHeaderBytes + entry->blob_offset,
                     static_cast<std::uint32_t>(entry->blob.size())};
    if (Status status = visit(view); !status.is_ok()) {
      return std::move(status).with_context(path + ", batch " + std::to_string(view.sequence));
    }
  }
  if (cursor.at_end() && count == batch.header.entries) return Status::ok();
  return damaged(path, batch.offset,
                 "expected " + std::to_string(batch.header.entries) + " entries, found " +
                     std::to_string(count));
}

}  // namespace

Result<std::uint64_t> read_sealed(FileSystem& file_system, const std::string& directory,
                                  const Manifest& manifest, std::uint32_t first, std::uint32_t last,
                                  SealedEnd end, const EntryVisitor& visit) {
  std::uint64_t bytes = 0;
  LoadedSegment segment;
  for (std::uint32_t number = first; number <= last; ++number) {
    const std::string path = path_in(directory, segment_name(number));
    Status status = load_segment(file_system, directory, number, manifest.journal_id, segment);
    if (!status.is_ok()) return status;
    SegmentScan scan(segment.bytes, segment.header);
    while (const std::optional<Batch> batch = scan.next()) {
      if (batch->header.kind != BatchKind::kRecords) continue;
      status = read_batch(path, number, *batch, manifest.orphans_through, visit);
      if (!status.is_ok()) return status;
    }
    const bool must_close = number == last && end == SealedEnd::kClosed;
    const bool may_end_anyhow = number == last && end == SealedEnd::kAny;
    if (!may_end_anyhow && !(must_close ? scan.closed() : scan.sealed())) {
      return damaged(path, scan.offset(),
                     "expected the batch that " +
                         std::string(must_close ? "closes it" : "seals it") + ", found none" +
                         (scan.stopped_by().empty() ? "" : " (" + scan.stopped_by() + ")"));
    }
    bytes += scan.offset();
  }
  return bytes;
}

}  // namespace assay::journal
