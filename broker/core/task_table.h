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
#include <unordered_map>
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

// What few tasks need: kept apart so that the many stay small.
struct TaskDetails {
  std::map<std::string, std::string> labels;
  std::vector<AttemptInfo> attempts;  // at most kAttemptHistoryMax, the latest
  std::string reason;
};

struct Task {
  TaskId id;
  Location blob;  // its body until it ends, then its result
  std::uint64_t fingerprint = 0;
  std::uint64_t last_sequence = 0;  // of its latest event
  Time submitted_at{};
  Time changed_at{};  // when it came into its state; ready time while it waits
  std::unique_ptr<TaskDetails> details;
  TaskIndex next = kNoTask;  // in its queue, or in the list of ended tasks
  TaskIndex previous = kNoTask;
  OwnerIndex owner{};
  std::uint32_t attempt = 0;           // the latest, 0 before the first
  std::uint32_t attempts_counted = 0;  // against max_attempts
  std::uint32_t max_attempts = 1;
  QueueIndex queue{};
  std::uint8_t losses = 0;
  std::uint8_t priority = 0;
  TaskState state = TaskState::kQueued;
  Cause cause = Cause::kNone;
  bool cancel_requested = false;

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
  Task& at(TaskIndex index) { return slab_[static_cast<std::uint32_t>(index)]; }
  const Task& at(TaskIndex index) const { return slab_[static_cast<std::uint32_t>(index)]; }
  std::size_t size() const { return by_id_.size(); }

  // Up to `limit` tasks whose id's text begins with `prefix` (upper case). Looks at every task.
  std::vector<TaskIndex> with_prefix(std::string_view prefix, std::size_t limit) const;

  template <typename Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [id, index] : by_id_) visit(index);
  }

 private:
  std::vector<Task> slab_;
  std::vector<TaskIndex> free_;
  std::unordered_map<TaskId, TaskIndex> by_id_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_TASK_TABLE_H_
