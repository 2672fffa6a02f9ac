// The threads that run a worker's handler, and what passes between them and the loop. It knows
// nothing of sockets or messages on the wire.
#ifndef ASSAY_SDK_WORKER_HANDLERS_H_
#define ASSAY_SDK_WORKER_HANDLERS_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "assay/message.h"
#include "assay/worker.h"

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

 private:
  class Running;

  void work();
  void announce(const HeldAttempt& held);
  TaskReport run(Running& running);

  TaskHandler handler_;
  const std::uint32_t threads_max_;
  std::function<void()> wake_;

  // Guards all below. Held for moments only, never while a handler runs; taken before a Running's
  // own.
  std::mutex mutex_;
  std::condition_variable tasks_;
  std::deque<Running*> queue_;
  std::map<HeldAttempt, std::unique_ptr<Running>> running_;
  News news_;
  std::uint32_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // made when they are first needed
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_HANDLERS_H_
