// Requests a stop when nobody wants a task any more or its time is over.
#ifndef ASSAY_WORKERS_BUILD_WATCH_H_
#define ASSAY_WORKERS_BUILD_WATCH_H_

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "assay/worker.h"

namespace assay::image_build {

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  Watch(TaskContext& context, Clock::time_point deadline)
      : deadline_(deadline), thread_([this, &context](const std::stop_token& ended) {
          while (!ended.stop_requested()) {
            if (Clock::now() >= deadline_) timed_out_ = true;
            if (timed_out_ || context.wait_cancelled(kLook)) {
              stop_.request_stop();
              return;
            }
          }
        }) {}

  std::stop_token token() const { return stop_.get_token(); }
  bool timed_out() const { return timed_out_; }

 private:
  static constexpr Duration kLook{100};

  Clock::time_point deadline_;
  std::stop_source stop_;
  std::atomic<bool> timed_out_ = false;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_WATCH_H_
