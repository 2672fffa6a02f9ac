// What a steady load met: how much was taken, refused and done, and how long it took. Times count
// from when a task was due, not from when it could be sent: a broker that makes its client wait
// pays for the wait.
#ifndef ASSAY_CLI_BENCH_LOAD_REPORT_H_
#define ASSAY_CLI_BENCH_LOAD_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "assay/status.h"
#include "assay/task.h"
#include "cli/exit_code.h"
#include "cli/text/line.h"

namespace assay::cli {

using Microseconds = std::chrono::microseconds;

class LoadReport {
 public:
  void accepted(std::size_t tasks, Microseconds since_due);
  void refused(std::size_t tasks, const Status& why);
  void ended(TaskState state, Microseconds since_due);
  // Over how long tasks were submitted.
  void submitted_for(Duration time) { submitted_for_ = time; }

  std::size_t accepted_count() const { return to_accept_.size(); }
  std::size_t ended_count() const { return to_end_.size(); }

  // 0 when every task was taken and succeeded; 3 when one did not; 1 when one has not ended.
  ExitCode exit_code() const;
  std::vector<Line> lines() const;
  // {"submitted", "accepted", "refused": {reason: n}, "ended": {state: n}, "seconds",
  //  "accepted_per_second", "accept_ms": {"p50", "p90", "p99", "max"}, "end_ms": {...}}
  std::string json() const;

 private:
  std::vector<Microseconds> to_accept_;  // of each task
  std::vector<Microseconds> to_end_;
  std::map<std::string, std::size_t> refused_;
  std::map<TaskState, std::size_t> ended_;
  std::size_t refused_count_ = 0;
  Duration submitted_for_{0};
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_BENCH_LOAD_REPORT_H_
