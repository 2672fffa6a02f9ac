// Theory. A segment is sealed only after its successor is on disk, and nothing is written to the
// successor before the seal is. So: a sealed segment has a successor; a segment whose successor
// holds a batch is sealed; and one successor without a batch after an unsealed segment is a
// rotation that was cut short. Everything else is damage, and is refused rather than guessed at.
#include "broker/journal/recovery.h"

#include <algorithm>
#include <array>
#include <deque>

#include "broker/journal/directory.h"

namespace assay::journal {
namespace {

class Recovery {
 public:
  Recovery(FileSystem& file_system, std::string directory, const Manifest& manifest,
           const BatchVisitor& visit, RecoveryReport& report)
      : file_system_(file_system),
        directory_(std::move(directory)),
        manifest_(manifest),
        visit_(visit),
        report_(report) {}

  Result<RecoveredEnd> run();

 private:
  Status remove_strangers();
  Result<std::optional<RecoveredEnd>> read_segment(std::uint32_t number, bool is_last);
  Status visit_batches(SegmentScan& scan);
  Status remove_unused(std::uint32_t unused, std::uint32_t unsealed, const SegmentScan& scan);
  Status refuse_damage(const SegmentScan& scan, const Tail& tail) const;
  Status cut_tail(const SegmentScan& scan, const Tail& tail);
  Status write_doubtful_again();
  Status remove(const std::string& name);
  std::string path() const { return path_in(directory_, segment_name(segment_.header.number)); }

  FileSystem& file_system_;
  std::string directory_;
  Manifest manifest_;
  const BatchVisitor& visit_;
  RecoveryReport& report_;
  std::vector<std::uint32_t> numbers_;
  std::uint64_t next_sequence_ = 0;
  LoadedSegment segment_;

