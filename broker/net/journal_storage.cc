// Storage in the journal: records become entries, one flush a call.
#include <span>

#include "broker/history/history.h"
#include "broker/journal/journal.h"
#include "broker/journal/posix_file_system.h"
#include "broker/journal/record_codec.h"
#include "broker/net/storage.h"

namespace assay::net {
namespace {

class JournalStorage : public Storage {
 public:
  Status open(const std::string& directory, core::BrokerCore& core, Recovery& recovery) {
    const auto replay = [&](journal::Journal&, const journal::EntryView& entry) -> Status {
      auto record = journal::decode_record(entry.head);
      if (!record.is_ok()) return record.status();
      ++recovery.records;
      Status status = core.recover(*record, entry.location);
      // After a repair a record may speak of a task whose beginning was given up: nothing is left
      // to do for it.
      if (status.reason() == "impossible_record" && entry.may_be_orphan) {
        ++recovery.orphans;
        return Status::ok();
      }
      return status;
    };
    auto opened = journal::Journal::open(file_system_, directory, {}, replay);
    if (!opened.is_ok()) return opened.status();
    journal_ = std::move(*opened);
    recovery.report = journal_->recovery_report().to_string();
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
    return journal_->can_accept(kTurnBytes + live * kBytesToEndATask);
  }

  Result<std::string> read(const core::Location& location) override {
    if (location.length == 0) return std::string();
    return journal_->read(location);
  }

  StorageCounters counters() const override {
    const journal::JournalCounters counters = journal_->counters();
    return {.bytes = counters.bytes,
            .flushes = counters.flushes,
            .flush_seconds_last = std::chrono::duration<double>(counters.flush_last).count()};
  }

  void offer_to(history::History& history) override { history_ = &history; }
  std::uint64_t durable_sequence() const override { return journal_->durable_sequence(); }

  Status close() override { return journal_->close(); }

 private:
  // What a turn may write at most, about, and what the rest of a task's life does.
  static constexpr std::uint64_t kTurnBytes = 64 << 20;
  static constexpr std::uint64_t kBytesToEndATask = 512;
  static constexpr std::size_t kEntriesPerBatch = 100'000;
  static constexpr std::size_t kBlobBytesPerBatch = 256 << 20;

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

  journal::PosixFileSystem file_system_;
  std::unique_ptr<journal::Journal> journal_;
  history::History* history_ = nullptr;
  std::string heads_;
  std::vector<journal::Entry> entries_;
};

}  // namespace

Result<std::unique_ptr<Storage>> open_journal_storage(const std::string& directory,
                                                      core::BrokerCore& core, Recovery& recovery) {
  auto storage = std::make_unique<JournalStorage>();
  Status status = storage->open(directory, core, recovery);
  if (!status.is_ok()) return status;
  return std::unique_ptr<Storage>(std::move(storage));
}

}  // namespace assay::net
