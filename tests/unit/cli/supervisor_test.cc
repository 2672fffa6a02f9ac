// Programs that are started again, given up, drained and killed.
#include "cli/up/supervisor.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace assay::cli {
namespace {

class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_supervisor_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ChildOptions shell(const std::string& name, const std::string& script) const {
    return {"/bin/sh", {"-c", script}, folder_ / (name + ".log"), -1};
  }

  // Looks after the programs until `done` or a deadline that only a broken supervisor meets.
  template <typename Done>
  void look_until(Supervisor& supervisor, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      supervisor.look_after(Duration(20));
    }
    ASSERT_TRUE(done());
  }

  std::string content(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
  std::ostringstream out_;
  std::ostringstream err_;
  Console console_{out_, err_, Look{}, false};
  Interrupts interrupts_{SIGCHLD};
};

TEST_F(SupervisorTest, AProgramThatDiesIsStartedAgainAndSaidSoInOneLine) {
  Supervisor supervisor(interrupts_, console_);
  ASSERT_TRUE(supervisor.start("flaky", shell("flaky", "echo no luck; exit 1")).is_ok());
  const auto runs = [&] {
    const std::string log = content("flaky.log");
    return std::count(log.begin(), log.end(), '\n');
  };
  look_until(supervisor, [&] { return runs() >= 2; });
  EXPECT_EQ(err_.str().substr(0, err_.str().find('\n')),
            "assay: flaky ended with exit status 1: no luck; started again in 0.5s");
}

TEST_F(SupervisorTest, AWrongConfigurationIsNotTriedAgain) {
  Supervisor supervisor(interrupts_, console_);
  ASSERT_TRUE(supervisor.start("wrong", shell("wrong", "echo line 3: what; exit 2")).is_ok());
  look_until(supervisor, [&] { return !err_.str().empty(); });
  EXPECT_NE(err_.str().find("it is not started again"), std::string::npos);
  EXPECT_EQ(supervisor.ended("wrong")->number, 2);
}

TEST_F(SupervisorTest, TheFirstProgramIsStoppedLast) {
  Supervisor supervisor(interrupts_, console_);
  const auto until_term = [&](const std::string& name) {
    return shell(name, "trap 'echo " + name + " >>" + (folder_ / "order").string() +
                           "; exit 0' TERM; echo up; while :; do sleep 0.01; done");
  };
  ASSERT_TRUE(supervisor.start("broker", until_term("broker")).is_ok());
  ASSERT_TRUE(supervisor.start("worker", until_term("worker")).is_ok());
  look_until(supervisor,
             [&] { return !content("broker.log").empty() && !content("worker.log").empty(); });
  EXPECT_TRUE(supervisor.stop(Duration(10'000)));
  EXPECT_EQ(content("order"), "worker\nbroker\n");
}

TEST_F(SupervisorTest, WhatDoesNotStopIsKilled) {
  Supervisor supervisor(interrupts_, console_);
  ASSERT_TRUE(
      supervisor.start("deaf", shell("deaf", "trap '' TERM; echo up; while :; do sleep 1; done"))
          .is_ok());
  look_until(supervisor, [&] { return !content("deaf.log").empty(); });
  EXPECT_FALSE(supervisor.stop(Duration(100)));
  const auto end = supervisor.ended("deaf");
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->number, SIGKILL);
}

TEST_F(SupervisorTest, APersonsSignalEndsTheLooking) {
  Supervisor supervisor(interrupts_, console_);
  raise(SIGINT);
  EXPECT_EQ(supervisor.look_after(Duration(5000)), SIGINT);
}

TEST(BackoffTest, DoublesUpToItsEndAndStartsAgainAfterAGoodRun) {
  Backoff backoff;
  EXPECT_EQ(backoff.after_run(Duration(0)), Duration(500));
  EXPECT_EQ(backoff.after_run(Duration(0)), Duration(1000));
  for (int i = 0; i < 10; ++i) backoff.after_run(Duration(0));
  EXPECT_EQ(backoff.after_run(Duration(0)), Backoff::kLast);
  EXPECT_EQ(backoff.after_run(Backoff::kHealthyAfter), Duration(500));
}

}  // namespace
}  // namespace assay::cli
