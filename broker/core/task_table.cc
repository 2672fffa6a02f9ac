#include "broker/core/task_table.h"

#include "assay/status.h"

namespace assay::core {

TaskIndex TaskTable::add(TaskId id) {
  TaskIndex index{};
  if (free_.empty()) {
    index = TaskIndex{static_cast<std::uint32_t>(slab_.size())};
    ASSAY_ASSERT(index != kNoTask);
    slab_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  at(index).id = id;
  const bool is_new = by_id_.emplace(id, index).second;
  ASSAY_ASSERT(is_new);
  return index;
}

void TaskTable::remove(TaskIndex index) {
  by_id_.erase(at(index).id);
  at(index) = Task();
  free_.push_back(index);
}

TaskIndex TaskTable::find(const TaskId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNoTask : found->second;
}

std::vector<TaskIndex> TaskTable::with_prefix(std::string_view prefix, std::size_t limit) const {
  // The first and last id that a text with this prefix can spell; between them lie all matches.
  std::string low(prefix), high(prefix);
  low.resize(26, '0');
  high.resize(26, 'Z');
  if (prefix.empty() && high[0] > '7') high[0] = '7';
  const auto first = TaskId::parse(low);
  const auto last = TaskId::parse(high);
  std::vector<TaskIndex> matches;
  if (!first || !last) return matches;
  for (const auto& [id, index] : by_id_) {
    if (id < *first || *last < id) continue;
    matches.push_back(index);
    if (matches.size() == limit) break;
  }
  return matches;
}

}  // namespace assay::core
