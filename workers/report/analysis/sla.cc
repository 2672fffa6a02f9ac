// What was expected of the time against what was, and percentiles by queue and owner.
#include <algorithm>

#include "workers/report/report.h"

namespace assay::report {
namespace {

struct Times {
  std::vector<double> waits;
  std::vector<double> runs;
};

double seconds_between(Time from, Time to) {
  return std::max(0.0, static_cast<double>((to - from).count()) / 1000);
}

Durations durations_of(const std::string& name, Times times) {
  std::sort(times.waits.begin(), times.waits.end());
  std::sort(times.runs.begin(), times.runs.end());
  Durations out;
  out.of = name;
  out.count = times.runs.size();
  out.wait_p50 = percentile(times.waits, 0.5);
  out.wait_p90 = percentile(times.waits, 0.9);
  out.wait_p99 = percentile(times.waits, 0.99);
  out.run_p50 = percentile(times.runs, 0.5);
  out.run_p90 = percentile(times.runs, 0.9);
  out.run_p99 = percentile(times.runs, 0.99);
  return out;
}

}  // namespace

Sla measure(const SlaRequest& request, const std::vector<Run>& runs) {
  Sla out;
  std::map<std::string, Times> by;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    if (!run.submitted_at || !run.started_at || !run.ended_at) continue;
    ++out.measured;
    const double wait = seconds_between(*run.submitted_at, *run.started_at);
    const double took = seconds_between(*run.started_at, *run.ended_at);
    if (request.expected_seconds && took > *request.expected_seconds) out.slow.push_back(i);
    if (request.deadline_seconds && wait + took > *request.deadline_seconds) out.late.push_back(i);
    for (const std::string& of : {"queue " + run.queue, "owner " + run.owner}) {
      by[of].waits.push_back(wait);
      by[of].runs.push_back(took);
    }
  }
  for (auto& [name, times] : by) out.durations.push_back(durations_of(name, std::move(times)));
  return out;
}

}  // namespace assay::report
