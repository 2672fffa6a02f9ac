// When what a task had in a cluster goes: not before its end is recorded, and not if it goes on.
#include "tests/unit/kubernetes/executor_fixture.h"
#include "workers/eval/evaluator.h"

namespace assay::eval::kubernetes {
namespace {

using ::testing::ElementsAre;

class Listener : public TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string) override {}
  void log(std::string) override {}
  void safety(std::string text) override { findings.push_back(std::move(text)); }
  bool cancelled() const override { return false; }
  bool wait_cancelled(Duration) override { return false; }

  std::vector<std::string> findings;
};

class Ends : public KubernetesTest {
 protected:
  void SetUp() override {
    KubernetesTest::SetUp();
    evaluation_settings_.executor = "kubernetes";
    Evaluation script;
    script.entry = "a.py";
    script.tests = 1;
    script.files = {{"a.py", "def test_a(): pass"}};
    task_.id = TaskId::make(Time{});
    task_.attempt = Attempt{1};
    task_.owner = OwnerName("alice");
    task_.body = encode_evaluation(script);
    start();
  }
  TaskOutcome evaluate() {
    return Evaluator(*executor_, evaluation_settings_).run(task_, listener_);
  }
  void record(Outcome outcome) {
    Evaluator(*executor_, evaluation_settings_).recorded(task_.id, task_.attempt, outcome);
  }
  bool clean() {
    return support::eventually([&] {
      return server_.count("jobs") + server_.count("pods") + server_.count("configmaps") == 0;
    });
  }

  Listener listener_;
  EvaluationSettings evaluation_settings_;
  TaskAssignment task_;
};

TEST_F(Ends, AFinishedJobStaysUntilItsEndIsRecorded) {
  const TaskOutcome outcome = evaluate();
  EXPECT_EQ(outcome.outcome, Outcome::kSucceeded) << outcome.reason;
  EXPECT_EQ(server_.count("jobs"), 1U);
  record(Outcome::kSucceeded);
  EXPECT_TRUE(clean());
}

TEST_F(Ends, AWorkerKilledBeforeTheRecordIsFollowedByOneThatRunsNothingAgain) {
  const TaskOutcome first = evaluate();
  executor_.reset();  // the report is lost with it
  start();
  task_.attempt = Attempt{2};
  const TaskOutcome second = evaluate();
  EXPECT_EQ(second.outcome, Outcome::kSucceeded) << second.reason;
  EXPECT_EQ(server_.jobs_created(), 1U);
  record(Outcome::kSucceeded);
  EXPECT_TRUE(clean());
}

TEST_F(Ends, AnEvaluationOfOnePodCostsThreeRequestsBesideWatchesAndLogs) {
  evaluate();
  record(Outcome::kSucceeded);
  EXPECT_TRUE(clean());
  EXPECT_EQ(server_.requests("POST", "/jobs"), 1U);
  EXPECT_EQ(server_.requests("POST", "/configmaps"), 1U);
  EXPECT_EQ(server_.requests("DELETE", "/"), 1U);
  EXPECT_EQ(server_.requests("POST", "/"), 2U);
  EXPECT_EQ(server_.requests("GET", "/jobs/") + server_.requests("GET", "/configmaps"), 0U);
  EXPECT_EQ(server_.requests("PATCH", "/") + server_.requests("PUT", "/"), 0U);
}

TEST_F(Ends, ARuleThatFlagsIsToldAndChangesNothing) {
  evaluation_settings_.safety = {{"words", {"WORDS OF"}, false}};
  EXPECT_EQ(evaluate().outcome, Outcome::kSucceeded);
  EXPECT_THAT(listener_.findings, ElementsAre("rule words: words of the subject"));
}

TEST_F(Ends, ARuleThatStopsFailsTheTaskForGood) {
  evaluation_settings_.safety = {{"words", {"words of"}, true}};
  const TaskOutcome outcome = evaluate();
  EXPECT_EQ(outcome.outcome, Outcome::kFailed);
  EXPECT_EQ(outcome.cause, Cause::kSafety);
  EXPECT_EQ(outcome.reason, "stopped by the safety rule words");
}

TEST_F(Ends, WhatIsHandedOverStays) {
  evaluate();
  record(Outcome::kHandOver);
  record(Outcome::kRetry);
  executor_.reset();
  start();  // another worker's
  task_.attempt = Attempt{2};
  EXPECT_EQ(evaluate().outcome, Outcome::kSucceeded);
  EXPECT_EQ(server_.jobs_created(), 1U);
}

}  // namespace
}  // namespace assay::eval::kubernetes
