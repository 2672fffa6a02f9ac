#include "broker/history/journal_history.h"

#include <string>
#include <utility>
#include <vector>

#include "broker/compaction/checkpoint_directory.h"
#include "broker/history/schema.h"
#include "broker/journal/directory.h"

namespace assay::history {

JournalHistory::JournalHistory(const JournalHistoryOptions& options, std::uint64_t journal_id)
    : path_(options.path.empty() ? default_path(options.journal_directory) : options.path),
      directory_(options.journal_directory),
      reader_(file_system_, options.journal_directory, journal_id) {}

namespace {

// The checkpoint's entries as batches, with the numbers of batches that it stands for: the last has
// the number of the last of those. A batch is applied as a whole, so they are not made too large.
class CheckpointBatches {
 public:
  CheckpointBatches(std::uint64_t first, std::uint64_t last, const BatchVisitor& visit)
      : next_(first), last_(last), visit_(visit) {}

  Status add(const journal::EntryView& entry) {
    kept_.push_back({std::string(entry.head), std::string(entry.blob)});
    return kept_.size() >= kBatchEntries && next_ < last_ ? tell(next_++) : Status::ok();
  }
  Status finish() { return tell(last_); }

 private:
  static constexpr std::size_t kBatchEntries = 10'000;
  struct Kept {
    std::string head;
    std::string blob;
  };

  Status tell(std::uint64_t sequence) {
    std::vector<EntryBytes> entries;
    entries.reserve(kept_.size());
    for (const Kept& each : kept_) entries.push_back({each.head, each.blob, each.blob.size()});
    Status status = visit_(sequence, entries);
    kept_.clear();
    return status;
  }

  std::uint64_t next_;
  std::uint64_t last_;
  const BatchVisitor& visit_;
  std::vector<Kept> kept_;
};

}  // namespace

// Who comes too late for what was before the checkpoint is told the checkpoint.
Result<std::uint64_t> JournalHistory::read(std::uint64_t after, std::uint64_t through,
                                           const BatchVisitor& visit) {
  const auto manifest = journal::read_manifest(file_system_, directory_);
  if (!manifest.is_ok()) return manifest.status();
  const std::uint64_t last = manifest.value() ? manifest.value()->oldest_sequence - 1 : 0;
  if (after >= last || last > through) return reader_.read(after, through, visit);
  CheckpointBatches batches(after + 1, last, visit);
  const auto checkpoint = compaction::read_checkpoint(
      file_system_, directory_, *manifest.value(),
      [&](const journal::EntryView& entry) { return batches.add(entry); });
  if (!checkpoint.is_ok()) return checkpoint.status();
  if (Status status = batches.finish(); !status.is_ok()) return status;
  const auto lost = reader_.read(last, through, visit);
  if (!lost.is_ok()) return lost;
  return *lost + (last - after);
}

std::string JournalHistory::default_path(const std::string& journal_directory) {
  return journal::path_in(journal_directory, "history.db");
}

Result<std::unique_ptr<JournalHistory>> JournalHistory::open(const JournalHistoryOptions& options) {
  journal::PosixFileSystem file_system;
  const auto manifest = journal::read_manifest(file_system, options.journal_directory);
  if (!manifest.is_ok()) return manifest.status();
  if (!manifest.value()) {
    return not_found(std::string(journal::kReasonFileNotFound),
                     "there is no journal in " + options.journal_directory);
  }
  const std::uint64_t journal_id = manifest.value()->journal_id;
  std::unique_ptr<JournalHistory> made(new JournalHistory(options, journal_id));
  if (options.rebuild) {
    if (Status status = remove_history(made->path_); !status.is_ok()) return status;
  }
  auto history = History::open(
      {.path = made->path_,
       .journal_id = journal_id,
       .last_sequence = options.last_sequence,
       .replay = [self = made.get()](
                     std::uint64_t after, std::uint64_t through,
                     const BatchVisitor& visit) { return self->read(after, through, visit); },
       .retention = options.retention,
       .on_status = options.on_status});
  if (!history.is_ok()) return history.status();
  made->history_ = std::move(*history);
  return made;
}

}  // namespace assay::history
