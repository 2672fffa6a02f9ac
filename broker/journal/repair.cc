// A damaged segment is laid out anew: its intact batches as they are, and a hole for each run of
// lost ones. Offsets change, which is no harm: locations live in memory only, and recovery hands
// out new ones.
#include "broker/journal/repair.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <utility>

#include "broker/journal/directory.h"

namespace assay::journal {
namespace {

constexpr std::string_view kRepairedName = "repaired.new";
constexpr std::string_view kDamagedPrefix = "damaged-";

// What a repaired segment consists of, by sequence number.
struct Piece {
  std::uint64_t lost = 0;  // batches of a hole; 0: an intact batch
  std::string bytes;       // of the intact batch
};
struct Plan {
  std::map<std::uint64_t, Piece> pieces;
  std::optional<SegmentHeader> header;
  bool is_damaged = false;
  bool sealed = false;
  std::uint64_t first_sequence = 0;  // if there are no pieces
};

void append_frame(const BatchHeader& header, std::string& bytes) {
  std::array<char, kBatchHeaderBytes> frame{};
  encode(header, frame);
  bytes.append(frame.data(), frame.size());
}

class Repair {
 public:
  Repair(FileSystem& file_system, std::string directory)
      : file_system_(file_system), directory_(std::move(directory)) {}

  Result<RepairReport> run();

 private:
  Status look();
  Status write_segment(std::uint32_t number, const Plan& plan);
  Status write_repaired_manifest();
  std::string lay_out(std::uint32_t number, const Plan& plan) const;
  Status set_aside(const std::string& name);
  Status write_durably(const std::string& name, std::string_view content);
  std::string path(std::string_view name) const { return path_in(directory_, name); }

