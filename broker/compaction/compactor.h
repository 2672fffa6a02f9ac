// Keeps the journal small: has checkpoints made on a thread of its own while the broker goes on,
// tells the broker's core where its blobs lie from then on, a few a turn, and drops the segments
// that nobody needs any more. docs/journal.md, Compaction, says when, and what a crash leaves.
#ifndef ASSAY_BROKER_COMPACTION_COMPACTOR_H_
#define ASSAY_BROKER_COMPACTION_COMPACTOR_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "assay/status.h"
#include "broker/compaction/checkpoint_maker.h"
#include "broker/compaction/shelf.h"
#include "broker/core/broker_core.h"
#include "broker/journal/file_system.h"
#include "broker/journal/journal.h"
#include "broker/journal/open_segments.h"

namespace assay::compaction {

struct CompactionOptions {
  std::string journal_directory;
  core::CoreOptions rules;  // what the state of a checkpoint is made with
  std::uint64_t segment_bytes = 64ULL << 20;
  // The journal is compacted when its segments have more bytes than this, and than the checkpoint
  // before them.
  std::uint64_t bytes_min = 256ULL << 20;
  std::chrono::milliseconds retry_after{60'000};  // a failure
  bool on_own_thread = true;                      // false: in turn(), for tests that want one order
};

struct CompactionCounters {
  std::uint64_t checkpoints = 0;  // made since the start, and in force
  std::uint64_t failures = 0;
  std::uint64_t checkpoint_bytes = 0;  // of the one in force
};

// Thread: the journal's.
class Compactor {
 public:
  // `file_system` is used by another thread too, and must bear that. It and the journal must
  // outlive this. `checkpoint_bytes` are those of the one that was recovered from, on kCheckpointA.
  Compactor(journal::FileSystem& file_system, journal::Journal& journal, CompactionOptions options,
            std::uint64_t checkpoint_bytes);
  // Interrupts what is being made.
  ~Compactor();
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  // Goes on with whatever there is to do. Only between turns, with everything flushed.
  // `others_read_through`: the batch up to which other readers have read the journal. True: there
  // is more to do at once. Errors: those that stop the journal.
  Result<bool> turn(core::BrokerCore& core, std::uint64_t others_read_through);
  // A blob of a checkpoint. Errors: kReasonDamaged, those of the file system.
  Result<std::string> read(const core::Location& location);

  bool is_at_work() const { return stage_ != Stage::kIdle; }
  const CompactionCounters& counters() const { return counters_; }

 private:
  enum class Stage : std::uint8_t { kIdle, kMaking, kMoving, kRemoving };

  bool is_wanted() const;
  bool has_room(const core::BrokerCore& core) const;
  Status begin();
  bool others_have_read(std::uint64_t through) const;
  void take_made();
  bool move(core::BrokerCore& core);
  Status drop();
  void run(std::function<void()> work);
  void fail(const Status& status);
  journal::OpenSegments& shelf(Shelf shelf) {
    return *(shelf == Shelf::kCheckpointA ? shelf_a_ : shelf_b_);
  }
  void set_shelf(Shelf shelf, std::uint32_t checkpoint);

  journal::FileSystem& file_system_;
  journal::Journal& journal_;
  const CompactionOptions options_;
  CompactionCounters counters_;
  Stage stage_ = Stage::kIdle;
  Shelf shelf_in_force_ = Shelf::kCheckpointA;
  std::unique_ptr<journal::OpenSegments> shelf_a_, shelf_b_;
  Checkpoint made_;
  std::size_t moved_ = 0;
  std::chrono::steady_clock::time_point next_try_{};

  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::optional<Result<Checkpoint>> result_;  // the thread's until done_
  std::thread thread_;
};

}  // namespace assay::compaction

#endif  // ASSAY_BROKER_COMPACTION_COMPACTOR_H_
