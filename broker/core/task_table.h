// All tasks the broker knows, in one slab, found by id. Small on purpose: a million of them wait in
// memory while their bodies lie in the journal.
#ifndef ASSAY_BROKER_CORE_TASK_TABLE_H_
#define ASSAY_BROKER_CORE_TASK_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"
#include "broker/core/location.h"

namespace assay::core {

// A task's place in the table; good until the task is forgotten.
enum class TaskIndex : std::uint32_t {};
inline constexpr TaskIndex kNoTask{0xFFFF'FFFF};

enum class QueueIndex : std::uint16_t {};
enum class OwnerIndex : std::uint32_t {};
// A set of required labels; 0 is the empty one.
enum class RequireIndex : std::uint16_t {};

// What few tasks need: kept apart so that the many stay small.
struct TaskDetails {
  std::map<std::string, std::string> labels;
  std::vector<AttemptInfo> attempts;  // at most kAttemptHistoryMax, the latest
  std::string reason;
  std::vector<TaskId> after;
  std::vector<TaskIndex> dependents;    // tasks that come after this one
  std::uint32_t dependencies_left = 0;  // of `after`, not ended yet
  std::uint32_t dependents_left = 0;    // not ended yet: they need this one's result
  OnFailure on_failure = OnFailure::kCancel;
  std::vector<std::string> artifacts;         // that its body refers to
  std::vector<std::string> result_artifacts;  // that its result refers to
  std::string cache_key;
  Duration cache_ttl{0};
  std::string traceparent;
  TaskId follows;                 // while it waits: the task whose end will be its own
  TaskId cached_from;             // whose run its result is of
  std::vector<TaskId> followers;  // of the task that ended: those who end as it did
  std::string held_by;            // while it waits: the key of the quarantine that holds it
  Usage usage;                    // of all attempts
  Time deadline{};                // the epoch: none
  Duration timeout{0};
  Duration backoff_first{1000};
  Duration backoff_max{60'000};
};

struct Task {
  TaskId id;
  Location blob;  // its body until it ends, then its result
  std::uint32_t body_hash = 0;
  std::uint64_t fingerprint = 0;
  std::uint64_t last_sequence = 0;  // of its latest event
  Time submitted_at{};
  Time changed_at{};  // when it came into its state; ready time while it waits
  std::unique_ptr<TaskDetails> details;
  TaskIndex next = kNoTask;  // in its queue, or in the list of ended tasks
  TaskIndex previous = kNoTask;
  OwnerIndex owner{};
  std::uint32_t attempt = 0;  // the latest, 0 before the first
  QueueIndex queue{};
  RequireIndex require{};
  std::uint16_t cost = 1;             // kCostMax
  std::uint8_t attempts_counted = 0;  // against max_attempts
  std::uint8_t max_attempts = 1;      // kAttemptHistoryMax
  std::uint8_t losses = 0;
  std::uint8_t priority = 0;
  TaskState state = TaskState::kQueued;
  Cause cause = Cause::kNone;
  bool cancel_requested = false;
  bool handed_over = false;  // the attempt goes on with whoever gets it next
  bool ended_by_report = false;
  bool pinned = false;             // kept whatever retention says
  bool counts_references = false;  // its artifacts are among the needed ones

  // The details, made on first need.
  TaskDetails& detail() {
    if (!details) details = std::make_unique<TaskDetails>();
    return *details;
  }
};

class TaskTable {
 public:
  // Adds a task that is not there yet.
  TaskIndex add(TaskId id);
  // Forgets it; the index may be given to another task.
  void remove(TaskIndex index);

  TaskIndex find(const TaskId& id) const;  // kNoTask when it is not there
  Task& at(TaskIndex index) {
    const auto number = static_cast<std::uint32_t>(index);
    return chunks_[number / kChunkTasks][number % kChunkTasks];
  }
  const Task& at(TaskIndex index) const { return const_cast<TaskTable*>(this)->at(index); }
  std::size_t size() const { return size_; }

  // Up to `limit` tasks whose id's text begins with `prefix` (upper case). Looks at every task.
  std::vector<TaskIndex> with_prefix(std::string_view prefix, std::size_t limit) const;

  template <typename Visitor>
  void for_each(Visitor visit) const {
    for (const Slot slot : slots_) {
      if (slot != kEmpty) visit(index_of(slot));
    }
  }

 private:
  static constexpr std::uint32_t kChunkTasks = 4096;

  // An index, and above it four bits of the id's hash: a search looks at a task, which is rarely in
  // the processor's cache, only when these agree. 268 million tasks would take 30 GB.
  using Slot = std::uint32_t;
  static constexpr Slot kEmpty = 0xFFFF'FFFF;
  static constexpr int kIndexBits = 28;
  static constexpr Slot kIndexMask = (Slot{1} << kIndexBits) - 1;

  static TaskIndex index_of(Slot slot) { return TaskIndex{slot & kIndexMask}; }
  static Slot mark_of(std::size_t hash) {
    return static_cast<Slot>(hash >> 60) << kIndexBits;  // the table's size never reaches these
  }
  std::size_t next_to(std::size_t place) const { return (place + 1) & (slots_.size() - 1); }
  void grow();
  void place(Slot slot);

  // Chunks never move: growing copies no task and wastes at most one chunk.
  std::vector<std::unique_ptr<Task[]>> chunks_;
  std::uint32_t used_ = 0;
  std::vector<TaskIndex> free_;
  // An open-addressed table, by linear probing: 4 bytes a slot, at most 3/4 full; the ids are in
  // the tasks.
  std::vector<Slot> slots_ = std::vector<Slot>(1024, kEmpty);
  std::size_t size_ = 0;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_TASK_TABLE_H_