  // Batches of which no later one says that they were flushed.
  struct Doubtful {
    std::uint64_t sequence = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
  };
  std::deque<Doubtful> doubtful_;
};

Status Recovery::remove(const std::string& name) {
  report_.removed.push_back(name);
  return file_system_.remove(path_in(directory_, name));
}

// Segments that were dropped but not yet removed.
Status Recovery::remove_strangers() {
  const Result<std::vector<std::string>> names = file_system_.list(directory_);
  if (!names.is_ok()) {
    return names.status();
  }
  for (const std::string& name : names.value()) {
    const std::optional<std::uint32_t> number = segment_number(name);
    if (number && *number < manifest_.oldest_segment) {
      if (Status status = remove(name); !status.is_ok()) {
        return status;
      }
    } else if (number) {
      numbers_.push_back(*number);
    }
  }
  std::sort(numbers_.begin(), numbers_.end());
  return report_.removed.empty() ? Status::ok() : file_system_.sync_directory(directory_);
}

Status Recovery::visit_batches(SegmentScan& scan) {
  while (const std::optional<Batch> batch = scan.next()) {
    report_.batches += 1;
    report_.bytes += batch_bytes(batch->header.length);
    if (batch->header.kind == BatchKind::kRecords) {
      report_.entries += batch->header.entries;
    }
    if (batch->header.kind == BatchKind::kHole) {
      report_.lost_batches += batch->header.entries;
    }
    while (!doubtful_.empty() && doubtful_.front().sequence <= batch->header.durable) {
      doubtful_.pop_front();
    }
    doubtful_.push_back({batch->header.sequence, segment_.header.number, batch->offset,
                         scan.offset() - batch->offset});
    if (Status status = visit_(segment_.header, *batch); !status.is_ok()) {
      return status;
    }
  }
  next_sequence_ = scan.next_sequence();
  report_.was_closed = scan.closed();
  return Status::ok();
}

// An unsealed segment may only be followed by one segment that holds nothing: then a rotation was
// cut short, and that segment is removed so that it can be made again.
Status Recovery::remove_unused(std::uint32_t unused, std::uint32_t unsealed,
                               const SegmentScan& scan) {
  LoadedSegment successor;
  if (Status status =
          load_segment(file_system_, directory_, unused, manifest_.journal_id, successor);
      !status.is_ok()) {
    return status;
  }
  SegmentScan successor_scan(successor.bytes, successor.header);
  if (unused != numbers_.back() || successor_scan.next() ||
      successor_scan.tail().state != TailState::kClean) {
    return damaged(path_in(directory_, segment_name(unsealed)), scan.offset(),
                   scan.stopped_by() + "; the next segment goes on with batch " +
                       std::to_string(successor.header.first_sequence));
  }
  if (Status status = remove(segment_name(unused)); !status.is_ok()) {
    return status;
  }
  return file_system_.sync_directory(directory_);
}

Status Recovery::refuse_damage(const SegmentScan& scan, const Tail& tail) const {
  return damaged(path(), scan.offset(),
                 scan.stopped_by() + "; batch " + std::to_string(tail.witness->header.sequence) +
                     " at offset " + std::to_string(tail.witness->offset) +
                     " was written after this one had been flushed");
}

// Bytes that remain of unflushed batches must go for good: a new batch of the same size in front of
// them would bring the ones behind it back to life.
Status Recovery::cut_tail(const SegmentScan& scan, const Tail& tail) {
  report_.cut = {segment_name(segment_.header.number), scan.offset(), tail.bytes};
  const Result<std::unique_ptr<File>> file = file_system_.open(path(), OpenMode::kReadWrite);
  if (!file.is_ok()) {
    return file.status();
  }
  if (Status status = file.value()->truncate(scan.offset()); !status.is_ok()) {
    return status;
  }
  return file.value()->sync();
}

// We read these batches, perhaps from memory that never reached the disk: the process may have died
// before it flushed, or the flush failed and the system took the pages for clean. Flushing again
// would then flush nothing, so they are written again first.
Status Recovery::write_doubtful_again() {
  while (!doubtful_.empty()) {
    const std::uint32_t number = doubtful_.front().segment;
    const Result<std::unique_ptr<File>> file =
        file_system_.open(path_in(directory_, segment_name(number)), OpenMode::kReadWrite);
    if (!file.is_ok()) {
      return file.status();
    }
    std::string bytes;
    for (; !doubtful_.empty() && doubtful_.front().segment == number; doubtful_.pop_front()) {
      const Doubtful& batch = doubtful_.front();
      if (Status status = file.value()->read(batch.offset, batch.bytes, bytes); !status.is_ok()) {
        return status;
      }
      const std::array<std::string_view, 1> pieces{bytes};
      if (Status status = file.value()->write(batch.offset, pieces); !status.is_ok()) {
        return status;
      }
    }
    if (Status status = file.value()->sync(); !status.is_ok()) {
      return status;
    }
  }
  return Status::ok();
}

// Answers the end when this segment is the one that the journal goes on in.
Result<std::optional<RecoveredEnd>> Recovery::read_segment(std::uint32_t number, bool is_last) {
  if (Status status =
          load_segment(file_system_, directory_, number, manifest_.journal_id, segment_);
      !status.is_ok()) {
    return status;
  }
  if (segment_.header.first_sequence != next_sequence_) {
    return damaged(path(), 0,
                   "expected a segment that starts with batch " + std::to_string(next_sequence_) +
                       ", found one that starts with batch " +
                       std::to_string(segment_.header.first_sequence));
  }
  SegmentScan scan(segment_.bytes, segment_.header);
  if (Status status = visit_batches(scan); !status.is_ok()) {
    return status;
  }
  report_.segments += 1;
  if (scan.sealed()) {
    return std::optional<RecoveredEnd>();
  }
  // Everything is judged before anything is changed: a refused journal stays as it was found.
  const Tail tail = scan.tail();
  if (tail.state == TailState::kDamaged) {
    return refuse_damage(scan, tail);
  }
  if (!is_last) {
    if (Status status = remove_unused(number + 1, number, scan); !status.is_ok()) {
      return status;
    }
  }
  if (tail.state == TailState::kTorn) {
    if (Status status = cut_tail(scan, tail); !status.is_ok()) {
      return status;
    }
  }
  if (Status status = write_doubtful_again(); !status.is_ok()) {
    return status;
  }
  const std::uint64_t file_bytes = report_.cut ? scan.offset() : segment_.bytes.size();
  return std::optional<RecoveredEnd>(
      RecoveredEnd{segment_.header, scan.offset(), next_sequence_, file_bytes});
}

Result<RecoveredEnd> Recovery::run() {
  if (Status status = remove_strangers(); !status.is_ok()) {
    return status;
  }
  next_sequence_ = manifest_.oldest_sequence;
  const std::uint32_t newest = numbers_.empty() ? manifest_.oldest_segment : numbers_.back();
  for (std::uint32_t number = manifest_.oldest_segment; number <= newest; ++number) {
    Result<std::optional<RecoveredEnd>> end = read_segment(number, number == newest);
    if (!end.is_ok()) {
      return end.status();
    }
    if (end->has_value()) {
      return **end;
    }
  }
  return damaged(path_in(directory_, segment_name(newest + 1)), 0,
                 "expected this segment after the sealed one before it, found no such file");
}

}  // namespace

std::string RecoveryReport::to_string() const {
  std::string text = "journal recovered: " + std::to_string(entries) + " entries in " +
                     std::to_string(batches) + " batches in " + std::to_string(segments) +
                     " segments, " + std::to_string(bytes) + " bytes";
  if (cut) {
    text += "; cut " + std::to_string(cut->bytes) + " bytes that were never flushed from " +
            cut->file + " at offset " + std::to_string(cut->offset);
  }
  if (lost_batches > 0) {
    text += "; " + std::to_string(lost_batches) + " batches were given up by a repair";
  }
  for (const std::string& name : removed) {
    text += "; removed " + name;
  }
  return text;
}

Result<RecoveredEnd> recover(FileSystem& file_system, const std::string& directory,
                             const Manifest& manifest, const BatchVisitor& visit,
                             RecoveryReport& report) {
  return Recovery(file_system, directory, manifest, visit, report).run();
}

}  // namespace assay::journal
