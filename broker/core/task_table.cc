#include "broker/core/task_table.h"

#include "assay/status.h"

namespace assay::core {

TaskIndex TaskTable::add(TaskId id) {
  ASSAY_ASSERT(find(id) == kNoTask);
  TaskIndex index{};
  if (free_.empty()) {
    if (used_ % kChunkTasks == 0) chunks_.push_back(std::make_unique<Task[]>(kChunkTasks));
    index = TaskIndex{used_++};
  } else {
    index = free_.back();
    free_.pop_back();
  }
  ASSAY_ASSERT(static_cast<Slot>(index) < kIndexMask);
  at(index).id = id;
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  place(static_cast<Slot>(index) | mark_of(std::hash<TaskId>()(id)));
  ++size_;
  return index;
}

void TaskTable::remove(TaskIndex index) {
  std::size_t hole = std::hash<TaskId>()(at(index).id) & (slots_.size() - 1);
  while (index_of(slots_[hole]) != index) hole = next_to(hole);
  slots_[hole] = kEmpty;
  // What lies behind the hole and could have lain before it moves up: a search never stops short of
  // it.
  for (std::size_t next = next_to(hole); slots_[next] != kEmpty; next = next_to(next)) {
    const Slot moved = slots_[next];
    slots_[next] = kEmpty;
    place(moved);
  }
  at(index) = Task();
  free_.push_back(index);
  --size_;
}

TaskIndex TaskTable::find(const TaskId& id) const {
  const std::size_t hash = std::hash<TaskId>()(id);
  const Slot mark = mark_of(hash);
  for (std::size_t probe = hash & (slots_.size() - 1); slots_[probe] != kEmpty;
       probe = next_to(probe)) {
    const Slot slot = slots_[probe];
    if ((slot & ~kIndexMask) == mark && at(index_of(slot)).id == id) return index_of(slot);
  }
  return kNoTask;
}

void TaskTable::place(Slot slot) {
  std::size_t probe = std::hash<TaskId>()(at(index_of(slot)).id) & (slots_.size() - 1);
  while (slots_[probe] != kEmpty) probe = next_to(probe);
  slots_[probe] = slot;
}

void TaskTable::grow() {
  std::vector<Slot> old(slots_.size() * 2, kEmpty);
  old.swap(slots_);
  for (const Slot slot : old) {
    if (slot != kEmpty) place(slot);
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
  for (const Slot slot : slots_) {
    if (matches.size() == limit) break;
    const TaskIndex index = index_of(slot);
    if (slot == kEmpty || at(index).id < *first || *last < at(index).id) continue;
    matches.push_back(index);
  }
  return matches;
}

}  // namespace assay::core
