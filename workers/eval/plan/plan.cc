#include "workers/eval/plan/plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace assay::eval {
namespace {

std::string rounded(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", seconds);
  return text;
}

double estimate(const std::string& name, const Evaluation& evaluation, const KnownTests& known,
                const PlanRules& rules) {
  const auto measured = known.seconds.find(name);
  if (measured != known.seconds.end()) return std::max(0.0, measured->second);
  return std::max(0.0, evaluation.seconds_per_test.value_or(rules.seconds_per_test));
}

// What the whole may take, as far as it can be known without the names.
std::optional<double> estimate_unnamed(const Evaluation& evaluation, const PlanRules& rules) {
  // It is stopped then, so it takes no longer.
  const double at_most = static_cast<double>(evaluation.timeout.count()) / 1000;
  if (at_most < rules.one_pod_seconds_max) return at_most;
  if (evaluation.tests) {
    return *evaluation.tests * evaluation.seconds_per_test.value_or(rules.seconds_per_test);
  }
  if (evaluation.seconds_per_test) return std::nullopt;
  // Nothing is known; finding the names out would load the subject twice for what is rarely long.
  return 0;
}

Plan one_pod(std::optional<std::vector<std::string>> tests, double seconds, std::string why) {
  Plan plan;
  plan.pods.push_back({std::move(tests), seconds});
  plan.why = std::move(why);
  return plan;
}

Plan isolated(const std::vector<std::string>& names, const Evaluation& evaluation,
              const KnownTests& known, const PlanRules& rules, std::string why) {
  Plan plan;
  for (const std::string& name : names) {
    plan.pods.push_back({std::vector<std::string>{name}, estimate(name, evaluation, known, rules)});
  }
  plan.why = std::move(why);
  return plan;
}

// Runs of tests in their order, each ending where its share of the whole time does.
Plan batches(const std::vector<std::string>& names, std::size_t count, double total,
             const Evaluation& evaluation, const KnownTests& known, const PlanRules& rules) {
  Plan plan;
  plan.pods.resize(count);
  double before = 0;
  std::size_t index = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double seconds = estimate(names[i], evaluation, known, rules);
    const double middle = before + seconds / 2;
    auto share = static_cast<std::size_t>(middle / total * static_cast<double>(count));
    share = std::min(share, count - 1);
    // No pod is passed over, and enough tests are kept for the pods that come after.
    if (plan.pods[index].tests && share > index) ++index;
    if (plan.pods[index].tests && names.size() - i <= count - 1 - index) ++index;
    PlannedPod& pod = plan.pods[index];
    if (!pod.tests) pod.tests.emplace();
    pod.tests->push_back(names[i]);
    pod.seconds += seconds;
    before += seconds;
  }
  plan.why = std::to_string(names.size()) + " tests of about " + rounded(total) + " s in " +
             std::to_string(count) + " pods of about " +
             rounded(total / static_cast<double>(count)) + " s";
  return plan;
}

Plan plan_named(const std::vector<std::string>& names, bool apart, const std::string& apart_why,
                const Evaluation& evaluation, const KnownTests& known, const PlanRules& rules,
                std::uint32_t pods_max) {
  if (names.empty()) return {.why = "there is no test"};
  if (apart) return isolated(names, evaluation, known, rules, apart_why);
  double total = 0;
  for (const std::string& name : names) total += estimate(name, evaluation, known, rules);
  const auto wanted = static_cast<std::size_t>(std::ceil(total / rules.batch_seconds));
  const std::size_t count = std::min(
      {std::max<std::size_t>(wanted, 1), names.size(), static_cast<std::size_t>(pods_max)});
  if (total < rules.one_pod_seconds_max || count == 1) {
    return one_pod(names, total, "about " + rounded(total) + " s in all: one pod");
  }
  return batches(names, count, total, evaluation, known, rules);
}

}  // namespace

Plan make_plan(const Evaluation& evaluation, const KnownTests& known, const PlanRules& rules) {
  const bool dangerous = evaluation.danger > rules.danger_max;
  const bool apart = dangerous || evaluation.isolated;
  const std::string apart_why =
      dangerous ? "danger " + std::to_string(evaluation.danger) + ": a pod for each test"
                : "isolated: a pod for each test";
  const std::uint32_t pods_max = std::max(1U, std::min(evaluation.pods_max, rules.pods_max));
  Plan plan;
  if (evaluation.kind == EvaluationKind::kImage) {
    plan = one_pod(std::nullopt, 0, "an image is one pod");
  } else if (known.names) {
    plan = plan_named(*known.names, apart, apart_why, evaluation, known, rules, pods_max);
  } else if (apart) {
    // One test is apart from the others wherever it runs.
    if (evaluation.tests == 1U) return one_pod(std::nullopt, 0, apart_why);
    plan.discover = true;
    plan.why = apart_why + "; their names are found out first";
  } else {
    const auto seconds = estimate_unnamed(evaluation, rules);
    if (seconds && *seconds < rules.one_pod_seconds_max) {
      plan = one_pod(std::nullopt, *seconds, "no more than one pod's work is expected");
    } else if (pods_max == 1) {
      plan = one_pod(std::nullopt, seconds.value_or(0), "no more than one pod is allowed");
    } else {
      plan.discover = true;
      plan.why = "more than one pod's work is expected; the names are found out first";
    }
  }
  const auto count = static_cast<std::uint32_t>(std::max<std::size_t>(plan.pods.size(), 1));
  plan.at_once = std::min(count, pods_max);
  return plan;
}

}  // namespace assay::eval
