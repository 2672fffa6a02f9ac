// What the harness answers to everything that can happen, and that it answers nothing else.
#include "workers/eval/harness/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::eval {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A session with a clock in the test's hand; it keeps all that the executor and the runner were
// told.
class SessionTest : public ::testing::Test {
 protected:
  void begin(PodPlan plan) {
    plan.test_timeout = Milliseconds(1000);
    session_ = std::make_unique<Session>(std::move(plan), now_);
    take(session_->on_listening(now_));
  }
  void connect() { take(session_->on_connected(now_)); }
  void say(const json& line) { take(session_->on_line(line.dump(), now_)); }
  void say_text(const std::string& line) { take(session_->on_line(line, now_)); }
  void lose() { take(session_->on_disconnected("", now_)); }
  void advance(int milliseconds) {
    now_ += Milliseconds(milliseconds);
    take(session_->on_time(now_));
  }
  void load(const std::vector<std::string>& names, bool streams = false) {
    json tests = json::array();
    for (const auto& name : names) tests.push_back({{"name", name}, {"streams", streams}});
    say({{"type", "loaded"}, {"tests", tests}});
  }
  void loaded(PodPlan plan, const std::vector<std::string>& names, bool streams = false) {
    begin(std::move(plan));
    connect();
    load(names, streams);
    executor_.clear();
    runner_.clear();
  }
  void pass(const std::string& test) {
    say({{"type", "result"}, {"test", test}, {"passed", true}});
  }
  void take(const SessionEffects& effects) {
    for (const auto& line : effects.to_executor) executor_.push_back(json::parse(line));
    for (const auto& line : effects.to_runner) runner_.push_back(json::parse(line));
    disconnected_ = disconnected_ || effects.disconnect;
  }
  // "started test_a", "result test_a passed", "finished done", "run test_a", "finish", ...
  static std::vector<std::string> words(const std::vector<json>& lines) {
    std::vector<std::string> out;
    for (const json& line : lines) {
      std::string text = line.value("event", line.value("type", ""));
      for (const char* key : {"test", "name", "outcome"}) {
        if (line.contains(key)) text += " " + line[key].get<std::string>();
      }
      if (text == "finished") text += " " + line["reason"].get<std::string>();
      out.push_back(text);
    }
    return out;
  }
  std::vector<std::string> said() { return words(std::exchange(executor_, {})); }
  std::vector<std::string> ordered() { return words(std::exchange(runner_, {})); }

