#include "broker/core/task_table.h"

#include "assay/status.h"

namespace assay::core {

TaskIndex TaskTable::add(TaskId id) {
  ASSAY_ASSERT(find(id) == kNoTask);
  TaskIndex index{};
  if (free_.empty()) {
    if (used_ % kChunkTasks == 0) chunks_.push_back(std::make_unique<Task[]>(kChunkTasks));
    index = TaskIndex{used_++};
    ASSAY_ASSERT(index != kNoTask);
  } else {
    index = free_.back();
    free_.pop_back();
  }
  at(index).id = id;
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  place(index);
  ++size_;
  return index;
}

void TaskTable::remove(TaskIndex index) {
  std::size_t hole = home_of(at(index).id);
  while (slots_[hole] != index) hole = (hole + 1) & (slots_.size() - 1);
  slots_[hole] = kNoTask;
  // What lies behind the hole and could have lain before it moves up: a search never stops short of
  // it.
  for (std::size_t next = (hole + 1) & (slots_.size() - 1); slots_[next] != kNoTask;
       next = (next + 1) & (slots_.size() - 1)) {
    const TaskIndex moved = slots_[next];
    slots_[next] = kNoTask;
    place(moved);
  }
  at(index) = Task();
  free_.push_back(index);
  --size_;
}

TaskIndex TaskTable::find(const TaskId& id) const {
  for (std::size_t slot = home_of(id); slots_[slot] != kNoTask;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (at(slots_[slot]).id == id) return slots_[slot];
  }
  return kNoTask;
}

void TaskTable::place(TaskIndex index) {
  std::size_t slot = home_of(at(index).id);
  while (slots_[slot] != kNoTask) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = index;
}

void TaskTable::grow() {
  std::vector<TaskIndex> old(slots_.size() * 2, kNoTask);
  old.swap(slots_);
  for (TaskIndex index : old) {
    if (index != kNoTask) place(index);
  }
}

std::vector<TaskIndex> TaskTable::with_prefix(std::string_view prefix, std::size_t limit) const {
  // The first and last id that a text with this prefix can spell; between them lie all matches.
  std::string low(prefix), high(prefix);
  low.resize(26, '0');
  high.resize(26, 'Z');
  const auto first = TaskId::parse(low);
  const auto last = TaskId::parse(high);
  std::vector<TaskIndex> matches;
  if (!first || !last) return matches;
  for (TaskIndex index : slots_) {
    if (matches.size() == limit) break;
    if (index == kNoTask || at(index).id < *first || *last < at(index).id) continue;
    matches.push_back(index);
  }
  return matches;
}

}  // namespace assay::core
