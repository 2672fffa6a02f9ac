// What pods tell, and the queue through which they tell it: many pods write, one evaluation reads.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_POD_EVENTS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_POD_EVENTS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "assay/status.h"

namespace assay::eval {

struct PodUsage {
  double cpu_seconds = 0;
  std::uint64_t memory_bytes_peak = 0;
  double wall_seconds = 0;
  // Of what was reserved for it, where that is known.
  double gpu_seconds = 0;
  double memory_byte_seconds = 0;
};

// One line of the harness's standard output.
struct HarnessLine {
  std::string line;
};

// Some of what the subject printed; already bounded in rate.
struct SubjectLog {
  std::string bytes;
};

// The subject's processes are gone, all of them. The harness may ask for them again.
struct SubjectEnded {
  std::optional<int> exit_code;  // of its first process
  std::optional<int> signal;
  std::string limit;     // "memory", "cpu", "time": the limit that ended it; or empty
  bool stopped = false;  // by us: told to, or at the harness's wish
};

// It has not started yet, and why: "no node has 2 nvidia.com/gpu free".
struct PodWaiting {
  std::string reason;
};

// What its canary found before the subject started.
struct PodIsolation {
  bool isolated = false;
  std::string findings;  // JSON
};

// The last event of a pod.
struct PodEnded {
  Status failure;  // not ok: the pod could not do its work, and it was not the subject's doing
  std::uint32_t starts = 0;  // how often the subject was started
  PodUsage usage;
  std::string log;  // what the subject printed, bounded, with a mark where some is left out
};

struct PodEvent {
  std::size_t pod = 0;  // PodSpec::number
  std::variant<HarnessLine, SubjectLog, SubjectEnded, PodWaiting, PodIsolation, PodEnded> what;
};

// Thread: any. A writer waits while more than `kBytesMax` is unread, so that a chatty pod is slowed
// down and not the worker's memory used up; PodEnded never waits.
class PodEvents {
 public:
  void push(PodEvent event);
  // The same, but never waits: for writers that look at full() first.
  void push_now(PodEvent event);
  bool full() const;
  // All that has come, after waiting for the first at most `timeout`.
  std::vector<PodEvent> wait(std::chrono::milliseconds timeout);
  // From now on nothing is kept and nobody waits.
  void close();

 private:
  static constexpr std::size_t kBytesMax = 32U << 20;
  static std::size_t bytes_of(const PodEvent& event);

  mutable std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  std::vector<PodEvent> events_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_POD_EVENTS_H_
