// The planner's specification: which evaluations become how many pods.
#include "workers/eval/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace assay::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Evaluation long_one() {
  Evaluation evaluation;
  evaluation.timeout = std::chrono::hours(5);
  return evaluation;
}

std::vector<std::string> names(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back("test_" + std::to_string(i));
  return out;
}

// Every test once, in order: true of any plan.
void expect_all_tests_once(const Plan& plan, const std::vector<std::string>& all) {
  std::vector<std::string> planned;
  for (const PlannedPod& pod : plan.pods) {
    ASSERT_TRUE(pod.tests);
    EXPECT_FALSE(pod.tests->empty());
    planned.insert(planned.end(), pod.tests->begin(), pod.tests->end());
  }
  EXPECT_EQ(planned, all);
}

TEST(Plan, AnEvaluationOfUnknownLengthIsOnePodWithoutADiscovery) {
  const Plan plan = make_plan(long_one(), {}, {});
  EXPECT_FALSE(plan.discover);
  ASSERT_EQ(plan.pods.size(), 1U);
  EXPECT_FALSE(plan.pods[0].tests);
  EXPECT_EQ(plan.at_once, 1U);
}

TEST(Plan, LessThanFiveMinutesInAllIsOnePod) {
  Evaluation evaluation = long_one();
  evaluation.tests = 299;
  evaluation.seconds_per_test = 1;
  EXPECT_EQ(make_plan(evaluation, {}, {}).pods.size(), 1U);
  evaluation.tests = 300;
  EXPECT_TRUE(make_plan(evaluation, {}, {}).discover);
}

TEST(Plan, WhatIsStoppedBeforeFiveMinutesIsOnePodWhateverTheEstimate) {
  Evaluation evaluation = long_one();
  evaluation.timeout = std::chrono::seconds(299);
  evaluation.tests = 1000;
  evaluation.seconds_per_test = 60;
  EXPECT_FALSE(make_plan(evaluation, {}, {}).discover);
}

TEST(Plan, AnEstimateWithoutACountAsksForTheNames) {
  Evaluation evaluation = long_one();
  evaluation.seconds_per_test = 30;
  const Plan plan = make_plan(evaluation, {}, {});
  EXPECT_TRUE(plan.discover);
  EXPECT_TRUE(plan.pods.empty());
}

TEST(Plan, TwoHundredTestsOfAMinuteAreTwentyPodsOfTenMinutes) {
  Evaluation evaluation = long_one();
  evaluation.seconds_per_test = 60;
  const Plan plan = make_plan(evaluation, {names(200), {}}, {});
  ASSERT_EQ(plan.pods.size(), 20U);
  for (const PlannedPod& pod : plan.pods) {
    EXPECT_EQ(pod.tests->size(), 10U);
    EXPECT_DOUBLE_EQ(pod.seconds, 600);
  }
  EXPECT_EQ(plan.at_once, 20U);
  expect_all_tests_once(plan, names(200));
  EXPECT_THAT(plan.why, HasSubstr("20 pods"));
}

TEST(Plan, BatchesAreNeverMoreThanTheTaskAllows) {
  Evaluation evaluation = long_one();
  evaluation.seconds_per_test = 60;
  evaluation.pods_max = 7;
  const Plan plan = make_plan(evaluation, {names(200), {}}, {});
  EXPECT_EQ(plan.pods.size(), 7U);
  EXPECT_EQ(plan.at_once, 7U);
  expect_all_tests_once(plan, names(200));
}

TEST(Plan, BatchesAreNeverMoreThanTheWorkerAllows) {
  Evaluation evaluation = long_one();
  evaluation.seconds_per_test = 60;
  PlanRules rules;
  rules.pods_max = 3;
  const Plan plan = make_plan(evaluation, {names(200), {}}, rules);
  EXPECT_EQ(plan.pods.size(), 3U);
  expect_all_tests_once(plan, names(200));
}

TEST(Plan, MeasuredDurationsCountMoreThanTheEstimate) {
  Evaluation evaluation = long_one();
  evaluation.seconds_per_test = 600;
  KnownTests known{names(4), {}};
  for (const std::string& name : *known.names) known.seconds[name] = 2;
  EXPECT_EQ(make_plan(evaluation, known, {}).pods.size(), 1U);
}

TEST(Plan, BatchesAreCutWhereTheTimeIsNotWhereTheCountIs) {
  Evaluation evaluation = long_one();
  KnownTests known{std::vector<std::string>{"long", "a", "b", "c"}, {}};
  known.seconds = {{"long", 600}, {"a", 200}, {"b", 200}, {"c", 200}};
  const Plan plan = make_plan(evaluation, known, {});
  ASSERT_EQ(plan.pods.size(), 2U);
  EXPECT_THAT(*plan.pods[0].tests, ElementsAre("long"));
  EXPECT_THAT(*plan.pods[1].tests, ElementsAre("a", "b", "c"));
}

TEST(Plan, NoPodIsEmptyHoweverUnevenTheTestsAre) {
  for (std::size_t longest = 0; longest < 6; ++longest) {
    KnownTests known{names(6), {}};
    for (const std::string& name : *known.names) known.seconds[name] = 0;
    known.seconds["test_" + std::to_string(longest)] = 3000;
    const Plan plan = make_plan(long_one(), known, {});
    EXPECT_EQ(plan.pods.size(), 5U);
    expect_all_tests_once(plan, names(6));
  }
}

TEST(Plan, DangerOverEightGivesEachTestAPodOfItsOwn) {
  Evaluation evaluation = long_one();
  evaluation.danger = 8;
  EXPECT_EQ(make_plan(evaluation, {names(5), {}}, {}).pods.size(), 1U);
  evaluation.danger = 9;
  const Plan plan = make_plan(evaluation, {names(5), {}}, {});
  EXPECT_EQ(plan.pods.size(), 5U);
  expect_all_tests_once(plan, names(5));
}

TEST(Plan, IsolatedTestsAreNotBatchedToMeetTheLimitButWait) {
  Evaluation evaluation = long_one();
  evaluation.isolated = true;
  evaluation.pods_max = 4;
  const Plan plan = make_plan(evaluation, {names(100), {}}, {});
  EXPECT_EQ(plan.pods.size(), 100U);
  EXPECT_EQ(plan.at_once, 4U);
}

TEST(Plan, IsolatedTestsWithoutNamesAreDiscoveredFirst) {
  Evaluation evaluation = long_one();
  evaluation.isolated = true;
  EXPECT_TRUE(make_plan(evaluation, {}, {}).discover);
  evaluation.tests = 1;
  EXPECT_FALSE(make_plan(evaluation, {}, {}).discover);
}

TEST(Plan, ALimitOfOnePodNeedsNoDiscovery) {
  Evaluation evaluation = long_one();
  evaluation.tests = 1000;
  evaluation.seconds_per_test = 60;
  evaluation.pods_max = 1;
  const Plan plan = make_plan(evaluation, {}, {});
  EXPECT_FALSE(plan.discover);
  EXPECT_EQ(plan.pods.size(), 1U);
}

TEST(Plan, ALimitOfNoPodsIsTakenAsOne) {
  Evaluation evaluation = long_one();
  evaluation.pods_max = 0;
  EXPECT_EQ(make_plan(evaluation, {names(3), {}}, {}).at_once, 1U);
}

TEST(Plan, ASubjectWithoutTestsNeedsNoPod) {
  EXPECT_TRUE(make_plan(long_one(), {names(0), {}}, {}).pods.empty());
}

}  // namespace
}  // namespace assay::eval
