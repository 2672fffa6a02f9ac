// A doubly linked list of tasks through Task::next and Task::previous: a task is in at most one,
// and leaves it from anywhere in O(1).
#ifndef ASSAY_BROKER_CORE_TASK_CHAIN_H_
#define ASSAY_BROKER_CORE_TASK_CHAIN_H_

#include <cstdint>

#include "broker/core/task_table.h"

namespace assay::core {

struct TaskChain {
  TaskIndex first = kNoTask;
  TaskIndex last = kNoTask;
  std::uint64_t size = 0;

  void push_back(TaskTable& tasks, TaskIndex task);
  void push_front(TaskTable& tasks, TaskIndex task);
  void remove(TaskTable& tasks, TaskIndex task);
  bool empty() const { return first == kNoTask; }
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_TASK_CHAIN_H_
