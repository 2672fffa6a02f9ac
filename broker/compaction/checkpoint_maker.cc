#include "broker/compaction/checkpoint_maker.h"

#include <utility>

#include "broker/compaction/checkpoint_directory.h"
#include "broker/core/checkpoint.h"
#include "broker/journal/directory.h"
#include "broker/journal/open_segments.h"
#include "broker/journal/record_codec.h"

namespace assay::compaction {
namespace {

// One batch, in memory while it is gathered.
constexpr std::size_t kBatchBytes = 4 << 20;
constexpr std::size_t kBatchEntries = 10'000;

Status interrupted() {
  return {Code::kRetryCall, "interrupted", "the broker ends; the next one makes the checkpoint"};
}

// Gathers records into batches, and knows where their blobs came to lie.
class Writer {
 public:
  Writer(journal::Journal& journal, Checkpoint& made, Shelf shelf)
      : journal_(journal), made_(made), shelf_(shelf) {}

  Status add(const core::Record& record, core::Location from, std::string blob) {
    Pending pending{.head_begin = heads_.size(), .blob = std::move(blob), .id = {}, .from = from};
    if (const auto* task = std::get_if<core::TaskCarried>(&record)) {
      pending.id = task->submitted.id;
      ++made_.tasks;
    }
    journal::encode_record(record, heads_);
    bytes_ += pending.blob.size();
    pending_.push_back(std::move(pending));
    const bool is_full = bytes_ + heads_.size() >= kBatchBytes || pending_.size() >= kBatchEntries;
    return is_full ? flush() : Status::ok();
  }

  Status flush() {
    std::vector<journal::Entry> entries;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const std::size_t begin = pending_[i].head_begin;
      const std::size_t end = i + 1 < pending_.size() ? pending_[i + 1].head_begin : heads_.size();
      entries.push_back(
          {.head = std::string_view(heads_).substr(begin, end - begin), .blob = pending_[i].blob});
    }
    const auto appended = journal_.append(entries);
    if (!appended.is_ok()) return appended.status();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (pending_[i].blob.empty()) continue;
      made_.moves.push_back(
          {pending_[i].id, pending_[i].from, on_shelf(appended->locations[i], shelf_)});
    }
    pending_.clear();
    heads_.clear();
    bytes_ = 0;
    return Status::ok();
  }

 private:
  struct Pending {
    std::size_t head_begin = 0;
    std::string blob;
    TaskId id;
    core::Location from;
  };

  journal::Journal& journal_;
  Checkpoint& made_;
  Shelf shelf_;
  std::string heads_;
  std::vector<Pending> pending_;
  std::size_t bytes_ = 0;
};

class Maker {
 public:
  Maker(journal::FileSystem& file_system, const CheckpointOrder& order,
        const std::atomic<bool>& stop)
      : file_system_(file_system), order_(order), stop_(stop), state_(order.rules) {}

  Result<Checkpoint> make() {
    Status status = read();
    if (status.is_ok()) status = write();
    if (!status.is_ok()) {
      // What is left of it is removed by the next one, or the next start.
      static_cast<void>(
          remove_checkpoint(file_system_, order_.journal_directory, order_.through_segment));
      return status;
    }
    return std::move(made_);
  }

 private:
  Status read() {
    const auto manifest = journal::read_manifest(file_system_, order_.journal_directory);
    if (!manifest.is_ok()) return manifest.status();
    if (!manifest.value()) {
      return journal::damaged(journal::path_in(order_.journal_directory, journal::kManifestName), 0,
                              "expected the manifest of the journal, found none");
    }
    manifest_ = *manifest.value();
    RecordApplier apply([this](const core::Record& record, core::Location blob) {
      return stop_ ? interrupted() : state_.apply(record, blob).status();
    });
    const auto before =
        read_checkpoint(file_system_, order_.journal_directory, manifest_,
                        [&](const journal::EntryView& entry) { return apply(entry, order_.from); });
    if (!before.is_ok()) return before.status();
    if (before->was_repaired) apply.expect_orphans();
    const auto read = journal::read_sealed(
        file_system_, order_.journal_directory, manifest_, manifest_.oldest_segment,
        order_.through_segment, journal::SealedEnd::kSealed,
        [&](const journal::EntryView& entry) { return apply(entry, Shelf::kJournal); });
    if (read.is_ok() && apply.orphans() > 0) state_.mend();
    return read.status();
  }

  Status write() {
    const std::string directory = checkpoint_path(order_.journal_directory, order_.through_segment);
    Status status =
        remove_checkpoint(file_system_, order_.journal_directory, order_.through_segment);
    if (!status.is_ok()) return status;
    const auto journal =
        journal::Journal::open(file_system_, directory,
                               {.segment_bytes = order_.segment_bytes,
                                .written_ahead_bytes = 0,
                                .recent_bytes = 0,
                                .journal_id = manifest_.journal_id},
                               [](const journal::EntryView&) { return Status::ok(); });
    if (!journal.is_ok()) return journal.status();
    made_.segment = order_.through_segment;
    Writer writer(**journal, made_, other(order_.from));
    journal::OpenSegments segments(file_system_, order_.journal_directory);
    journal::OpenSegments before(
        file_system_, checkpoint_path(order_.journal_directory, checkpoint_of(manifest_)));
    status = core::write_checkpoint(state_, [&](core::Record&& record, core::Location blob) {
      if (stop_) return interrupted();
      if (blob.length == 0) return writer.add(record, {}, {});
      auto bytes =
          (shelf_of(blob) == Shelf::kJournal ? segments : before).read_blob(without_shelf(blob));
      return bytes.is_ok() ? writer.add(record, blob, std::move(*bytes)) : bytes.status();
    });
    if (status.is_ok()) status = writer.flush();
    if (status.is_ok()) status = (*journal)->close();
    made_.bytes = (*journal)->counters().bytes;
    return status;
  }

  journal::FileSystem& file_system_;
  const CheckpointOrder& order_;
  const std::atomic<bool>& stop_;
  journal::Manifest manifest_;
  core::State state_;
  Checkpoint made_;
};

}  // namespace

Status RecordApplier::operator()(const journal::EntryView& entry, Shelf shelf) {
  const auto record = journal::decode_record(entry.head);
  if (!record.is_ok()) return record.status();
  ++records_;
  Status status = apply_(*record, on_shelf(entry.location, shelf));
  if (status.reason() != "impossible_record") return status;
  if (!entry.may_be_orphan && !expects_orphans_) return status;
  // A task whose queue was given up is kept, and its queue with it.
  if (const auto* submitted = std::get_if<core::TaskSubmitted>(&*record)) {
    const Status made =
        apply_(core::QueueCreated{.sequence = 0, .queue = submitted->queue}, core::Location());
    if (made.is_ok() && apply_(*record, on_shelf(entry.location, shelf)).is_ok()) return made;
  }
  ++orphans_;
  return Status::ok();
}

Result<Checkpoint> make_checkpoint(journal::FileSystem& file_system, const CheckpointOrder& order,
                                   const std::atomic<bool>& stop) {
  return Maker(file_system, order, stop).make();
}

}  // namespace assay::compaction
