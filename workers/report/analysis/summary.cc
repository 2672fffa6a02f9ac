// The figures over all runs. What the infrastructure failed is counted apart and is in no score.
#include <algorithm>

#include "workers/report/report.h"

namespace assay::report {

double Rates::cost(const Usage& usage) const {
  double requests = 0;
  for (const auto& [endpoint, count] : usage.requests) requests += count;
  return (usage.cpu_seconds * cpu_hour + usage.gpu_seconds * gpu_hour +
          usage.pod_seconds * pod_hour) /
             3600 +
         requests * request;
}

Verdict Report::verdict() const {
  for (const Verdict worst : {Verdict::kFailed, Verdict::kInfrastructure, Verdict::kCancelled}) {
    if (summary.runs.contains(worst)) return worst;
  }
  return Verdict::kPassed;
}

Summary summarize(const std::vector<Run>& runs, const Rates& rates) {
  Summary out;
  for (const Run& run : runs) {
    ++out.runs[run.verdict()];
    out.run_seconds += run.seconds;
    out.usage.cpu_seconds += run.usage.cpu_seconds;
    out.usage.gpu_seconds += run.usage.gpu_seconds;
    out.usage.pod_seconds += run.usage.pod_seconds;
    out.usage.memory_bytes_peak =
        std::max(out.usage.memory_bytes_peak, run.usage.memory_bytes_peak);
    for (const auto& [endpoint, count] : run.usage.requests) out.usage.requests[endpoint] += count;
    if (run.verdict() == Verdict::kInfrastructure) {
      out.lost_tests += run.total;
      continue;
    }
    out.tests += run.total;
    for (const auto& [outcome, count] : run.counts) out.outcomes[outcome] += count;
    for (const Test& test : run.tests) {
      if (test.outcome == "not_run") continue;
      out.test_seconds.push_back(test.seconds);
      // As in the result document: a verdict without a score is 1 or 0.
      if (test.score) {
        out.scores.push_back(*test.score);
      } else if (test.outcome == "passed" || test.outcome == "failed") {
        out.scores.push_back(test.outcome == "passed" ? 1 : 0);
      }
    }
  }
  out.passed = out.outcomes["passed"] + out.outcomes["scored"];
  out.passed_share = share(out.passed, out.tests - out.outcomes["not_run"]);
  out.cost = rates.cost(out.usage);
  out.score = estimate(out.scores);
  std::sort(out.scores.begin(), out.scores.end());
  std::sort(out.test_seconds.begin(), out.test_seconds.end());
  return out;
}

Report make_report(const Request& request, std::vector<Run> runs, std::vector<Run> baseline,
                   const Rates& rates, Time now) {
  Report report;
  report.title = request.title;
  report.generated_at = now;
  report.runs = std::move(runs);
  report.rates = rates;
  report.sla_request = request.sla;
  report.summary = summarize(report.runs, rates);
  report.comparison = compare(request.compare, report.runs, rates);
  if (!baseline.empty()) report.regression = against(baseline, report.runs);
  report.sla = measure(request.sla, report.runs);
  return report;
}

}  // namespace assay::report
