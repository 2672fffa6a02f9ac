// The worker's side: give a function, get tasks.
//
//   assay::Worker worker({.queues = {assay::QueueName("shout")}}, [](const assay::TaskAssignment& task,
//                                                                    assay::TaskContext& context) {
//     context.progress(1, 2, "half way");
//     return assay::TaskOutcome::done(task.body + "!");
//   });
//   return worker.run().is_ok() ? 0 : 1;
#ifndef ASSAY_WORKER_H_
#define ASSAY_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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

  static TaskOutcome done(std::string result = {});
  // The task ran and said no, or met a limit or a safety rule. Final.
  static TaskOutcome failed(std::string reason, Cause cause = Cause::kTask, std::string result = {});
  // Run it again after `delay`, if attempts are left. `Cause::kInfrastructure` costs no attempt.
  static TaskOutcome retry(std::string reason, Duration delay = Duration(0),
                           Cause cause = Cause::kTask);
  // It was stopped because `TaskContext::cancelled` said so.
  static TaskOutcome cancelled(std::string result = {});
};

// A handler's line to the broker while it works. Thread: any.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  // done of total (0: not known), with a line for people. Cheap; may be merged with the next.
  virtual void progress(std::uint64_t done, std::uint64_t total, std::string text = {}) = 0;
  // Log lines, without the last newline. Bounded at the broker, in order.
  virtual void log(std::string lines) = 0;
  // Something a safety rule noticed.
  virtual void safety(std::string text) = 0;
  // True once the task was cancelled, or lost to another worker, or this worker must stop.
  virtual bool cancelled() const = 0;
  // Waits until cancelled() or the time is over; returns cancelled().
  virtual bool wait_cancelled(Duration at_most) = 0;
};

using TaskHandler = std::function<TaskOutcome(const TaskAssignment&, TaskContext&)>;

struct WorkerOptions {
  std::string endpoint = "tcp://127.0.0.1:5556";
  std::string name;                // empty: host, process id and chance
  std::vector<QueueName> queues;   // at least one
  std::uint32_t slots = 1;         // handlers that run at once, each on a thread of its own
  Duration drain_timeout{30000};   // request_stop: how long running handlers may go on
};

// Takes tasks from the broker and runs the handler for each. It reconnects by itself, names what it still
// runs when it does, renews its leases with the same socket that carries its tasks, and repeats a
// report until the broker has recorded it. A handler that throws fails its task with the exception's text.
//
// Thread: run() in one; request_stop() from any, and from a signal handler.
class Worker {
 public:
  Worker(WorkerOptions options, TaskHandler handler);
  ~Worker();

  // Works until request_stop(). Errors: `invalid_name` (fix_input), `unsupported_version` (fix_input),
  // `refused` (fix_input: the broker does not let this worker in). A broker that is away is waited for.
  Status run();

  // The first call drains: take nothing new, finish what runs, report, leave. A second one cancels what runs.
  void request_stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace assay

#endif  // ASSAY_WORKER_H_
