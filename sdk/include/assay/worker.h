// The worker's side: give a function, get tasks.
//
//   assay::Worker worker({.queues = {assay::QueueName("shout")}}, [](const assay::TaskAssignment&
//   task,
//                                                                    assay::TaskContext& context) {
//     context.progress(1, 2, "half way");
//     return assay::TaskOutcome::done(task.body + "!");
//   });
//   return worker.run().is_ok() ? 0 : 1;
#ifndef ASSAY_WORKER_H_
#define ASSAY_WORKER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

// What a handler answers.
struct TaskOutcome {
  Outcome outcome = Outcome::kSucceeded;
  Cause cause = Cause::kNone;
  std::string reason;
  Duration delay{0};
  std::string result;
  Usage usage = {};                         // what this attempt took
  std::vector<std::string> artifacts = {};  // sha256 in hexadecimal: files that the result names

  static TaskOutcome done(std::string result = {});
  // The task ran and said no, or met a limit or a safety rule. Final.
  static TaskOutcome failed(std::string reason, Cause cause = Cause::kTask,
                            std::string result = {});
  // Run it again after `delay`, if attempts are left. `Cause::kInfrastructure` costs no attempt.
  static TaskOutcome retry(std::string reason, Duration delay = Duration(0),
                           Cause cause = Cause::kTask);
  // It was stopped because `TaskContext::cancelled` said so. When this worker stops, or nobody
  // asked for the task's end, it means: not done, and the task goes back to its queue.
  static TaskOutcome cancelled(std::string result = {});
  // Not now: run it again after `delay` (something it needs is not there yet). It costs no attempt
  // and counts as no loss.
  static TaskOutcome snooze(Duration delay, std::string reason = {});
  // This worker leaves, and what it started (a Job in a cluster) goes on: the broker gives the same
  // attempt to another worker, with TaskAssignment::resume. For StopReason::kWorkerStops.
  static TaskOutcome hand_over(std::string reason = {});
};

// Why a handler should stop.
enum class StopReason : std::uint8_t {
  kNone = 0,       // it should not
  kCancelled = 1,  // somebody wants the task's end: stop all that it started
  kLost = 2,       // the broker gave the task to another worker: what is reported no longer counts
  kWorkerStops = 3,  // this worker must leave: the task goes on elsewhere
};

// A handler's line to the broker while it works. Thread: any, until the handler returns.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  // done of total (0: not known), with a line for people. Cheap; may be merged with the next.
  virtual void progress(std::uint64_t done, std::uint64_t total, std::string text = {}) = 0;
  // Log lines, without the last newline; they arrive in order. What exceeds 256 KiB at once or 64
  // KiB a second is cut, and a line in its place says how much.
  virtual void log(std::string lines) = 0;
  // Something a safety rule noticed.
  virtual void safety(std::string text) = 0;
  // True once the task was cancelled, or lost to another worker, or this worker must stop.
  virtual bool cancelled() const = 0;
  // Why cancelled() is true. A worker whose tasks run elsewhere (in a cluster) stops them for
  // kCancelled and leaves them for the next worker otherwise.
  virtual StopReason stop_reason() const {
    return cancelled() ? StopReason::kCancelled : StopReason::kNone;
  }
  // Waits until cancelled() or the time is over; returns cancelled().
  virtual bool wait_cancelled(Duration at_most) = 0;
};

using TaskHandler = std::function<TaskOutcome(const TaskAssignment&, TaskContext&)>;

struct WorkerOptions {
  std::string endpoint = "tcp://127.0.0.1:5556";
  std::string name = {};               // empty: host, process id and chance
  std::vector<QueueName> queues = {};  // at least one
  std::uint32_t slots = 1;             // handlers that run at once, each on a thread of its own
  Duration drain_timeout{30000};       // request_stop: how long running handlers may go on
  // Its handlers answer TaskOutcome::hand_over when they are stopped with kWorkerStops, and what
  // they started goes on: then they are stopped so when an operator drains this worker, too. Where
  // it is false a drained worker finishes what it has.
  bool hands_over = false;
  // What tasks may require of their worker (TaskSpec::require): gpu=a100, region=eu. At most 64, a
  // key of 1 to 128 bytes, a value of at most 1024.
  std::map<std::string, std::string> labels = {};
  // Told, once an outage, that the broker is away, that it is back, and what it refused. Empty:
  // such lines go to standard error.
  std::function<void(std::string_view line)> notice = {};
  // Told once the broker has recorded how an attempt ended; until then a worker that is killed has
  // the task run again. For what must outlast the handler: whoever takes the task over may need it.
  // Not called for a report that came too late, nor for one of an attempt that was dropped. Thread:
  // that of run(), which it must not hold up. What it throws is dropped.
  std::function<void(const TaskId& id, Attempt attempt, Outcome outcome)> recorded = {};
  std::string key_file = {};  // as in ClientOptions
  std::string server_key = {};
};

// Takes tasks from the broker and runs the handler for each. It reconnects by itself, names what it
// still runs when it does, renews its leases with the same socket that carries its tasks, and
// repeats a report until the broker has recorded it. A handler that throws fails its task with the
// exception's text.
//
// Thread: run() in one; request_stop() from any, and from a signal handler.
class Worker {
 public:
  Worker(WorkerOptions options, TaskHandler handler);
  ~Worker();

  // Works until request_stop(). A broker that is away is waited for. Returns after the last handler
  // has returned, so handlers must heed TaskContext::cancelled. Errors, all fix_input unless said
  // otherwise: `invalid_name`, `invalid_queues`, `invalid_slots`, `invalid_labels`,
  // `invalid_endpoint`, `unsupported_version`, `refused` (the broker does not let this worker in),
  // those about keys of a Client (a broker that had let it in before is asked again instead),
  // `no_sockets` (exhausted).
  Status run();

  // The first call drains: take nothing new, finish what runs for up to `drain_timeout`, report,
  // leave. A second one, and the end of that time, cancels what runs; what does not end within
  // seconds goes back to its queue. Thread: any; async-signal-safe.
  void request_stop();

  // As given or generated.
  const std::string& name() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace assay

#endif  // ASSAY_WORKER_H_
