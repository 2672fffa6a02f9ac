// Progress, verdict and document from what pods tell.
#include "workers/eval/monitor/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "workers/eval/monitor/log_window.h"

namespace assay::eval {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class RecordTest : public ::testing::Test {
 protected:
  void line(std::size_t pod, const json& event) {
    record_.on_event({pod, HarnessLine{event.dump()}});
  }
  void result(std::size_t pod, const std::string& test, const std::string& outcome) {
    line(pod, {{"event", "result"}, {"test", test}, {"outcome", outcome}, {"score", nullptr}});
  }
  Verdict verdict() { return judge(evaluation_, record_, false, false); }
  json document() {
    DocumentFacts facts;
    facts.evaluation = &evaluation_;
    const std::string text = make_document(record_, verdict(), facts);
    EXPECT_LE(text.size(), kDocumentBytesMax);
    return json::parse(text);
  }
  EvaluationRecord record_;
  Evaluation evaluation_;
};

TEST_F(RecordTest, ProgressIsOverAllPods) {
  record_.on_plan(0, 3);
  record_.on_plan(1, 2);
  result(0, "a", "passed");
  result(1, "d", "passed");
  line(0, {{"event", "started"}, {"test", "b"}, {"index", 2}, {"total", 3}});
  const auto now = record_.take_progress();
  ASSERT_TRUE(now);
  EXPECT_EQ(now->done, 2U);
  EXPECT_EQ(now->total, 5U);
  EXPECT_EQ(now->text, "2 passed; test 3 of 5: b");
  EXPECT_FALSE(record_.take_progress()) << "nothing has changed since";
}

TEST_F(RecordTest, ProgressTellsCountsAndTheLastTrouble) {
  record_.on_plan(0, 3);
  result(0, "a", "failed");
  result(0, "b\nforged", "crashed");
  EXPECT_EQ(record_.take_progress()->text, "1 crashed, 1 failed; test 3 of 3\ncrashed b forged");
  result(0, "c", "passed");
  EXPECT_EQ(record_.take_progress()->text,
            "1 crashed, 1 failed, 1 passed; 3 of 3 tests\ncrashed b forged");
}

TEST_F(RecordTest, TheStepsOfASingleTestAreTheProgress) {
  record_.on_plan(0, 0);
  line(0, {{"event", "discovered"}, {"tests", {"evaluate_model"}}});
  line(0, {{"event", "started"}, {"test", "evaluate_model"}});
  line(0, {{"event", "progress"},
           {"test", "evaluate_model"},
           {"done", 15},
           {"total", 200},
           {"text", ""}});
  const auto now = record_.take_progress();
  EXPECT_EQ(now->done, 15U);
  EXPECT_EQ(now->total, 200U);
}

TEST_F(RecordTest, PartialsCountAndTheWholeThatAgreesDoesNotCountAgain) {
  record_.on_plan(0, 1);
  for (const bool passed : {true, false}) {
    line(0, {{"event", "partial"}, {"test", "s"}, {"name", "x"}, {"passed", passed}});
  }
  result(0, "s", "failed");
  EXPECT_EQ(count_tests(record_).total, 2U);
  EXPECT_EQ(mean_score(record_), 0.5);
}

TEST_F(RecordTest, AWholeThatWentWrongCountsBesideItsPartials) {
  record_.on_plan(0, 1);
  line(0, {{"event", "partial"}, {"test", "s"}, {"name", "x"}, {"passed", true}});
  result(0, "s", "timeout");
  EXPECT_EQ(count_tests(record_).total, 2U);
  EXPECT_EQ(verdict().status, "failed");
  EXPECT_EQ(verdict().cause, Cause::kLimit);
}

TEST_F(RecordTest, PartialsOfAnUnfinishedTestAreForgottenWhenItsPodBeginsAgain) {
  record_.on_plan(0, 2);
  record_.on_plan(1, 1);
  const auto partial = [&](std::size_t pod, const char* test, bool passed) {
    line(pod, {{"event", "partial"}, {"test", test}, {"name", "x"}, {"passed", passed}});
  };
  record_.on_launch(0);
  partial(0, "ended", true);
  result(0, "ended", "passed");
  partial(0, "cut short", false);
  partial(1, "of another pod", true);
  record_.on_launch(0);
  EXPECT_EQ(count_tests(record_).total, 2U);
  EXPECT_EQ(record_.tests().size(), 2U);
  EXPECT_EQ(verdict().status, "passed") << "the first try's partial is no verdict";
  partial(0, "cut short", false);
  EXPECT_EQ(count_tests(record_).total, 3U);
  EXPECT_EQ(mean_score(record_), 2.0 / 3);
}

TEST_F(RecordTest, AFailureBeyondWhatIsKeptIsAFailureStill) {
  record_.on_plan(0, 1);
  const PodEvent passed{0,
                        HarnessLine{R"({"event":"partial","test":"s","name":"x","passed":true})"}};
  for (int i = 0; i < 200'000; ++i) record_.on_event(passed);
  EXPECT_EQ(verdict().status, "passed");
  line(0, {{"event", "partial"}, {"test", "s"}, {"name", "late"}, {"passed", false}});
  EXPECT_EQ(record_.not_kept(), 1U);
  EXPECT_EQ(verdict().status, "failed");
  EXPECT_EQ(verdict().reason, "1 of 200001 tests failed");
  EXPECT_LT(*mean_score(record_), 1);
}

TEST_F(RecordTest, AFailureOfAPodIsNotTheSubjectsAndRunsAgain) {
  record_.on_plan(0, 1);
  PodEnded end;
  end.failure = retry_later("pod_failed", "no more processes");
  record_.on_event({0, end});
  EXPECT_TRUE(verdict().again);
  EXPECT_EQ(verdict().cause, Cause::kInfrastructure);
  record_.on_launch(0);
  result(0, "a", "passed");
  EXPECT_FALSE(verdict().again) << "the second launch went well";
}

TEST_F(RecordTest, WhatWasLostToALimitIsALimit) {
  record_.on_plan(0, 1);
  record_.on_event({0, SubjectEnded{.limit = "memory"}});
  line(0, {{"event", "result"}, {"test", "a"}, {"outcome", "crashed"}, {"lost", true}});
  EXPECT_EQ(record_.tests()[0].outcome, "limit");
  EXPECT_THAT(record_.tests()[0].reason, HasSubstr("memory"));
}

TEST_F(RecordTest, NoTestsAreNoSuccess) {
  record_.on_plan(0, 0);
  EXPECT_EQ(verdict().status, "error");
}

TEST_F(RecordTest, LinesThatAreNotUnderstoodHarmNothing) {
  record_.on_event({0, HarnessLine{"nonsense"}});
  line(0, {{"event", "result"}});
  line(0, {{"event", "discovered"}, {"tests", {1, 2}}});
  EXPECT_TRUE(record_.tests().empty());
}

TEST_F(RecordTest, ADocumentThatIsTooLongSaysWhatIsLeftOut) {
  record_.on_plan(0, 1);
  for (int i = 0; i < 400; ++i) {
    line(0, {{"event", "result"},
             {"test", "t" + std::to_string(i)},
             {"outcome", "error"},
             {"score", nullptr},
             {"detail", std::string(60'000, 'x')}});
  }
  const json out = document();
  EXPECT_THAT(out["notes"].dump(), HasSubstr("left out: details longer than 1000 bytes"));
  EXPECT_EQ(out["tests"].size(), 400U);
  EXPECT_EQ(out["tests"][0]["detail"].get<std::string>().size(), 1000U);
}

TEST(LogWindow, KeepsBeginningAndEndAndSaysHowMuchIsMissing) {
  LogWindow window(20);
  for (int i = 0; i < 1000; ++i) window.add("line " + std::to_string(i) + "\n");
  const std::string text = window.text();
  EXPECT_THAT(text, ::testing::StartsWith("line 0\n... 8.9 kB skipped ...\n")) << text;
  EXPECT_THAT(text, ::testing::EndsWith("line 999\n"));
}

TEST(LogWindow, WhatFitsIsWhole) {
  LogWindow window(100);
  window.add("a\n");
  window.add("b\n");
  EXPECT_EQ(window.text(), "a\nb\n");
}

TEST(LogThrottle, AFloodIsCutAndTheGapIsNamedWhenItIsOver) {
  LogThrottle throttle(100, 100);
  EXPECT_EQ(throttle.pass("short\n", milliseconds(0)), "short\n");
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "0123456789\n";
  EXPECT_LE(throttle.pass(flood, milliseconds(0)).size(), 100U);
  EXPECT_EQ(throttle.pass("more than there is left\n", milliseconds(1)), "");
  EXPECT_THAT(throttle.pass("later\n", milliseconds(2000)),
              ::testing::AllOf(HasSubstr("skipped ...\n"), HasSubstr("later\n")));
  EXPECT_EQ(throttle.flush(), "");
}

}  // namespace
}  // namespace assay::eval