  Milliseconds now_{5'000};
  std::unique_ptr<Session> session_;
  std::vector<json> executor_;
  std::vector<json> runner_;
  bool disconnected_ = false;
};

TEST_F(SessionTest, TestsRunOneAfterTheOtherAndTheEndIsSaid) {
  begin({.job = R"({"mode":"script"})"});
  EXPECT_THAT(said(), ElementsAre("listening"));
  connect();
  ASSERT_EQ(runner_.size(), 1U);
  EXPECT_EQ(runner_[0]["job"]["mode"], "script");
  EXPECT_THAT(ordered(), ElementsAre("job"));
  load({"a", "b"});
  EXPECT_EQ(executor_[1]["tests"], json({"a", "b"}));
  EXPECT_EQ(executor_[2]["index"], 1);
  EXPECT_EQ(executor_[2]["total"], 2);
  EXPECT_THAT(said(), ElementsAre("connected", "discovered", "started a"));
  EXPECT_THAT(ordered(), ElementsAre("run a"));
  now_ += Milliseconds(250);
  pass("a");
  EXPECT_EQ(executor_[0]["seconds"], 0.25);
  EXPECT_THAT(said(), ElementsAre("result a passed", "started b"));
  say({{"type", "result"}, {"test", "b"}, {"passed", false}, {"reason", "2 != 3"}});
  EXPECT_THAT(said(), ElementsAre("result b failed"));
  EXPECT_THAT(ordered(), ElementsAre("run b", "finish"));
  lose();
  EXPECT_THAT(said(), ElementsAre("finished done"));
  EXPECT_TRUE(session_->finished());
}

TEST_F(SessionTest, AResultWithoutAVerdictIsAScoreAndWithoutBothAnError) {
  loaded({}, {"a", "b"});
  say({{"type", "result"}, {"test", "a"}, {"passed", nullptr}, {"score", 0.7}});
  say({{"type", "result"}, {"test", "b"}, {"reason", "ValueError"}});
  EXPECT_THAT(said(), ElementsAre("result a scored", "started b", "result b error"));
}

TEST_F(SessionTest, NoMoreTestsThanAllowedAreInFlight) {
  loaded({.concurrency = 2}, {"a", "b", "c"});
  pass("b");
  EXPECT_THAT(ordered(), ElementsAre("run c"));
  pass("a");
  EXPECT_THAT(ordered(), IsEmpty());
  pass("c");
  EXPECT_THAT(ordered(), ElementsAre("finish"));
}

TEST_F(SessionTest, ATestThatIsNotInFlightCannotGetAResult) {
  loaded({}, {"a", "b"});
  pass("b");
  pass("unheard of");
  say({{"type", "partial"}, {"test", "a"}, {"name", "not a streaming test"}});
  say({{"type", "ended"}, {"test", "b"}, {"exit_code", 0}});
  EXPECT_THAT(said(), IsEmpty());
  pass("a");
  pass("a");
  EXPECT_THAT(said(), ElementsAre("result a passed", "started b"));
}

TEST_F(SessionTest, ATestPastItsTimeIsKilledAndCountsAsTimeout) {
  loaded({}, {"a", "b"});
  EXPECT_EQ(session_->wake_at(), now_ + Milliseconds(1000));
  advance(999);
  EXPECT_THAT(ordered(), IsEmpty());
  advance(1);
  EXPECT_THAT(ordered(), ElementsAre("kill a"));
  pass("a");  // too late to say so
  EXPECT_THAT(said(), IsEmpty());
  say({{"type", "ended"}, {"test", "a"}, {"signal", 9}});
  EXPECT_EQ(executor_[0]["reason"], "it was still running after its 1 s");
  EXPECT_THAT(said(), ElementsAre("result a timeout", "started b"));
}

TEST_F(SessionTest, AResultThatComesAfterItsTimeDoesNotCountThoughNobodyHadLooked) {
  loaded({}, {"a"});
  now_ += Milliseconds(1001);
  pass("a");
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_THAT(ordered(), ElementsAre("kill a"));
}

TEST_F(SessionTest, ARunnerThatDoesNotObeyAKillIsReplaced) {
  loaded({}, {"a", "b"});
  advance(1000);
  advance(1999);
  EXPECT_FALSE(disconnected_);
  advance(1);
  EXPECT_TRUE(disconnected_);
  EXPECT_THAT(said(), ElementsAre("result a timeout", "respawn"));
  connect();
  load({"a", "b"});
  EXPECT_THAT(said(), ElementsAre("connected", "started b"));
}

TEST_F(SessionTest, ASubjectLostWithOneTestTookThatTestWithIt) {
  loaded({}, {"a", "b"});
  lose();
  EXPECT_EQ(executor_[0]["lost"], true);
  EXPECT_THAT(said(), ElementsAre("result a crashed", "respawn"));
}

TEST_F(SessionTest, ASubjectLostWithManyTestsRunsThemAgainOneByOneToFindTheGuilty) {
  loaded({.concurrency = 3}, {"a", "b", "c", "d"});
  lose();
  EXPECT_THAT(said(), ElementsAre("respawn"));
  connect();
  load({"a", "b", "c", "d"});
  EXPECT_THAT(said(), ElementsAre("connected", "started a"));
  pass("a");
  EXPECT_THAT(said(), ElementsAre("result a passed", "started b"));
  lose();
  EXPECT_THAT(said(), ElementsAre("result b crashed", "respawn"));
  connect();
  load({"a", "b", "c", "d"});
  pass("c");
  EXPECT_THAT(said(), ElementsAre("connected", "started c", "result c passed", "started d"));
}

TEST_F(SessionTest, ASubjectThatIsLostTooOftenIsGivenUp) {
  loaded({.restarts_max = 1}, {"a", "b", "c"});
  lose();
  connect();
  load({"a", "b", "c"});
  executor_.clear();
  lose();
  EXPECT_EQ(executor_.back()["not_run"], json({"c"}));
  EXPECT_THAT(said(), ElementsAre("result b crashed", "finished gave_up"));
}

TEST_F(SessionTest, ALineThatBreaksTheProtocolEndsTheConnectionAndTheTestsInFlight) {
  loaded({}, {"a", "b"});
  say_text("{\"type\":\"result\",");
  EXPECT_TRUE(disconnected_);
  EXPECT_THAT(said(), ElementsAre("result a crashed", "respawn"));
  pass("a");  // still in the pipe
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SessionTest, ASecondLoadedIsABreachOfTheProtocol) {
  loaded({}, {"a"});
  load({"x", "y"});
  EXPECT_THAT(said(), ElementsAre("result a crashed", "finished done"));
}

TEST_F(SessionTest, AScriptThatCannotBeLoadedEndsThePodWithItsReason) {
  begin({.tests = std::vector<std::string>{"a"}});
  connect();
  executor_.clear();
  say({{"type", "load_failed"}, {"reason", "line 3: NameError"}, {"detail", "trace"}});
  EXPECT_EQ(executor_[0]["text"], "line 3: NameError");
  EXPECT_EQ(executor_[0]["detail"], "trace");
  EXPECT_EQ(executor_[0]["not_run"], json({"a"}));
  EXPECT_THAT(said(), ElementsAre("finished load_failed"));
}

TEST_F(SessionTest, ASubjectThatDiesWhileItIsLoadedIsNotTriedAgain) {
  begin({});
  connect();
  lose();
  EXPECT_THAT(said(), ElementsAre("listening", "connected", "finished load_failed"));
}

TEST_F(SessionTest, LoadingHasATimeLimit) {
  begin({.load_timeout = Milliseconds(500)});
  connect();
  advance(500);
  EXPECT_THAT(said(), ElementsAre("listening", "connected", "finished load_failed"));
}

TEST_F(SessionTest, NobodyConnectingIsGivenUp) {
  begin({.connect_timeout = Milliseconds(500)});
  EXPECT_EQ(session_->wake_at(), now_ + Milliseconds(500));
  advance(500);
  EXPECT_THAT(said(), ElementsAre("listening", "finished gave_up"));
}

TEST_F(SessionTest, DiscoveryNamesTheTestsAndRunsNone) {
  begin({.discover_only = true});
  connect();
  runner_.clear();
  load({"a", "b"});
  EXPECT_THAT(said(), ElementsAre("listening", "connected", "discovered", "finished done"));
  EXPECT_THAT(ordered(), ElementsAre("finish"));
}

TEST_F(SessionTest, OnlyTheTestsOfThePlanRunAndOneThatIsNotThereIsAnError) {
  loaded({.tests = std::vector<std::string>{"b", "nowhere"}}, {"a", "b"});
  pass("b");
  EXPECT_THAT(said(), ElementsAre("result b passed", "started nowhere", "result nowhere error"));
  EXPECT_THAT(ordered(), ElementsAre("finish"));
}

TEST_F(SessionTest, TheDeadlineEndsWhatRunsAndNamesWhatDidNot) {
  loaded({.deadline = Milliseconds(700)}, {"a", "b", "c"});
  advance(700);
  EXPECT_EQ(executor_.back()["not_run"], json({"b", "c"}));
  EXPECT_THAT(said(), ElementsAre("result a timeout", "finished deadline"));
}

TEST_F(SessionTest, PartialsOfAStreamingTestAreResultsOfTheirOwn) {
  loaded({}, {"evaluate_model"}, true);
  now_ += Milliseconds(300);
  say({{"type", "partial"}, {"test", "evaluate_model"}, {"name", "case 1"}, {"passed", true}});
  EXPECT_EQ(executor_[0]["seconds"], 0.3);
  say({{"type", "partial"}, {"test", "evaluate_model"}, {"name", "case 2"}, {"seconds", 999}});
  EXPECT_EQ(executor_[1]["seconds"], 0.3) << "a claim longer than the test has run";
  EXPECT_THAT(said(),
              ElementsAre("partial evaluate_model case 1", "partial evaluate_model case 2"));
}

TEST_F(SessionTest, TooManyPartialsEndTheTestThatSendsThem) {
  loaded({.results_max = 2}, {"s"}, true);
  for (int i = 0; i < 5; ++i) say({{"type", "partial"}, {"test", "s"}, {"name", "x"}});
  EXPECT_THAT(ordered(), ElementsAre("kill s"));
  say({{"type", "ended"}, {"test", "s"}, {"signal", 9}});
  EXPECT_THAT(said(), ElementsAre("partial s x", "partial s x", "result s limit"));
}

TEST_F(SessionTest, ProgressIsPassedOnButNotAFloodOfIt) {
  loaded({}, {"a"});
  for (int i = 0; i < 1000; ++i) say({{"type", "progress"}, {"test", "a"}, {"done", i}});
  EXPECT_THAT(said(), ElementsAre("progress a"));
}

TEST_F(SessionTest, OnlyDeclaredOutputsAreTakenOnceAndAfterTheTests) {
  const json output = {{"type", "output"}, {"path", "r.json"}, {"content_base64", "e30="}};
  loaded({.outputs = {"r.json"}}, {"a"});
  say(output);
  EXPECT_THAT(said(), IsEmpty());
  pass("a");
  said();
  say({{"type", "output"}, {"path", "/etc/passwd"}, {"content_base64", "e30="}});
  say({{"type", "output"}, {"path", "r.json"}, {"content_base64", "not base64!"}});
  EXPECT_THAT(said(), IsEmpty());
  say(output);
  say(output);
  EXPECT_THAT(said(), ElementsAre("output"));
}

TEST_F(SessionTest, ARunnerThatDoesNotLeaveIsLeft) {
  loaded({}, {"a"});
  pass("a");
  said();
  advance(10'000);
  EXPECT_THAT(said(), ElementsAre("finished done"));
}

TEST_F(SessionTest, HowAProcessEndedIsToldWhenItGaveNoResult) {
  loaded({}, {"a", "b", "c"});
  say({{"type", "ended"}, {"test", "a"}, {"exit_code", 3}, {"signal", nullptr}});
  say({{"type", "ended"}, {"test", "b"}, {"signal", 11}, {"detail", "Segmentation fault"}});
  say({{"type", "ended"}, {"test", "c"}, {"signal", 9}, {"limit", "memory"}});
  EXPECT_EQ(executor_[0]["reason"], "its process ended with exit code 3 and without a result");
  EXPECT_EQ(executor_[2]["detail"], "Segmentation fault");
  EXPECT_THAT(said(), ElementsAre("result a crashed", "started b", "result b crashed", "started c",
                                  "result c limit"));
}

TEST(PodPlan, IsTheSameAfterItWasWrittenAndRead) {
  PodPlan plan;
  plan.job = R"({"mode":"script"})";
  plan.tests = std::vector<std::string>{"a"};
  plan.outputs = {"r.json"};
  plan.concurrency = 3;
  std::string error;
  const auto read = parse_pod_plan(encode_pod_plan(plan), error);
  ASSERT_TRUE(read) << error;
  EXPECT_EQ(read->tests, plan.tests);
  EXPECT_EQ(read->outputs, plan.outputs);
  EXPECT_EQ(read->concurrency, 3U);
  EXPECT_EQ(encode_pod_plan(*read), encode_pod_plan(plan));
}

TEST(PodPlan, AMistakeIsNamed) {
  std::string error;
  EXPECT_FALSE(parse_pod_plan("[]", error));
  EXPECT_FALSE(parse_pod_plan(R"({"protocol":2})", error));
  EXPECT_EQ(error, "the plan's protocol should be 1, found 2");
  EXPECT_FALSE(parse_pod_plan(R"({"protocol":1,"concurrency":0})", error));
  EXPECT_EQ(error, "the plan's concurrency should be a whole number of at least 1, found 0");
  EXPECT_FALSE(parse_pod_plan(R"({"protocol":1,"tests":[1]})", error));
}

}  // namespace
}  // namespace assay::eval
