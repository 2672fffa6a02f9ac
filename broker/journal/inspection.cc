// Recovery's walk, but one that goes on: behind damage it looks for the next intact batch of the
// segment.
#include "broker/journal/inspection.h"

#include <algorithm>
#include <utility>

#include "broker/journal/directory.h"

namespace assay::journal {
namespace {

constexpr std::uint32_t kMissingSegmentsMax = 1000;

class Inspector {
 public:
  Inspector(FileSystem& file_system, std::string directory, const InspectionVisitor& visit)
      : file_system_(file_system), directory_(std::move(directory)), visit_(visit) {}

  Result<Inspection> run();

 private:
  Status read_manifest_and_names();
  void leave_out_strays();
  Status read_bytes(std::uint32_t number, std::string& bytes);
  // Whether the file has a readable header, if only a rebuilt one.
  Result<bool> load(std::uint32_t number);
  std::optional<SegmentHeader> rebuild_header(std::uint32_t number) const;
  // The sequence number that the segments after `number` start with, if any has a readable header.
  Result<std::optional<std::uint64_t>> first_sequence_after(std::uint32_t number);
  Status walk(std::uint32_t number);
  void visit_batches(SegmentScan& scan, SegmentSummary& summary);
  Status judge_stop(SegmentScan& scan, SegmentSummary& summary, bool& goes_on);
  void damage_to_the_end(const SegmentScan& scan, const SegmentSummary& summary,
                         std::uint64_t next_sequence, std::uint64_t bytes);
  Status missing(std::uint32_t number);
  std::string expected_start(const SegmentHeader& header) const {
    return "expected a segment that starts with batch " + std::to_string(next_sequence_) +
           ", found one that starts with batch " + std::to_string(header.first_sequence);
  }
  bool is_last(std::uint32_t number) const { return number == numbers_.back(); }

