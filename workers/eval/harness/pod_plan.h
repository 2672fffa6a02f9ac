// The plan file of one pod: what the harness is to run, and within which bounds. README.md is its
// specification.
#ifndef ASSAY_WORKERS_EVAL_HARNESS_POD_PLAN_H_
#define ASSAY_WORKERS_EVAL_HARNESS_POD_PLAN_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::eval {

using Milliseconds = std::chrono::milliseconds;

struct PodPlan {
  std::string job = "{}";  // a JSON object, handed to the runner as it is
  std::optional<std::vector<std::string>> tests =
      std::nullopt;                       // nothing: all that the runner discovers
  std::vector<std::string> outputs = {};  // job.outputs: the only files accepted
  bool discover_only = false;
  Milliseconds test_timeout{60'000};
  Milliseconds load_timeout{60'000};
  Milliseconds deadline{600'000};
  Milliseconds kill_grace{2'000};
  Milliseconds connect_timeout{30'000};
  // Of the first runner, whose container may still be on its way; nothing: the same.
  std::optional<Milliseconds> first_connect_timeout = std::nullopt;
  std::size_t concurrency = 1;
  std::size_t restarts_max = 3;
  std::size_t results_max = 100'000;
  std::size_t line_bytes_max = 8U << 20;
};

// The plan as the file holds it. `encode_pod_plan(*parse_pod_plan(text))` says the same as `text`.
std::string encode_pod_plan(const PodPlan& plan);
// Nothing, and `error` says why, when `text` is not a plan.
std::optional<PodPlan> parse_pod_plan(std::string_view text, std::string& error);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_HARNESS_POD_PLAN_H_
