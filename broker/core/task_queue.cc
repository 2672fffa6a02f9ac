#include "broker/core/task_queue.h"

#include <algorithm>

#include "assay/status.h"

namespace assay::core {

void TaskList::push_back(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  entry.previous = last;
  entry.next = kNoTask;
  (last == kNoTask ? first : tasks.at(last).next) = task;
  last = task;
}

void TaskList::push_front(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  entry.next = first;
  entry.previous = kNoTask;
  (first == kNoTask ? last : tasks.at(first).previous) = task;
  first = task;
}

void TaskList::remove(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  (entry.previous == kNoTask ? first : tasks.at(entry.previous).next) = entry.next;
  (entry.next == kNoTask ? last : tasks.at(entry.next).previous) = entry.previous;
  entry.next = entry.previous = kNoTask;
}

void TaskQueue::push_back(TaskTable& tasks, TaskIndex task) {
  lists_[tasks.at(task).priority].push_back(tasks, task);
  ++size_;
}

void TaskQueue::push_front(TaskTable& tasks, TaskIndex task) {
  lists_[tasks.at(task).priority].push_front(tasks, task);
  ++size_;
}

void TaskQueue::remove(TaskTable& tasks, TaskIndex task) {
  ASSAY_ASSERT(size_ > 0);
  lists_[tasks.at(task).priority].remove(tasks, task);
  --size_;
}

TaskIndex TaskQueue::front() const {
  for (std::size_t priority = kPriorityCount; priority-- > 0;) {
    if (!lists_[priority].empty()) return lists_[priority].first;
  }
  return kNoTask;
}

std::uint64_t TaskQueue::position(const TaskTable& tasks, TaskIndex task) const {
  std::uint64_t before = 0;
  for (std::size_t priority = kPriorityCount; priority-- > 0;) {
    for (TaskIndex at = lists_[priority].first; at != kNoTask; at = tasks.at(at).next) {
      ++before;
      if (at == task) return before;
    }
  }
  return 0;
}

std::optional<Time> TaskQueue::oldest(const TaskTable& tasks) const {
  std::optional<Time> oldest;
  for (const TaskList& list : lists_) {
    if (list.empty()) continue;
    const Time since = tasks.at(list.first).submitted_at;
    oldest = oldest ? std::min(*oldest, since) : since;
  }
  return oldest;
}

}  // namespace assay::core