  FileSystem& file_system_;
  std::string directory_;
  RepairReport report_;
  std::map<std::uint32_t, Plan> plans_;
  std::uint64_t journal_id_ = 0;
};

// Collects the pieces of every segment. Segments are small beside memory, but a journal need not
// be: only what stands in damaged segments is kept, so they are looked at twice.
Status Repair::look() {
  const Result<Inspection> first = inspect(file_system_, directory_);
  if (!first.is_ok()) {
    return first.status();
  }
  report_.before = first.value();
  for (const Damage& damage : report_.before.damages) {
    if (damage.kind == Damage::Kind::kManifest) {
      continue;
    }
    Plan& plan = plans_[damage.segment];
    plan.is_damaged = true;
    plan.first_sequence = damage.first_sequence;
    if (damage.lost_batches > 0) {
      plan.pieces[damage.first_sequence].lost = damage.lost_batches;
    }
  }
  const Result<Inspection> second =
      inspect(file_system_, directory_, [&](const SegmentSummary& segment, const Batch& batch) {
        const auto plan = plans_.find(segment.header.number);
        if (plan == plans_.end()) {
          return;
        }
        std::string& bytes = plan->second.pieces[batch.header.sequence].bytes;
        append_frame(batch.header, bytes);
        bytes += batch.payload;
        bytes.resize(batch_bytes(batch.header.length), '\0');
      });
  for (const SegmentSummary& segment : report_.before.segments) {
    journal_id_ = journal_id_ == 0 ? segment.header.journal_id : journal_id_;
    const auto plan = plans_.find(segment.header.number);
    if (plan != plans_.end()) {
      plan->second.header = segment.header;
      plan->second.sealed = segment.sealed;
    }
  }
  if (report_.before.manifest) {
    journal_id_ = report_.before.manifest->journal_id;
  }
  return second.status();
}

// The bytes of the repaired segment.
std::string Repair::lay_out(std::uint32_t number, const Plan& plan) const {
  SegmentHeader header = plan.header.value_or(SegmentHeader());
  header.number = number;
  header.journal_id = journal_id_;
  header.recycled = false;
  header.first_sequence = plan.pieces.empty() ? plan.first_sequence : plan.pieces.begin()->first;
  if (!plan.header) {
    std::random_device device;
    header.salt = static_cast<std::uint64_t>(device()) << 32 | device();
  }
  std::uint32_t newest = number;
  for (const SegmentSummary& segment : report_.before.segments) {
    newest = std::max(newest, segment.header.number);
  }
  for (const auto& [other, unused] : plans_) {
    newest = std::max(newest, other);
  }
  const bool needs_seal = number < newest && !plan.sealed;

  std::string bytes(kSegmentHeaderBytes, '\0');
  encode(header, std::span<char, kSegmentHeaderBytes>(bytes.data(), kSegmentHeaderBytes));
  for (auto piece = plan.pieces.begin(); piece != plan.pieces.end(); ++piece) {
    const auto& [sequence, content] = *piece;
    if (content.lost == 0) {
      bytes += content.bytes;
      continue;
    }
    // The last of the lost batches at the end of a segment was its seal.
    const bool ends_with_seal = needs_seal && std::next(piece) == plan.pieces.end();
    BatchHeader frame;
    frame.salt = header.salt;
    frame.sequence = sequence;
    frame.durable = sequence - 1;
    frame.kind = BatchKind::kHole;
    frame.entries = static_cast<std::uint32_t>(content.lost - (ends_with_seal ? 1 : 0));
    if (frame.entries > 0) {
      append_frame(frame, bytes);
    }
    if (ends_with_seal) {
      frame.kind = BatchKind::kSeal;
      frame.sequence = sequence + content.lost - 1;
      frame.durable = frame.sequence - 1;
      frame.entries = 0;
      append_frame(frame, bytes);
    }
  }
  return bytes;
}

Status Repair::write_durably(const std::string& name, std::string_view content) {
  const Result<std::unique_ptr<File>> file = file_system_.open(path(name), OpenMode::kCreate);
  if (!file.is_ok()) {
    return file.status();
  }
  const std::array<std::string_view, 1> pieces{content};
  if (Status status = file.value()->write(0, pieces); !status.is_ok()) {
    return status;
  }
  return file.value()->sync();
}

Status Repair::set_aside(const std::string& name) {
  const Result<std::unique_ptr<File>> original = file_system_.open(path(name), OpenMode::kRead);
  if (!original.is_ok()) {
    return original.status().code() == Code::kNotFound ? Status::ok() : original.status();
  }
  const Result<std::uint64_t> size = original.value()->size();
  std::string content;
  if (!size.is_ok()) {
    return size.status();
  }
  if (Status status = original.value()->read(0, size.value(), content); !status.is_ok()) {
    return status;
  }
  std::string copy = std::string(kDamagedPrefix) + name;
  for (int again = 2; file_system_.open(path(copy), OpenMode::kRead).is_ok(); ++again) {
    copy = std::string(kDamagedPrefix) + name + "." + std::to_string(again);
  }
  if (Status status = write_durably(copy, content); !status.is_ok()) {
    return status;
  }
  report_.set_aside.push_back(copy);
  return file_system_.sync_directory(directory_);
}

Status Repair::write_segment(std::uint32_t number, const Plan& plan) {
  const std::string name = segment_name(number);
  if (Status status = set_aside(name); !status.is_ok()) {
    return status;
  }
  if (Status status = write_durably(std::string(kRepairedName), lay_out(number, plan));
      !status.is_ok()) {
    return status;
  }
  if (Status status = file_system_.rename(path(kRepairedName), path(name)); !status.is_ok()) {
    return status;
  }
  report_.rewritten.push_back(name);
  return file_system_.sync_directory(directory_);
}

Status Repair::write_repaired_manifest() {
  Manifest manifest;
  manifest.journal_id = journal_id_;
  if (report_.before.manifest) {
    manifest = *report_.before.manifest;
  } else {
    if (Status status = set_aside(std::string(kManifestName)); !status.is_ok()) {
      return status;
    }
    const Result<std::vector<std::uint32_t>> numbers = list_segments(file_system_, directory_);
    if (!numbers.is_ok()) {
      return numbers.status();
    }
    manifest.oldest_segment = numbers.value().front();
    LoadedSegment oldest;
    if (Status status =
            load_segment(file_system_, directory_, manifest.oldest_segment, journal_id_, oldest);
        !status.is_ok()) {
      return status;
    }
    manifest.oldest_sequence = oldest.header.first_sequence;
  }
  for (const SegmentSummary& segment : report_.before.segments) {
    manifest.orphans_through = std::max(manifest.orphans_through, segment.next_sequence - 1);
  }
  return write_manifest(file_system_, directory_, manifest);
}

Result<RepairReport> Repair::run() {
  const Result<std::unique_ptr<FileLock>> lock = file_system_.lock(path(kLockName));
  if (!lock.is_ok()) {
    return lock.status();
  }
  if (Status status = look(); !status.is_ok()) {
    return status;
  }
  if (report_.before.is_intact()) {
    return std::move(report_);
  }
  // Once the last segment is rewritten the journal looks intact, and no repair runs again: what its
  // manifest must say about orphans comes first. A manifest that is lost comes last, as it is then
  // the damage that brings an interrupted repair back.
  const bool manifest_first = report_.before.manifest.has_value();
  if (manifest_first) {
    if (Status status = write_repaired_manifest(); !status.is_ok()) {
      return status;
    }
  }
  for (const auto& [number, plan] : plans_) {
    if (Status status = write_segment(number, plan); !status.is_ok()) {
      return status;
    }
  }
  if (!manifest_first) {
    if (Status status = write_repaired_manifest(); !status.is_ok()) {
      return status;
    }
  }
  const Result<Inspection> after = inspect(file_system_, directory_);
  if (!after.is_ok()) {
    return after.status();
  }
  if (!after.value().is_intact()) {
    return Status(Code::kDataLoss, std::string(kReasonDamaged),
                  "the journal is still damaged after its repair; run it again, or restore a "
                  "backup:\n" +
                      after.value().to_string());
  }
  return std::move(report_);
}

}  // namespace

std::string RepairReport::to_string() const {
  if (before.is_intact()) {
    return "nothing is damaged, and nothing was changed\n";
  }
  std::string text;
  for (const Damage& damage : before.damages) {
    text += damage.to_string() + "\n";
  }
  for (const std::string& name : rewritten) {
    text += "rewritten: " + name + "\n";
  }
  for (const std::string& name : set_aside) {
    text += "as it was found: " + name + "\n";
  }
  return text;
}

Result<RepairReport> repair(FileSystem& file_system, const std::string& directory) {
  return Repair(file_system, directory).run();
}

}  // namespace assay::journal
