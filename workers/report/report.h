// A report as values, before it has a format.
#ifndef ASSAY_WORKERS_REPORT_REPORT_H_
#define ASSAY_WORKERS_REPORT_REPORT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workers/report/analysis/statistics.h"
#include "workers/report/request.h"
#include "workers/report/run.h"

namespace assay::report {

// What usage costs, by the worker's configuration. All zero: no costs are shown.
struct Rates {
  std::string currency = "USD";
  double cpu_hour = 0;
  double gpu_hour = 0;
  double pod_hour = 0;
  double request = 0;  // one to a model endpoint

  bool any() const { return cpu_hour > 0 || gpu_hour > 0 || pod_hour > 0 || request > 0; }
  double cost(const Usage& usage) const;
};

struct Summary {
  std::map<Verdict, std::size_t> runs;
  std::map<std::string, std::uint64_t> outcomes;  // of tests, infrastructure's victims apart
  std::uint64_t tests = 0;
  std::uint64_t passed = 0;      // passed or scored
  Interval passed_share;         // of those that ran
  std::uint64_t lost_tests = 0;  // in runs that the infrastructure failed: in no other figure
  Estimate score;
  std::vector<double> scores;        // sorted
  std::vector<double> test_seconds;  // sorted
  Usage usage;
  double cost = 0;
  double run_seconds = 0;
};

// Runs with the same settings.
struct Group {
  std::map<std::string, std::string> settings;  // of the keys compared
  std::vector<std::size_t> runs;                // into Report::runs
  Estimate metric;
  Estimate seconds;
  std::uint64_t passed = 0;
  std::uint64_t tests = 0;
  double cost = 0;

  std::string title() const;
};

struct Comparison {
  std::string of;  // the evaluation whose runs they are; empty: what was asked for by its keys
  std::vector<std::string> keys;
  std::string metric;
  bool larger_is_better = true;
  std::vector<Group> groups;       // the best first; those without the metric last
  std::optional<Estimate> margin;  // of the first over the second
  // The interval of the margin does not hold zero.
  bool clear() const;
};

// A test that ended otherwise than in the baseline.
struct Change {
  std::string run;
  std::string test;
  std::string before;
  std::string now;
  std::string reason;
};

struct Regression {
  std::string baseline;
  std::size_t paired = 0;  // tests that both have
  std::size_t only_now = 0;
  std::size_t only_before = 0;
  Estimate score_change;  // of the paired tests that have a score in both
  Estimate seconds_change;
  std::vector<Change> worse;
  std::vector<Change> better;
  double chance = 1;  // McNemar
};

struct Durations {
  std::string of;  // "queue eval", "owner red-team"
  std::size_t count = 0;
  double wait_p50 = 0, wait_p90 = 0, wait_p99 = 0;
  double run_p50 = 0, run_p90 = 0, run_p99 = 0;
};

struct Sla {
  std::vector<Durations> durations;
  std::vector<std::size_t> slow;  // over expected_seconds
  std::vector<std::size_t> late;  // over deadline_seconds
  std::size_t measured = 0;
};

struct Report {
  std::string title;
  Time generated_at{};
  TaskId task;
  std::vector<Run> runs;
  Rates rates;
  SlaRequest sla_request;
  Summary summary;
  std::optional<Comparison> comparison;  // of two groups or more
  std::optional<Regression> regression;
  Sla sla;
  std::vector<std::string> notes;  // what could not be had

  // The worst of the runs: passed only if all are.
  Verdict verdict() const;
};

// Works everything out that follows from the runs. `baseline` may be empty.
Report make_report(const Request& request, std::vector<Run> runs, std::vector<Run> baseline,
                   const Rates& rates, Time now);

Summary summarize(const std::vector<Run>& runs, const Rates& rates);
std::optional<Comparison> compare(const CompareRequest& request, const std::vector<Run>& runs,
                                  const Rates& rates);
Regression against(const std::vector<Run>& baseline, const std::vector<Run>& runs);
Sla measure(const SlaRequest& request, const std::vector<Run>& runs);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_REPORT_H_
