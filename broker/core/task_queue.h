// The queued tasks of one queue, in the order in which they are to run: the highest priority first,
// within it first come, first served. Links live in the tasks themselves, so that a task leaves
// from anywhere in O(1).
#ifndef ASSAY_BROKER_CORE_TASK_QUEUE_H_
#define ASSAY_BROKER_CORE_TASK_QUEUE_H_

#include <array>
#include <cstdint>
#include <optional>

#include "assay/ids.h"
#include "broker/core/limits.h"
#include "broker/core/task_table.h"

namespace assay::core {

// A doubly linked list through Task::next and Task::previous. A task is in at most one at a time.
struct TaskList {
  TaskIndex first = kNoTask;
  TaskIndex last = kNoTask;

  void push_back(TaskTable& tasks, TaskIndex task);
  void push_front(TaskTable& tasks, TaskIndex task);
  void remove(TaskTable& tasks, TaskIndex task);
  bool empty() const { return first == kNoTask; }
};

class TaskQueue {
 public:
  // Behind all of its priority.
  void push_back(TaskTable& tasks, TaskIndex task);
  // Before all of its priority: it has waited its turn already.
  void push_front(TaskTable& tasks, TaskIndex task);
  void remove(TaskTable& tasks, TaskIndex task);

  // The next to run, or kNoTask.
  TaskIndex front() const;
  std::uint64_t size() const { return size_; }

  // 1 for the next to run. Walks the list: for one task that a person asks about.
  std::uint64_t position(const TaskTable& tasks, TaskIndex task) const;
  // When the task that has waited longest was submitted, judged by the front of each priority.
  std::optional<Time> oldest(const TaskTable& tasks) const;

 private:
  std::array<TaskList, kPriorityCount> lists_;
  std::uint64_t size_ = 0;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_TASK_QUEUE_H_
