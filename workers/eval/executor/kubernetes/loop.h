// One thread that runs what it is given, now or later. All state of a cluster belongs to it, so
// nothing in there needs a lock.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOOP_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOOP_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace assay::eval::kubernetes {

class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;

  Loop() : thread_([this] { run(); }) {}
  // What was not run by then never is.
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Thread: any.
  void post(Task task) { post_at(Clock::now(), std::move(task)); }
  void post_after(std::chrono::milliseconds delay, Task task) {
    post_at(Clock::now() + delay, std::move(task));
  }
  // Waits until it has run. Never on the loop's own thread.
  void run_and_wait(const Task& task);
  void stop();

 private:
  void post_at(Clock::time_point when, Task task);
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOOP_H_