  FileSystem& file_system_;
  std::string directory_;
  const InspectionVisitor& visit_;
  Inspection found_;
  std::vector<std::uint32_t> numbers_;
  std::uint64_t next_sequence_ = 0;
  bool was_sealed_ = true;  // the segment before
  bool ended_ = false;
  SegmentHeader header_;
  std::string bytes_;
};

// A file with a number far from all others is none of ours; the gap is not a billion lost segments.
void Inspector::leave_out_strays() {
  for (std::size_t i = 1; i < numbers_.size(); ++i) {
    if (numbers_[i] - numbers_[i - 1] > kMissingSegmentsMax) {
      found_.notes.push_back(segment_name(numbers_[i]) + " and later ones are far from " +
                             segment_name(numbers_[i - 1]) + " and were not looked at");
      numbers_.resize(i);
    }
  }
}

Status Inspector::read_manifest_and_names() {
  const Result<std::vector<std::uint32_t>> numbers = list_segments(file_system_, directory_);
  if (!numbers.is_ok()) {
    return numbers.status();
  }
  numbers_ = numbers.value();
  leave_out_strays();
  const Result<std::optional<Manifest>> manifest = read_manifest(file_system_, directory_);
  const bool is_malformed = manifest.status().reason() == kReasonDamaged;
  if (!manifest.is_ok() && !is_malformed) {
    return manifest.status();
  }
  if (manifest.is_ok() && manifest.value().has_value()) {
    found_.manifest = manifest.value();
    const auto kept = std::find_if(numbers_.begin(), numbers_.end(), [&](std::uint32_t number) {
      return number >= found_.manifest->oldest_segment;
    });
    for (auto dropped = numbers_.begin(); dropped != kept; ++dropped) {
      found_.notes.push_back(segment_name(*dropped) + " was dropped and is not removed yet");
    }
    numbers_.erase(numbers_.begin(), kept);
    return Status::ok();
  }
  if (numbers_.empty()) {
    return not_found(std::string(kReasonFileNotFound), "expected a journal in " + directory_ +
                                                           ", found neither MANIFEST nor segments");
  }
  Damage damage;
  damage.kind = Damage::Kind::kManifest;
  damage.file = kManifestName;
  damage.what = is_malformed ? manifest.status().message()
                             : "expected a manifest beside the segments, found no such file";
  found_.damages.push_back(std::move(damage));
  return Status::ok();
}

Status Inspector::read_bytes(std::uint32_t number, std::string& bytes) {
  const Result<std::unique_ptr<File>> file =
      file_system_.open(path_in(directory_, segment_name(number)), OpenMode::kRead);
  if (!file.is_ok()) {
    return file.status();
  }
  const Result<std::uint64_t> size = file.value()->size();
  if (!size.is_ok()) {
    return size.status();
  }
  return file.value()->read(0, std::min(size.value(), kSegmentBytesMax), bytes);
}

// Any batch tells the segment's salt.
std::optional<SegmentHeader> Inspector::rebuild_header(std::uint32_t number) const {
  for (std::size_t at = kSegmentHeaderBytes; at + kBatchHeaderBytes <= bytes_.size();
       at += kBatchAlignment) {
    const Decoded<BatchHeader> batch = decode_batch_header(std::string_view(bytes_).substr(at));
    if (batch.header && batch.header->sequence >= next_sequence_) {
      SegmentHeader header;
      header.number = number;
      header.journal_id = found_.manifest ? found_.manifest->journal_id : header_.journal_id;
      header.salt = batch.header->salt;
      header.first_sequence = next_sequence_ > 0 ? next_sequence_ : batch.header->sequence;
      header.recycled = true;  // perhaps: then only what carries the salt is believed
      return header;
    }
  }
  return std::nullopt;
}

Result<bool> Inspector::load(std::uint32_t number) {
  if (Status status = read_bytes(number, bytes_); !status.is_ok()) {
    return status;
  }
  Decoded<SegmentHeader> decoded = decode_segment_header(bytes_);
  Damage damage;
  if (!decoded.header) {
    if (decoded.malformed.newer_version) {
      return fix_input(std::string(kReasonVersion),
                       segment_name(number) + ": " + decoded.malformed.what);
    }
    damage.what = decoded.malformed.what;
  } else if (decoded.header->number != number) {
    damage.what = "expected segment " + std::to_string(number) + ", found segment " +
                  std::to_string(decoded.header->number) + " (a renamed file?)";
  } else if (found_.manifest && decoded.header->journal_id != found_.manifest->journal_id) {
    damage.what = "expected a segment of journal " + hexadecimal(found_.manifest->journal_id) +
                  ", found one of journal " + hexadecimal(decoded.header->journal_id);
  } else if (decoded.header->first_sequence < next_sequence_) {
    damage.what = expected_start(*decoded.header);
  }
  if (damage.what.empty()) {
    header_ = *decoded.header;
    return true;
  }
  damage.kind = Damage::Kind::kSegmentHeader;
  damage.segment = number;
  damage.file = segment_name(number);
  damage.bytes = kSegmentHeaderBytes;
  damage.first_sequence = next_sequence_;
  // An intact header that belongs elsewhere: the batches behind it do too.
  const std::optional<SegmentHeader> rebuilt =
      decoded.header ? std::nullopt : rebuild_header(number);
  if (!rebuilt) {
    damage.bytes = bytes_.size();
    damage.to_the_end = true;
    const Result<std::optional<std::uint64_t>> next = first_sequence_after(number);
    if (!next.is_ok()) {
      return next.status();
    }
    damage.lost_batches = next.value().value_or(next_sequence_) - next_sequence_;
    next_sequence_ += damage.lost_batches;
  }
  found_.damages.push_back(std::move(damage));
  if (rebuilt) {
    header_ = *rebuilt;
  }
  return rebuilt.has_value();
}

Result<std::optional<std::uint64_t>> Inspector::first_sequence_after(std::uint32_t number) {
  for (const std::uint32_t later : numbers_) {
    if (later <= number) {
      continue;
    }
    std::string bytes;
    if (Status status = read_bytes(later, bytes); !status.is_ok()) {
      return status;
    }
    const Decoded<SegmentHeader> decoded = decode_segment_header(bytes);
    if (decoded.header && decoded.header->first_sequence >= next_sequence_) {
      return std::optional<std::uint64_t>(decoded.header->first_sequence);
    }
  }
  return std::optional<std::uint64_t>();
}

void Inspector::visit_batches(SegmentScan& scan, SegmentSummary& summary) {
  while (const std::optional<Batch> batch = scan.next()) {
    summary.batches += 1;
    summary.bytes += batch_bytes(batch->header.length);
    if (batch->header.kind == BatchKind::kRecords) {
      summary.entries += batch->header.entries;
    }
    if (batch->header.kind == BatchKind::kHole) {
      found_.notes.push_back(summary.file + ": an earlier repair gave up " +
                             std::to_string(batch->header.entries) + " batches at offset " +
                             std::to_string(batch->offset));
    }
    if (visit_) {
      visit_(summary, *batch);
    }
  }
}

void Inspector::damage_to_the_end(const SegmentScan& scan, const SegmentSummary& summary,
                                  std::uint64_t next_sequence, std::uint64_t bytes) {
  Damage damage;
  damage.segment = summary.header.number;
  damage.file = summary.file;
  damage.offset = scan.offset();
  damage.bytes = bytes;
  damage.first_sequence = scan.next_sequence();
  damage.lost_batches = next_sequence - scan.next_sequence();
  damage.to_the_end = true;
  damage.what = scan.stopped_by();
  next_sequence_ = next_sequence;
  found_.damages.push_back(std::move(damage));
}

// The scan found no batch at its offset, in a segment that is not sealed.
Status Inspector::judge_stop(SegmentScan& scan, SegmentSummary& summary, bool& goes_on) {
  const Tail tail = scan.tail();
  const Result<std::optional<std::uint64_t>> next = first_sequence_after(summary.header.number);
  if (!next.is_ok()) {
    return next.status();
  }
  // One segment without a batch may follow: a rotation that was cut short.
  bool is_end = is_last(summary.header.number);
  if (!is_end && summary.header.number + 1 == numbers_.back()) {
    std::string bytes;
    if (Status status = read_bytes(numbers_.back(), bytes); !status.is_ok()) {
      return status;
    }
    if (const auto header = decode_segment_header(bytes).header) {
      SegmentScan successor(bytes, *header);
      is_end = !successor.next() && successor.tail().state == TailState::kClean;
    }
  }
  if (is_end && tail.state != TailState::kDamaged) {
    ended_ = true;
    if (tail.state == TailState::kTorn) {
      found_.notes.push_back(summary.file + ": " + std::to_string(tail.bytes) +
                             " bytes at offset " + std::to_string(scan.offset()) +
                             " are of batches that were never flushed; they will be cut");
    }
    return Status::ok();
  }
  if (const std::optional<Batch> later = scan.find_intact_after()) {
    Damage damage;
    damage.segment = summary.header.number;
    damage.file = summary.file;
    damage.offset = scan.offset();
    damage.bytes = later->offset - scan.offset();
    damage.first_sequence = scan.next_sequence();
    damage.lost_batches = later->header.sequence - scan.next_sequence();
    damage.what = scan.stopped_by();
    found_.damages.push_back(std::move(damage));
    scan.resume(*later);
    goes_on = true;
    return Status::ok();
  }
  const std::uint64_t after = tail.witness ? tail.witness->header.sequence + 1 : 0;
  const std::uint64_t next_sequence =
      std::max({scan.next_sequence(), after, next.value().value_or(0)});
  damage_to_the_end(scan, summary, next_sequence, tail.bytes);
  ended_ = is_end;
  return Status::ok();
}

Status Inspector::walk(std::uint32_t number) {
  const Result<bool> loaded = load(number);
  if (!loaded.is_ok()) {
    return loaded.status();
  }
  was_sealed_ = true;
  if (!loaded.value()) {
    return Status::ok();
  }
  if (next_sequence_ != 0 && header_.first_sequence > next_sequence_) {
    Damage damage;
    damage.kind = Damage::Kind::kSegmentHeader;
    damage.segment = number;
    damage.file = segment_name(number);
    damage.first_sequence = next_sequence_;
    damage.lost_batches = header_.first_sequence - next_sequence_;
    damage.what = expected_start(header_);
    found_.damages.push_back(std::move(damage));
  }
  SegmentSummary summary;
  summary.header = header_;
  summary.file = segment_name(number);
  summary.file_bytes = bytes_.size();
  SegmentScan scan(bytes_, header_);
  bool goes_on = true;
  while (goes_on) {
    goes_on = false;
    visit_batches(scan, summary);
    next_sequence_ = scan.next_sequence();
    if (!scan.sealed()) {
      if (Status status = judge_stop(scan, summary, goes_on); !status.is_ok()) {
        return status;
      }
    }
  }
  summary.sealed = was_sealed_ = scan.sealed();
  summary.next_sequence = next_sequence_;
  found_.segments.push_back(std::move(summary));
  return Status::ok();
}

Status Inspector::missing(std::uint32_t number) {
  const Result<std::optional<std::uint64_t>> next = first_sequence_after(number);
  if (!next.is_ok()) {
    return next.status();
  }
  Damage damage;
  damage.kind = Damage::Kind::kSegmentMissing;
  damage.segment = number;
  damage.file = segment_name(number);
  damage.first_sequence = next_sequence_;
  damage.lost_batches = next.value().value_or(next_sequence_) - next_sequence_;
  damage.to_the_end = true;
  damage.what = "expected this segment, found no such file";
  next_sequence_ += damage.lost_batches;
  found_.damages.push_back(std::move(damage));
  return Status::ok();
}

Result<Inspection> Inspector::run() {
  if (Status status = read_manifest_and_names(); !status.is_ok()) {
    return status;
  }
  std::uint32_t number = numbers_.empty() ? 0 : numbers_.front();
  if (found_.manifest) {
    number = found_.manifest->oldest_segment;
    next_sequence_ = found_.manifest->oldest_sequence;
  }
  const std::uint32_t newest = numbers_.empty() ? number : numbers_.back();
  for (; number <= newest && !ended_; ++number) {
    const bool is_there = std::binary_search(numbers_.begin(), numbers_.end(), number);
    if (Status status = is_there ? walk(number) : missing(number); !status.is_ok()) {
      return status;
    }
  }
  if (!ended_ && was_sealed_) {
    if (Status status = missing(newest + 1); !status.is_ok()) {
      return status;
    }
  }
  return std::move(found_);
}

}  // namespace

Result<Inspection> inspect(FileSystem& file_system, const std::string& directory,
                           const InspectionVisitor& visit) {
  return Inspector(file_system, directory, visit).run();
}

}  // namespace assay::journal
