// Whole builds, with an engine and a registry of the imagination.
#include "workers/build/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "assay/build.h"
#include "tests/support/process.h"
#include "tests/unit/build/fake_engine.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using Json = nlohmann::json;

class BuilderTest : public testing::Test {
 protected:
  BuilderTest() {
    request_.dockerfile_text = "FROM a\nRUN make\n";
    request_.tags = {"r.example/a:v1"};
    settings_.folder = temporary_.path() / "work";
    settings_.instance = "me";
    settings_.patience = Duration(60'000);
    fs::create_directories(settings_.folder);
  }

  TaskOutcome run() {
    TaskAssignment task;
    task.id = TaskId::make(Time(Duration(1'700'000'000'000)));
    task.attempt = Attempt{1};
    task.body = encode_build(request_);
    last_task_ = task.id;
    Builder builder({engine_, registry_, probe_, {}, {}}, settings_);
    TaskOutcome outcome = builder.run(task, context_);
    EXPECT_TRUE(world_.containers.empty());
    EXPECT_TRUE(world_.networks.empty());
    EXPECT_TRUE(fs::is_empty(settings_.folder));
    document_ = outcome.result.empty() ? Json() : Json::parse(outcome.result);
    return outcome;
  }
  // Fails the first `times` calls that begin so.
  void fail(std::string front, Status status, int times = 1'000'000) {
    world_.before = [front = std::move(front), status = std::move(status),
                     times](const std::string& call) mutable {
      return call.starts_with(front) && times-- > 0 ? status : Status::ok();
    };
  }

  support::TemporaryFolder temporary_;
  FakeWorld world_;
  FakeEngine engine_{world_};
  FakeRegistry registry_{world_};
  FakeContext context_;
  ProbeAnswer answer_{200, R"({"text": "hi"})"};
  Probe probe_ = [this](const std::string&, const std::string&, const std::string&,
                        const std::string&, Duration) -> Result<ProbeAnswer> { return answer_; };
  BuildSettings settings_;
  BuildRequest request_;
  TaskId last_task_;
  Json document_;
};

TEST_F(BuilderTest, AGoodBuildIsPushedConfirmedAndTested) {
  request_.validation.emplace().health_path = "/health";
  request_.validation->inference_path = "/ask";
  request_.validation->inference_fields = {{"/text", "hi"}};
  const TaskOutcome outcome = run();
  ASSERT_EQ(outcome.outcome, Outcome::kSucceeded) << outcome.reason;
  EXPECT_EQ(document_["status"], "completed");
  EXPECT_EQ(document_["digest"], world_.registry.at("r.example/a:v1"));
  EXPECT_EQ(document_["size_bytes"], 1000);
  EXPECT_EQ(document_["health_check_passed"], true);
  EXPECT_EQ(document_["inference_test_passed"], true);
  EXPECT_EQ(document_["steps"], 2);
  EXPECT_EQ(document_["steps_cached"], 1);
  EXPECT_THAT(document_["log"], HasSubstr("compiling"));
  EXPECT_THAT(context_.told, Contains("building: Step 2/2 : RUN make"));
  std::vector<std::string> stages;
  for (const std::string& text : context_.told) {
    if (text.find(':') == std::string::npos) stages.push_back(text);
  }
  EXPECT_EQ(stages, (std::vector<std::string>{"building", "pushing", "testing", "completed"}));
  EXPECT_THAT(world_.context, HasSubstr("FROM a\nRUN make\n"));
}

TEST_F(BuilderTest, AFailingStepIsToldWithItsCommandAndItsLastLines) {
  fail("build", fix_input("build_failed", "The command 'make' returned a non-zero code: 2"));
  const TaskOutcome outcome = run();
  EXPECT_EQ(outcome.outcome, Outcome::kFailed);
  EXPECT_EQ(outcome.cause, Cause::kTask);
  EXPECT_THAT(outcome.reason, HasSubstr("step 2/2 (RUN make)"));
  EXPECT_THAT(outcome.reason, HasSubstr("compiling"));
  EXPECT_EQ(document_["stage"], "building");
  EXPECT_EQ(world_.count("push"), 0U);
}

TEST_F(BuilderTest, AStepThatWasKilledForItsMemoryHasMetALimit) {
  fail("build", fix_input("build_failed", "The command 'make' returned a non-zero code: 137"));
  EXPECT_EQ(run().cause, Cause::kLimit);
}

TEST_F(BuilderTest, ARegistryThatComesBackIsWaitedFor) {
  fail("push", retry_later("push_failed", "connection refused"), 3);
  EXPECT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_EQ(world_.count("push"), 4U);
  EXPECT_EQ(world_.count("build"), 1U);
  EXPECT_THAT(context_.logged, HasSubstr("connection refused; trying again in 500 ms"));
}

TEST_F(BuilderTest, ARegistryThatStaysAwayIsNoFaultOfTheTask) {
  settings_.patience = Duration(0);
  fail("push", retry_later("push_failed", "connection refused"));
  const TaskOutcome outcome = run();
  EXPECT_EQ(outcome.outcome, Outcome::kRetry);
  EXPECT_EQ(outcome.cause, Cause::kInfrastructure);
}

TEST_F(BuilderTest, ARegistryThatRefusesIsFinal) {
  fail("push", fix_input("push_failed", "denied"));
  const TaskOutcome outcome = run();
  EXPECT_EQ(outcome.outcome, Outcome::kFailed);
  EXPECT_EQ(outcome.cause, Cause::kTask);
  EXPECT_EQ(world_.count("push"), 1U);
}

TEST_F(BuilderTest, AnEngineThatGoesIsNoFaultOfTheTask) {
  for (const char* call : {"containers", "images", "build", "tag"}) {
    fail(call, retry_later("engine_unreachable", "gone"));
    settings_.patience = Duration(0);
    const TaskOutcome outcome = run();
    EXPECT_EQ(outcome.outcome, Outcome::kRetry) << call;
    EXPECT_EQ(outcome.cause, Cause::kInfrastructure) << call;
  }
}

TEST_F(BuilderTest, TheSameIsNotBuiltTwiceWhileTheRegistryHasIt) {
  run();
  EXPECT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_EQ(world_.count("build"), 1U);
  EXPECT_EQ(document_["reused"], true);
  request_.tags = {"r.example/a:v2"};  // another tag of the same
  run();
  EXPECT_EQ(world_.count("build"), 1U);
  EXPECT_EQ(world_.registry.at("r.example/a:v2"), world_.registry.at("r.example/a:v1"));
  world_.registry.clear();
  EXPECT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_EQ(world_.count("build"), 2U);
  EXPECT_EQ(document_["reused"], false);
}

TEST_F(BuilderTest, WithoutTheCacheEverythingIsBuiltAgain) {
  run();
  request_.cache = false;
  run();
  EXPECT_EQ(world_.count("build"), 2U);
}

TEST_F(BuilderTest, AnImageThatDoesNotPassItsTestFailsTheBuildWithItsLog) {
  request_.validation.emplace().health_path = "/health";
  request_.validation->health_timeout = Duration(1'000);
  answer_.status = 503;
  const TaskOutcome outcome = run();
  EXPECT_EQ(outcome.outcome, Outcome::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("the health check never passed"));
  EXPECT_THAT(outcome.reason, HasSubstr("503"));
  EXPECT_EQ(document_["health_check_passed"], false);
  EXPECT_EQ(document_["inference_test_passed"], Json());
  EXPECT_EQ(document_["container_log"], "what the container said");
  EXPECT_EQ(document_["stage"], "testing");
}

TEST_F(BuilderTest, AContainerThatEndsIsNotWaitedFor) {
  request_.validation.emplace().health_path = "/health";
  world_.state = {false, 3, false, "", ""};
  EXPECT_THAT(run().reason, HasSubstr("it exited with 3"));
  world_.state = {false, 137, true, "", ""};
  EXPECT_THAT(run().reason, HasSubstr("more memory than its limit"));
}

// A build without a health path has no network at all.
TEST_F(BuilderTest, AnImageThatOnlyRunsHasNoNetworkAndMustExitWithZero) {
  request_.validation.emplace();
  world_.state = {false, 0, false, "", ""};
  EXPECT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_EQ(world_.count("container on none"), 1U);
  EXPECT_EQ(world_.count("network"), 0U);
}

TEST_F(BuilderTest, WhatAKilledAttemptLeftIsRemovedFirst) {
  world_.before = [this](const std::string& call) {
    // By then what bears the task's label is gone, and nothing else.
    if (call == "info") {
      EXPECT_EQ(world_.containers, (std::set<std::string>{"of-another"}));
    }
    return Status::ok();
  };
  TaskAssignment task;
  task.id = TaskId::make(Time(Duration(1)));
  task.body = encode_build(request_);
  world_.containers = {"left", "of-another"};
  world_.networks = {"left-net"};
  world_.labels["left"] = world_.labels["left-net"] = {{kTaskLabel, task.id.text()}};
  world_.labels["of-another"] = {{kTaskLabel, "another"}};
  Builder builder({engine_, registry_, probe_, {}, {}}, settings_);
  EXPECT_EQ(builder.run(task, context_).outcome, Outcome::kSucceeded);
  EXPECT_EQ(world_.containers, (std::set<std::string>{"of-another"}));
  EXPECT_TRUE(world_.networks.empty());
}

TEST_F(BuilderTest, ACancelEndsItInEachStage) {
  request_.validation.emplace().health_path = "/health";
  for (const char* stage : {"containers", "images", "build", "push", "manifest", "state"}) {
    world_.before = [this, stage](const std::string& call) {
      if (!call.starts_with(stage)) return Status::ok();
      context_.cancel = true;
      // As a call that was stopped answers; the stop itself comes from another thread.
      return Status(Code::kRetryCall, "stopped", "stopped");
    };
    context_.cancel = false;
    EXPECT_EQ(run().outcome, Outcome::kCancelled) << stage;
    EXPECT_EQ(document_["status"], "cancelled");
    world_.images.clear();
  }
}

TEST_F(BuilderTest, SeveralPlatformsBecomeOneIndex) {
  request_.platforms = {"linux/amd64", "linux/arm64"};
  ASSERT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_THAT(world_.calls, Contains("push r.example/a:v1-amd64"));
  EXPECT_THAT(world_.calls, Contains("index r.example/a:v1 linux/amd64 linux/arm64"));
  EXPECT_EQ(document_["digest"], "sha256:" + std::string(64, 'f'));
  EXPECT_EQ(document_["platforms"].size(), 2U);
}

TEST_F(BuilderTest, AnEngineThatMakesAnotherPlatformIsToldSo) {
  request_.platforms = {"linux/amd64"};
  world_.made_for = "linux/riscv64";
  EXPECT_THAT(run().reason, HasSubstr("cannot build for linux/amd64"));
}

TEST_F(BuilderTest, ARegistryThatIsNotAllowedIsRefusedBeforeAnythingIsBuilt) {
  settings_.registries.push_to = {"r.example/other"};
  EXPECT_THAT(run().reason, HasSubstr("may not push to r.example/a"));
  EXPECT_EQ(world_.count("build"), 0U);
}

TEST_F(BuilderTest, AFindingOverTheThresholdFailsTheBuild) {
  settings_.scan_command = {"/bin/sh", "-c",
                            "echo '{\"findings\": [{\"id\": \"X\", \"severity\": \"high\"}]}'"};
  request_.scan_fail_at = "critical";
  EXPECT_EQ(run().outcome, Outcome::kSucceeded);
  EXPECT_EQ(document_["scan"]["counts"]["high"], 1);
  request_.scan_fail_at = "medium";
  EXPECT_EQ(run().outcome, Outcome::kFailed);
}

TEST_F(BuilderTest, ABodyThatIsNoRequestIsRefusedAndNothingIsDone) {
  TaskAssignment task;
  task.body = "version: 1\ntags: ['-x']\n";
  Builder builder({engine_, registry_, probe_, {}, {}}, settings_);
  EXPECT_EQ(builder.run(task, context_).outcome, Outcome::kFailed);
  EXPECT_TRUE(world_.calls.empty());
}

}  // namespace
}  // namespace assay::image_build
