// From an evaluation to pods: who runs which tests. Pure; it knows no executor.
#ifndef ASSAY_WORKERS_EVAL_PLAN_PLAN_H_
#define ASSAY_WORKERS_EVAL_PLAN_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/evaluation.h"

namespace assay::eval {

struct PlanRules {
  double one_pod_seconds_max = 300;  // estimated in all: less than this is one pod
  double batch_seconds = 600;        // what a batch should take
  double seconds_per_test = 1;       // of a test that nobody has estimated or measured
  std::uint8_t danger_max = 8;       // over it, each test has a pod of its own
  std::uint32_t pods_max = 50;       // the worker's own limit
};

// What is known of the tests before they run.
struct KnownTests {
  std::optional<std::vector<std::string>> names;  // from a discovery
  std::map<std::string, double> seconds;          // measured in earlier runs
};

struct PlannedPod {
  std::optional<std::vector<std::string>> tests;  // nothing: all that the subject has
  double seconds = 0;                             // estimated
};

struct Plan {
  // The names of the tests are needed first: run one pod that discovers them, and plan again.
  bool discover = false;
  std::vector<PlannedPod> pods = {};  // empty with `discover`, and when there is no test
  std::uint32_t at_once = 1;          // pods that may run at the same time
  std::string why = {};               // one sentence for people
};

// Every known test is in exactly one pod, in its order.
Plan make_plan(const Evaluation& evaluation, const KnownTests& known, const PlanRules& rules);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_PLAN_PLAN_H_
