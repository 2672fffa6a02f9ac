// Storage in the journal: records become entries, one flush a call.
#include <span>

#include "broker/compaction/checkpoint_directory.h"
#include "broker/compaction/checkpoint_maker.h"
#include "broker/compaction/compactor.h"
#include "broker/history/history.h"
#include "broker/journal/journal.h"
#include "broker/journal/posix_file_system.h"
#include "broker/journal/record_codec.h"
#include "broker/net/storage.h"

namespace assay::net {
namespace {

class JournalStorage : public Storage {
 public:
  explicit JournalStorage(journal::FileSystem& file_system) : file_system_(file_system) {}

  Status open(const JournalSettings& settings, const core::CoreOptions& rules,
              core::BrokerCore& core, Recovery& recovery) {
    compaction::RecordApplier apply([&](const core::Record& record, core::Location blob) {
      return core.recover(record, blob);
    });
    std::uint64_t checkpoint_bytes = 0;
    auto opened = journal::Journal::open(
        file_system_, settings.directory, {.segment_bytes = settings.segment_bytes},
        [&](const journal::EntryView& entry) { return apply(entry, compaction::Shelf::kJournal); },
        [&](const journal::Manifest& manifest) -> Status {
          const auto read = compaction::read_checkpoint(
              file_system_, settings.directory, manifest, [&](const journal::EntryView& entry) {
                return apply(entry, compaction::Shelf::kCheckpointA);
              });
          if (!read.is_ok()) return read.status();
          checkpoint_bytes = read->bytes;
          if (read->was_repaired) apply.expect_orphans();
          return compaction::remove_other_checkpoints(file_system_, settings.directory,
                                                      compaction::checkpoint_of(manifest));
        });
    if (!opened.is_ok()) return opened.status();
    journal_ = std::move(*opened);
    compactor_ = std::make_unique<compaction::Compactor>(
        file_system_, *journal_,
        compaction::CompactionOptions{.journal_directory = settings.directory,
                                      .rules = rules,
                                      .segment_bytes = settings.segment_bytes,
                                      .bytes_min = settings.compaction_bytes_min,
                                      .on_own_thread = settings.compacts_on_own_thread},
        checkpoint_bytes);
    directory_ = settings.directory;
    segment_bytes_ = settings.segment_bytes;
    if (apply.orphans() > 0) core.mend_after_repair();
    recovery.records = apply.records();
    recovery.orphans = apply.orphans();
    recovery.report = journal_->recovery_report().to_string();
    if (checkpoint_bytes > 0) {
      recovery.report += "; a checkpoint of " + std::to_string(checkpoint_bytes) + " bytes";
    }
    return Status::ok();
  }

  Status store(const std::vector<core::Append>& appends, core::BrokerCore& core) override {
    // A turn is one batch, all of it there after a crash or nothing. Only what follows from one
    // thing in very great numbers (a million tasks that come after one that failed) takes several;
    // recovery completes it (BrokerCore::start).
    for (std::size_t from = 0; from < appends.size();) {
      std::size_t to = from, bytes = 0;
      while (to < appends.size() && to - from < kEntriesPerBatch && bytes < kBlobBytesPerBatch) {
        bytes += appends[to++].blob.size();
      }
      Status status = append(std::span(appends).subspan(from, to - from), core);
      if (!status.is_ok()) return status;
      from = to;
    }
    if (appends.empty()) return Status::ok();
    Status status = journal_->flush();
    if (!status.is_ok() || history_ == nullptr) return status;
    // The entries of the last batch are still there; of several batches history reads the journal.
    if (entries_.size() == appends.size()) {
      history_->offer(journal_->durable_sequence(), entries_);
    } else {
      history_->offer_by_journal(journal_->durable_sequence());
    }
    return status;
  }

  Status can_accept(const core::BrokerCore& core) override {
    const core::State& state = core.state();
    const std::uint64_t live = state.tasks().size() - state.ended_count();
    // Asked first, for what the journal takes beforehand is gone.
    Status status = has_room_to_compact(state);
    return status.is_ok() ? journal_->can_accept(kTurnBytes + live * kBytesToEndATask) : status;
  }

