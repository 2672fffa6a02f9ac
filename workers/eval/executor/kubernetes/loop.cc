#include "workers/eval/executor/kubernetes/loop.h"

#include <future>

namespace assay::eval::kubernetes {

void Loop::post_at(Clock::time_point when, Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.emplace(when, std::move(task));  // equal times in the order they came
  changed_.notify_one();
}

void Loop::run_and_wait(const Task& task) {
  std::promise<void> done;
  post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Loop::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = tasks_.begin();
    if (first->first > Clock::now()) {
      // A copy: the task may be gone when it wakes.
      const auto until = first->first;
      changed_.wait_until(lock, until);
      continue;
    }
    Task task = std::move(first->second);
    tasks_.erase(first);
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes on this thread, without the lock
    lock.lock();
  }
}

}  // namespace assay::eval::kubernetes
