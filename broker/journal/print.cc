#include "broker/journal/print.h"

#include "broker/journal/inspection.h"

namespace assay::journal {
namespace {

void print_batch(const Batch& batch, std::ostream& out, const HeadRenderer& render) {
  out << "  batch " << batch.header.sequence << " at " << batch.offset << ", durable "
      << batch.header.durable;
  switch (batch.header.kind) {
    case BatchKind::kSeal:
      out << ", seal\n";
      return;
    case BatchKind::kClose:
      out << ", close\n";
      return;
    case BatchKind::kHole:
      out << ", hole of " << batch.header.entries << " batches\n";
      return;
    case BatchKind::kRecords:
      break;
  }
  out << ", " << batch.header.entries << " entries, " << batch.header.length << " bytes\n";
  EntryCursor cursor(batch.payload);
  while (const std::optional<RawEntry> entry = cursor.next()) {
    out << "    " << render(entry->head);
    if (!entry->blob.empty()) {
      out << " +" << entry->blob.size() << " bytes";
    }
    out << "\n";
  }
}

}  // namespace

Status print(FileSystem& file_system, const std::string& directory, std::ostream& out,
             const HeadRenderer& render) {
  std::uint32_t segment_number = 0;
  const Result<Inspection> inspection =
      inspect(file_system, directory, [&](const SegmentSummary& segment, const Batch& batch) {
        if (segment.header.number != segment_number) {
          segment_number = segment.header.number;
          out << segment.file << ": salt " << hexadecimal(segment.header.salt) << ", first batch "
              << segment.header.first_sequence << (segment.header.recycled ? ", recycled\n" : "\n");
        }
        print_batch(batch, out, render);
      });
  if (!inspection.is_ok()) {
    return inspection.status();
  }
  out << inspection.value().to_string();
  return Status::ok();
}

}  // namespace assay::journal