  Result<bool> between_turns(core::BrokerCore& core) override {
    // Asked only when it matters: the answer takes a lock that the history's thread holds at times.
    const bool history_reads = history_ != nullptr && compactor_->is_at_work();
    return compactor_->turn(
        core, history_reads ? history_->counters().position : journal_->durable_sequence());
  }

  Result<std::string> read(const core::Location& location) override {
    if (location.length == 0) return std::string();
    const bool is_in_journal = compaction::shelf_of(location) == compaction::Shelf::kJournal;
    return is_in_journal ? journal_->read(location) : compactor_->read(location);
  }

  StorageCounters counters() const override {
    const journal::JournalCounters counters = journal_->counters();
    return {.bytes = counters.bytes,
            .flushes = counters.flushes,
            .flush_seconds_last = std::chrono::duration<double>(counters.flush_last).count(),
            .checkpoint_bytes = compactor_->counters().checkpoint_bytes,
            .compactions = compactor_->counters().checkpoints,
            .compaction_failures = compactor_->counters().failures};
  }

  void offer_to(history::History& history) override { history_ = &history; }
  std::uint64_t durable_sequence() const override { return journal_->durable_sequence(); }

  Status close() override {
    compactor_.reset();
    return journal_->close();
  }

 private:
  // What a turn may write at most, about, and what the rest of a task's life does.
  static constexpr std::uint64_t kTurnBytes = 64 << 20;
  static constexpr std::uint64_t kBytesToEndATask = 512;
  static constexpr std::size_t kEntriesPerBatch = 100'000;
  static constexpr std::size_t kBlobBytesPerBatch = 256 << 20;

  // Space for the next checkpoint, or the journal could only grow.
  Status has_room_to_compact(const core::State& state) {
    if (compactor_->is_at_work()) return room_;  // it takes that space now
    const auto free = file_system_.free_bytes(directory_);
    // And for a turn's batch that is larger than a segment: no spare can hold it.
    const std::uint64_t wanted = state.checkpoint_bytes() + 2 * segment_bytes_ + kTurnBytes;
    room_ = Status::ok();
    if (free.is_ok() && *free < wanted) {
      room_ = retry_later(std::string(journal::kReasonDiskFull),
                          "expected " + std::to_string(wanted) + " free bytes in " + directory_ +
                              " for the next checkpoint and one turn's records, found " +
                              std::to_string(*free) +
                              "; work is finished but none accepted until there is space");
    }
    return room_;
  }

  Status append(std::span<const core::Append> appends, core::BrokerCore& core) {
    heads_.clear();
    entries_.clear();
    std::vector<std::size_t> ends;
    ends.reserve(appends.size());
    for (const core::Append& append : appends) {
      journal::encode_record(append.record, heads_);
      ends.push_back(heads_.size());
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < appends.size(); ++i) {
      entries_.push_back({.head = std::string_view(heads_).substr(begin, ends[i] - begin),
                          .blob = appends[i].blob});
      begin = ends[i];
    }
    auto appended = journal_->append(entries_);
    if (!appended.is_ok()) return appended.status();
    for (std::size_t i = 0; i < appends.size(); ++i) {
      if (!appends[i].blob.empty()) core.on_stored(appends[i], appended->locations[i]);
    }
    return Status::ok();
  }

  journal::FileSystem& file_system_;
  std::string directory_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<compaction::Compactor> compactor_;  // after the journal that it uses
  Status room_;
  std::uint64_t segment_bytes_ = 0;
  history::History* history_ = nullptr;
  std::string heads_;
  std::vector<journal::Entry> entries_;
};

}  // namespace

Result<std::unique_ptr<Storage>> open_journal_storage(journal::FileSystem& file_system,
                                                      const JournalSettings& settings,
                                                      const core::CoreOptions& rules,
                                                      core::BrokerCore& core, Recovery& recovery) {
  auto storage = std::make_unique<JournalStorage>(file_system);
  Status status = storage->open(settings, rules, core, recovery);
  if (!status.is_ok()) return status;
  return std::unique_ptr<Storage>(std::move(storage));
}

Result<std::unique_ptr<Storage>> open_journal_storage(const JournalSettings& settings,
                                                      const core::CoreOptions& rules,
                                                      core::BrokerCore& core, Recovery& recovery) {
  static journal::PosixFileSystem file_system;  // without a state: all threads may use it
  return open_journal_storage(file_system, settings, rules, core, recovery);
}

}  // namespace assay::net
