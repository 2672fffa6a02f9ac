#include "broker/core/task_chain.h"

namespace assay::core {

void TaskChain::push_back(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  entry.previous = last;
  entry.next = kNoTask;
  (last == kNoTask ? first : tasks.at(last).next) = task;
  last = task;
  ++size;
}

void TaskChain::push_front(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  entry.next = first;
  entry.previous = kNoTask;
  (first == kNoTask ? last : tasks.at(first).previous) = task;
  first = task;
  ++size;
}

void TaskChain::remove(TaskTable& tasks, TaskIndex task) {
  Task& entry = tasks.at(task);
  (entry.previous == kNoTask ? first : tasks.at(entry.previous).next) = entry.next;
  (entry.next == kNoTask ? last : tasks.at(entry.next).previous) = entry.previous;
  entry.next = entry.previous = kNoTask;
  --size;
}

}  // namespace assay::core
