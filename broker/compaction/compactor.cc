#include "broker/compaction/compactor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "broker/compaction/checkpoint_directory.h"
#include "sdk/log/structured_log.h"

namespace assay::compaction {
namespace {

// Between two turns: a fraction of a millisecond.
constexpr std::size_t kMovesPerTurn = 2000;
// A reader that has stopped keeps the segments that it has not read, but not for ever.
constexpr std::uint64_t kPatienceFactor = 4;
constexpr std::chrono::milliseconds kLookForRoomEvery{1000};

}  // namespace

Compactor::Compactor(journal::FileSystem& file_system, journal::Journal& journal,
                     CompactionOptions options, std::uint64_t checkpoint_bytes)
    : file_system_(file_system), journal_(journal), options_(std::move(options)) {
  counters_.checkpoint_bytes = checkpoint_bytes;
  set_shelf(shelf_in_force_, journal_.oldest_segment() - 1);
}

Compactor::~Compactor() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Compactor::set_shelf(Shelf shelf, std::uint32_t checkpoint) {
  (shelf == Shelf::kCheckpointA ? shelf_a_ : shelf_b_) = std::make_unique<journal::OpenSegments>(
      file_system_, checkpoint_path(options_.journal_directory, checkpoint));
}

Result<std::string> Compactor::read(const core::Location& location) {
  return shelf(shelf_of(location)).read_blob(without_shelf(location));
}

bool Compactor::is_wanted() const {
  const std::uint64_t bound = std::max(options_.bytes_min, counters_.checkpoint_bytes);
  return journal_.counters().bytes > bound && std::chrono::steady_clock::now() >= next_try_;
}

// Room is made by tasks that end, and by operators: look again soon.
bool Compactor::has_room(const core::BrokerCore& core) const {
  const auto free = file_system_.free_bytes(options_.journal_directory);
  return !free.is_ok() || *free >= core.state().checkpoint_bytes() + options_.segment_bytes;
}

bool Compactor::others_have_read(std::uint64_t through) const {
  const std::uint64_t bound = std::max(options_.bytes_min, counters_.checkpoint_bytes);
  return through + 1 >= journal_.first_sequence(made_.segment + 1) ||
         journal_.counters().bytes > kPatienceFactor * bound;
}

Result<bool> Compactor::turn(core::BrokerCore& core, std::uint64_t others_read_through) {
  switch (stage_) {
    case Stage::kIdle:
      if (!is_wanted()) return false;
      if (!has_room(core)) {
        next_try_ = std::chrono::steady_clock::now() + kLookForRoomEvery;
        return false;
      }
      if (Status status = begin(); !status.is_ok()) return status;
      return false;
    case Stage::kMaking:
      if (done_) take_made();
      return stage_ == Stage::kMoving;
    case Stage::kMoving: {
      if (move(core)) return true;
      if (std::chrono::steady_clock::now() < next_try_) return false;
      if (!others_have_read(others_read_through)) return false;
      Status status = drop();
      if (!status.is_ok()) return status;
      return false;
    }
    case Stage::kRemoving:
      if (done_) {
        if (thread_.joinable()) thread_.join();
        stage_ = Stage::kIdle;
      }
      return false;
  }
  return false;
}

void Compactor::run(std::function<void()> work) {
  done_ = false;
  if (!options_.on_own_thread) {
    work();
    done_ = true;
    return;
  }
  thread_ = std::thread([this, work = std::move(work)] {
    pthread_setname_np(pthread_self(), "compaction");
    work();
    done_ = true;
  });
}

// Of the state as it is now: on a full disk it is what has just ended that makes room.
Status Compactor::begin() {
  if (Status status = journal_.seal_active(); !status.is_ok()) {
    if (status.reason() != journal::kReasonDiskFull) return status;
    next_try_ = std::chrono::steady_clock::now() + kLookForRoomEvery;
    return Status::ok();
  }
  const std::uint32_t through = journal_.active_segment() - 1;
  log::info("compaction_began", {{"through_segment", through},
                                 {"journal_bytes", journal_.counters().bytes},
                                 {"checkpoint_bytes", counters_.checkpoint_bytes}});
  stage_ = Stage::kMaking;
  run([this, order = CheckpointOrder{.journal_directory = options_.journal_directory,
                                     .through_segment = through,
                                     .from = shelf_in_force_,
                                     .rules = options_.rules,
                                     .segment_bytes = options_.segment_bytes}] {
    try {
      result_.emplace(make_checkpoint(file_system_, order, stop_));
    } catch (const std::exception& error) {  // std::bad_alloc: the broker goes on without
      result_.emplace(internal_error("compaction_failed", error.what()));
    }
  });
  return Status::ok();
}

void Compactor::take_made() {
  if (thread_.joinable()) thread_.join();
  Result<Checkpoint> result = std::move(*result_);
  result_.reset();
  if (!result.is_ok()) return fail(result.status());
  made_ = std::move(*result);
  moved_ = 0;
  set_shelf(other(shelf_in_force_), made_.segment);
  stage_ = Stage::kMoving;
}

// True: there are more.
bool Compactor::move(core::BrokerCore& core) {
  const std::size_t end = std::min(made_.moves.size(), moved_ + kMovesPerTurn);
  for (; moved_ < end; ++moved_) {
    const Move& move = made_.moves[moved_];
    core.on_blob_moved(move.id, move.from, move.to);
  }
  return moved_ < made_.moves.size();
}

// From here on a recovery begins with the new checkpoint. Whether or not the manifest could be
// replaced, the blobs are where the core looks for them: until it is, there are both checkpoints.
Status Compactor::drop() {
  const Status status = journal_.drop_segments_before(made_.segment + 1);
  if (status.reason() == journal::kReasonStopped) return status;
  if (!status.is_ok()) {
    ++counters_.failures;
    log::warn("compaction_delayed", {{"reason", status.reason()}, {"message", status.message()}});
    next_try_ = std::chrono::steady_clock::now() + options_.retry_after;
    return Status::ok();
  }
  shelf_in_force_ = other(shelf_in_force_);
  counters_.checkpoint_bytes = made_.bytes;
  ++counters_.checkpoints;
  log::info("compaction_ended", {{"through_segment", made_.segment},
                                 {"tasks", made_.tasks},
                                 {"checkpoint_bytes", made_.bytes},
                                 {"journal_bytes", journal_.counters().bytes}});
  const std::uint32_t in_force = std::exchange(made_, {}).segment;
  stage_ = Stage::kRemoving;
  run([this, in_force] {
    const Status removed =
        remove_other_checkpoints(file_system_, options_.journal_directory, in_force);
    if (!removed.is_ok()) {  // the next start tries again
      log::warn("checkpoint_remains",
                {{"reason", removed.reason()}, {"message", removed.message()}});
    }
  });
  return Status::ok();
}

void Compactor::fail(const Status& status) {
  ++counters_.failures;
  stage_ = Stage::kIdle;
  next_try_ = std::chrono::steady_clock::now() + options_.retry_after;
  log::warn("compaction_failed", {{"reason", status.reason()}, {"message", status.message()}});
}

}  // namespace assay::compaction
