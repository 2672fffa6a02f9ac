// Theory. The manifest is read first: everything from its oldest segment on is a journal, whatever
// is dropped later. Segments are copied in order, each as far as it holds good batches, and the
// first one that is not sealed is the last: a sealed one never changes, and of an unsealed one a
// prefix is a journal that ends there. The manifest is written last, so that an unfinished copy is
// no journal.
#include "broker/journal/backup.h"

#include <array>
#include <memory>

#include "broker/journal/directory.h"
#include "broker/journal/segment_scan.h"

namespace assay::journal {
namespace {

struct GoodPart {
  std::uint64_t bytes = 0;
  std::uint64_t last_sequence = 0;
  bool sealed = false;
};

Status write_durably(FileSystem& file_system, const std::string& path, std::string_view content) {
  const Result<std::unique_ptr<File>> file = file_system.open(path, OpenMode::kCreate);
  if (!file.is_ok()) {
    return file.status();
  }
  const std::array<std::string_view, 1> pieces{content};
  if (Status status = file.value()->write(0, pieces); !status.is_ok()) {
    return status;
  }
  return file.value()->sync();
}

Status overtaken() {
  return {Code::kRetryCall, std::string(kReasonBackupOvertaken),
          "segments were dropped while they were copied; empty the directory and start again"};
}

// A segment that was dropped, or has become part of a later one, since we began.
Result<bool> was_dropped(FileSystem& file_system, const std::string& directory,
                         std::uint32_t number) {
  const Result<std::optional<Manifest>> manifest = read_manifest(file_system, directory);
  if (!manifest.is_ok()) {
    return manifest.status();
  }
  return manifest.value().has_value() && manifest.value()->oldest_segment > number;
}

// Loads a segment as far as it is good. A batch that was written while we read may be missing in
// front of one that is there, which looks like damage once, but not twice.
Status load_good_part(FileSystem& file_system, const std::string& directory, std::uint32_t number,
                      std::uint64_t journal_id, LoadedSegment& segment, GoodPart& part) {
  std::uint64_t stopped_at = 0;
  while (true) {
    if (Status status = load_segment(file_system, directory, number, journal_id, segment);
        !status.is_ok()) {
      return status;
    }
    SegmentScan scan(segment.bytes, segment.header);
    while (scan.next()) {
    }
    part = {scan.offset(), scan.next_sequence() - 1, scan.sealed()};
    if (scan.sealed() || scan.tail().state != TailState::kDamaged) {
      return Status::ok();
    }
    if (scan.offset() == stopped_at) {
      return damaged(path_in(directory, segment_name(number)), stopped_at, scan.stopped_by());
    }
    stopped_at = scan.offset();
  }
}

Status check_destination(FileSystem& file_system, const std::string& to) {
  if (Status status = file_system.create_directory(to); !status.is_ok()) {
    return status;
  }
  const Result<std::vector<std::string>> names = file_system.list(to);
  if (!names.is_ok()) {
    return names.status();
  }
  if (!names.value().empty()) {
    return fix_input(std::string(kReasonBackupNotEmpty), "expected an empty directory at " + to +
                                                             ", found " + names.value().front() +
                                                             " in it; name a new one");
  }
  return Status::ok();
}

}  // namespace

Result<BackupReport> backup(FileSystem& file_system, const std::string& from,
                            const std::string& to) {
  const Result<std::optional<Manifest>> manifest = read_manifest(file_system, from);
  if (!manifest.is_ok()) {
    return manifest.status();
  }
  if (!manifest.value().has_value()) {
    return not_found(std::string(kReasonFileNotFound), "there is no journal in " + from);
  }
  if (Status status = check_destination(file_system, to); !status.is_ok()) {
    return status;
  }
  BackupReport report;
  LoadedSegment segment;
  GoodPart part{.bytes = 0, .last_sequence = 0, .sealed = true};
  for (std::uint32_t number = manifest.value()->oldest_segment; part.sealed; ++number) {
    const Status loaded =
        load_good_part(file_system, from, number, manifest.value()->journal_id, segment, part);
    const Result<bool> dropped = was_dropped(file_system, from, number);
    if (!dropped.is_ok()) {
      return dropped.status();
    }
    if (dropped.value()) {
      return overtaken();
    }
    if (!loaded.is_ok()) {
      return loaded;
    }
    const std::string_view good = std::string_view(segment.bytes).substr(0, part.bytes);
    if (Status status = write_durably(file_system, path_in(to, segment_name(number)), good);
        !status.is_ok()) {
      return status;
    }
    report.segments += 1;
    report.bytes += good.size();
    report.last_sequence = part.last_sequence;
  }
  if (Status status = write_manifest(file_system, to, *manifest.value()); !status.is_ok()) {
    return status;
  }
  return report;
}

}  // namespace assay::journal
