// The threads that run a worker's handler, and what passes between them and the loop. It knows
// nothing of sockets or messages on the wire.
#ifndef ASSAY_SDK_WORKER_HANDLERS_H_
#define ASSAY_SDK_WORKER_HANDLERS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "assay/message.h"
#include "assay/worker.h"
#include "sdk/transport/instant.h"
#include "sdk/worker/held_attempt_hash.h"

namespace assay::worker {

struct Finished {
  TaskReport report;
  std::vector<ProgressReport> rest;  // progress that was not collected
};

// What happened since the loop last asked.
struct News {
  std::vector<Finished> finished;
  std::vector<HeldAttempt> progressed;  // have something to collect
};

// Theory of operation. Waking a thread costs tens of microseconds, which is nothing to a task of
// seconds and many times the cost of one that answers at once. So the threads measure how long
// their tasks take. While they are long, each thread that takes a task wakes another for the next.
// While they are short, those awake work the queue off by themselves and tell the loop of many ends
// at once; the loop looks after a millisecond whether a longer one holds the others up, and if so
// everybody is woken after all.
//
// Thread: one (the loop's), but for what its own threads do inside.
class Handlers {
 public:
  // `wake` is called, from any thread, when there is news after there was none.
  Handlers(TaskHandler handler, std::uint32_t threads_max, std::function<void()> wake);
  // Waits for the handlers that still run; tasks that have not been started never are.
  ~Handlers();
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;

  void start(std::vector<TaskAssignment> tasks);
  // Ignored for one that is not there any more.
  void stop(const HeldAttempt& held, StopReason reason);
  std::vector<ProgressReport> collect(const HeldAttempt& held);
  News take_news();
  // When look_after() and take_news() want to be called though nobody woke the loop.
  transport::Instant look_at() const;
  void look_after(transport::Instant now);

 private:
  class Running;

  void summon();
  void work();
  void take_measure(std::chrono::nanoseconds took);
  void announce(const HeldAttempt& held);
  TaskReport run(Running& running);

  TaskHandler handler_;
  const std::uint32_t threads_max_;
  std::function<void()> wake_;

  // Guards all below. Held for moments only, never while a handler runs; taken before a Running's
  // own.
  mutable std::mutex mutex_;
  std::condition_variable tasks_;
  std::deque<Running*> queue_;
  std::unordered_map<HeldAttempt, std::unique_ptr<Running>, HeldAttemptHash> running_;
  std::chrono::nanoseconds task_takes_;  // of late, on average
  std::size_t taken_ = 0;                // since the loop looked last
  News news_;
  bool told_ = false;  // the loop was woken since it took the news
  transport::Instant looked_at_{};
  std::uint32_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // made when they are first needed
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_HANDLERS_H_
