// Which runs are compared, which is best, what got worse; and that the infrastructure is nobody's
// score.
#include <gtest/gtest.h>

#include "workers/report/report.h"

namespace assay::report {
namespace {

// A gtest test has members of these names.
using TaskRun = report::Run;
using Case = report::Test;

TaskRun run_of(const std::string& name, double score, std::vector<Case> tests = {}) {
  TaskRun run;
  run.has_document = true;
  run.name = name;
  run.status = "passed";
  run.scores = {1, score, score, score};
  run.tests = std::move(tests);
  run.total = run.tests.size();
  for (const Case& test : run.tests) ++run.counts[test.outcome];
  return run;
}

TEST(Comparison, FindsTheBestOfASweepWithItsMarginOverRepetitions) {
  std::vector<TaskRun> runs;
  for (const char* seed : {"1", "2", "3"}) {
    const double noise = seed[0] == '2' ? 0.001 : 0;
    runs.push_back(run_of(std::string("s[quant=int4,seed=") + seed + "]", 0.7 + noise));
    runs.push_back(run_of(std::string("s[quant=int8,seed=") + seed + "]", 0.9 + noise));
  }
  const auto out = compare({}, runs, {});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->keys, std::vector<std::string>{"quant"});
  ASSERT_EQ(out->groups.size(), 2U);
  EXPECT_EQ(out->groups[0].settings.at("quant"), "int8");
  EXPECT_EQ(out->groups[0].metric.count, 3U);
  EXPECT_NEAR(out->margin->mean, 0.2, 1e-9);
  EXPECT_TRUE(out->clear());
}

TEST(Comparison, WithOneRunEachNothingIsClear) {
  const auto out = compare({}, {run_of("s[gpu=a]", 0.7), run_of("s[gpu=b]", 0.9)}, {});
  ASSERT_TRUE(out);
  EXPECT_FALSE(out->margin->interval);
  EXPECT_FALSE(out->clear());
}

TEST(Comparison, GoesByTheMetricAndTheGoalThatWereAskedFor) {
  std::vector<TaskRun> runs{run_of("s", 1), run_of("s", 1), run_of("s", 1)};
  const char* gpus[] = {"v100", "a100", "t4"};
  for (int i = 0; i < 3; ++i) {
    runs[static_cast<std::size_t>(i)].labels["gpu"] = gpus[i];
    runs[static_cast<std::size_t>(i)].metrics["latency_ms"] = {10, 30.0 - 10 * (i % 2), 0, 0};
  }
  const auto out =
      compare({.by = {"gpu"}, .metric = "latency_ms", .larger_is_better = false}, runs, {});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->groups[0].settings.at("gpu"), "a100");
  EXPECT_DOUBLE_EQ(out->margin->mean, -10);
}

TEST(Comparison, DifferentEvaluationsAreNotCompared) {
  EXPECT_FALSE(compare({}, {run_of("one", 0.7), run_of("other", 0.9)}, {}));
}

TEST(Summary, WhatTheInfrastructureFailedIsInNoScore) {
  TaskRun good = run_of("a", 1, {{"t1", "passed", std::nullopt, 1, "", ""}});
  TaskRun lost = run_of(
      "b", 0,
      {{"t1", "not_run", std::nullopt, 0, "", ""}, {"t2", "failed", std::nullopt, 0, "", ""}});
  lost.state = TaskState::kDead;
  const Summary out = summarize({good, lost}, {});
  EXPECT_EQ(out.tests, 1U);
  EXPECT_EQ(out.passed, 1U);
  EXPECT_EQ(out.lost_tests, 2U);
  EXPECT_DOUBLE_EQ(out.score.mean, 1);
  EXPECT_EQ(out.runs.at(Verdict::kInfrastructure), 1U);
  lost.state = TaskState::kSucceeded;
  lost.cause = Cause::kInfrastructure;
  EXPECT_EQ(summarize({lost}, {}).tests, 0U);
}

TEST(Regression, PairsTestsByNameAndCallsOutWhatGotWorse) {
  const auto test = [](const char* name, const char* outcome) {
    return Case{name, outcome, std::nullopt, 1, "", ""};
  };
  const TaskRun before = run_of(
      "s", 1,
      {test("a", "passed"), test("b", "passed"), test("c", "failed"), test("gone", "passed")});
  const TaskRun now = run_of("s", 1,
                             {test("a", "passed"), test("b", "timeout"), test("c", "passed"),
                              test("new", "failed"), test("d", "not_run")});
  const Regression out = against({before}, {now});
  EXPECT_EQ(out.paired, 3U);
  EXPECT_EQ(out.only_now, 1U);
  EXPECT_EQ(out.only_before, 1U);
  ASSERT_EQ(out.worse.size(), 1U);
  EXPECT_EQ(out.worse[0].test, "b");
  EXPECT_EQ(out.worse[0].now, "timeout");
  ASSERT_EQ(out.better.size(), 1U);
  EXPECT_EQ(out.score_change.count, 2U);  // a timeout has no score
}

TEST(Sla, CountsWhatWasLateAndGivesPercentiles) {
  std::vector<TaskRun> runs(3);
  for (int i = 0; i < 3; ++i) {
    TaskRun& run = runs[static_cast<std::size_t>(i)];
    run.queue = "eval";
    run.owner = "me";
    run.submitted_at = Time(Duration(0));
    run.started_at = Time(Duration(1000 * (i + 1)));
    run.ended_at = Time(Duration(1000 * (i + 1) + 5000 * i));
  }
  const Sla out = measure({.expected_seconds = 6, .deadline_seconds = 12}, runs);
  EXPECT_EQ(out.measured, 3U);
  EXPECT_EQ(out.slow, std::vector<std::size_t>{2});
  EXPECT_EQ(out.late, std::vector<std::size_t>{2});
  ASSERT_EQ(out.durations.size(), 2U);
  EXPECT_DOUBLE_EQ(out.durations[0].wait_p50, 2);
  EXPECT_DOUBLE_EQ(out.durations[0].run_p50, 5);
}

}  // namespace
}  // namespace assay::report
