// What the evaluation worker is told by its configuration, beside what the SDK's worker needs.
#ifndef ASSAY_WORKERS_EVAL_SETTINGS_H_
#define ASSAY_WORKERS_EVAL_SETTINGS_H_

#include <map>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/monitor/safety_rules.h"
#include "workers/eval/plan/plan.h"
#include "workers/eval/relay/endpoint.h"

namespace assay::eval {

struct EvaluationSettings {
  std::string executor = "local";  // or "kubernetes"
  PlanRules rules{.pods_max = 4};
  std::map<std::string, PodLimits> profiles{{"small", {}}};
  std::vector<Endpoint> endpoints;
  std::map<std::string, std::string> suites;  // by name: the text of a suite file
  std::vector<SafetyRule> safety;             // for what subjects print
  Duration timeout_max{24 * 3600 * 1000};
  Duration test_timeout_max{6 * 3600 * 1000};
  Duration load_timeout{120'000};
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_SETTINGS_H_
