// One pod on this machine: a harness, and one sandbox after another for its subject. One thread,
// one poll loop.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_POD_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_POD_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "workers/eval/executor/executor.h"
#include "workers/eval/executor/local/local_executor.h"
#include "workers/eval/executor/local/pod_folder.h"
#include "workers/eval/executor/local/process.h"
#include "workers/eval/executor/local/sandbox.h"
#include "workers/eval/monitor/log_window.h"

namespace assay::eval {

class LocalPod : public Pod {
 public:
  // Begins to run at once, on a thread of its own.
  LocalPod(LocalExecutor& executor, PodSpec spec, PodEvents& events);
  ~LocalPod() override;
  void stop() override;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  Status prepare();
  Status write_files();
  Status open_endpoints();
  Status start_harness();
  Status start_subject();
  Status loop();
  Status step();
  Status after_subject();
  void read_log();
  void read_complaints();
  bool read_harness();
  Status on_harness_line(const std::string& line);
  Status on_harness_gone();
  void check_limits();
  void end_subject(std::string limit, bool stopped);
  void push(decltype(PodEvent::what) what);
  void say(std::string text);

  LocalExecutor& executor_;
  PodSpec spec_;
  PodEvents& events_;
  Descriptor stop_;
  std::optional<uid_t> user_;
  std::optional<PodFolder> folder_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::optional<Process> harness_;
  Descriptor harness_lines_;
  Descriptor harness_complaints_;
  std::string harness_text_;
  std::string complaints_;
  std::unique_ptr<Sandbox> subject_;
  bool stopping_ = false;
  bool finished_ = false;   // the harness has said so
  bool connected_ = false;  // the present subject has reached the harness
  std::uint32_t never_connected_ = 0;
  std::optional<Clock::time_point> subject_gone_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point measured_;
  double cpu_before_ = 0;  // of the sandboxes that have ended
  double cpu_seen_ = 0;    // of the present one
  PodEnded end_;
  LogWindow log_;
  LogThrottle throttle_;
  std::thread thread_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_LOCAL_POD_H_
