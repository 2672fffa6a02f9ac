// One task as a report sees it: what the broker knows of it, and, for an evaluation, what its
// result document says (docs/results.md). Everything in texts may have been written by somebody
// hostile.
#ifndef ASSAY_WORKERS_REPORT_RUN_H_
#define ASSAY_WORKERS_REPORT_RUN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/task.h"

namespace assay::report {

struct Spread {
  std::uint64_t count = 0;
  double mean = 0;
  double min = 0;
  double max = 0;
};

struct Test {
  std::string name;
  std::string outcome;  // one of kOutcomes, or "unknown"
  std::optional<double> score;
  double seconds = 0;
  std::string reason;
  std::string detail;
};

// In the order in which people want to see them.
inline constexpr const char* kOutcomes[] = {"failed", "error",  "crashed", "timeout",
                                            "limit",  "passed", "scored",  "not_run"};
// The test ran and did not do what it should.
bool is_bad(const std::string& outcome);

// How a task ended, for a report. Infrastructure is nobody's score.
enum class Verdict : std::uint8_t { kPassed, kFailed, kCancelled, kInfrastructure };
const char* to_string(Verdict verdict);

struct Usage {
  double cpu_seconds = 0;
  double pod_seconds = 0;
  double memory_bytes_peak = 0;
  double gpu_seconds = 0;
  std::map<std::string, double> requests;  // by model endpoint
};

struct Run {
  TaskId id;
  TaskState state = TaskState::kSucceeded;
  Cause cause = Cause::kNone;
  bool known = false;  // the broker was asked: the next six are its word
  std::string queue;
  std::string owner;
  std::map<std::string, std::string> labels;
  std::optional<Time> submitted_at;
  std::optional<Time> started_at;  // its first attempt
  std::optional<Time> ended_at;
  std::size_t attempts = 0;

  bool has_document = false;  // the rest is from the result document
  std::string name;
  std::string status;
  std::string reason;
  std::string model;
  std::string kind;
  std::string executor;
  double seconds = 0;
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> counts;
  Spread scores;
  std::map<std::string, Spread> metrics;
  std::vector<Test> tests;
  Usage usage;
  std::string log;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> artifacts;  // name, sha256

  Verdict verdict() const;
  // Its name, else its queue and the end of its id.
  std::string title() const;
  // What tells it from its neighbours: of "safety[profile=small,seed=1]" the pairs in brackets, and
  // the labels, model and executor.
  std::map<std::string, std::string> settings() const;
  // The name without the brackets: runs of the same thing.
  std::string base_name() const;
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_RUN_H_
