// What a build does next.
#include "workers/build/plan/next_step.h"

#include <gtest/gtest.h>

#include <vector>

#include "workers/build/plan/build_key.h"

namespace assay::image_build {
namespace {

using Kind = Failure::Kind;

void take(Step step, Observed& observed) {
  switch (step) {
    case Step::kClear:
      observed.cleared = true;
      break;
    case Step::kFetch:
      observed.fetched = true;
      break;
    case Step::kLookUp:
      observed.looked_up = true;
      break;
    case Step::kBuild:
      ++observed.built;
      break;
    case Step::kPush:
      observed.pushed = true;
      break;
    case Step::kConfirm:
      observed.confirmed = true;
      break;
    case Step::kScan:
      observed.scanned = true;
      break;
    case Step::kValidate:
      observed.validated = true;
      break;
    case Step::kFinish:
      break;
  }
}

std::vector<Step> all_steps(const Wanted& wanted, Observed observed = {}) {
  std::vector<Step> steps;
  while (steps.empty() || steps.back() != Step::kFinish) {
    steps.push_back(next_step(wanted, observed));
    take(steps.back(), observed);
  }
  return steps;
}

TEST(NextStep, EverythingComesOnceInItsOrder) {
  const Wanted wanted{.platforms = 2, .look_up = true, .scan = true, .validate = true};
  EXPECT_EQ(all_steps(wanted),
            (std::vector<Step>{Step::kClear, Step::kFetch, Step::kLookUp, Step::kBuild,
                               Step::kBuild, Step::kPush, Step::kConfirm, Step::kScan,
                               Step::kValidate, Step::kFinish}));
}

TEST(NextStep, WhatIsNotWantedIsLeftOut) {
  const Wanted wanted{.platforms = 1, .look_up = false};
  EXPECT_EQ(all_steps(wanted), (std::vector<Step>{Step::kClear, Step::kFetch, Step::kBuild,
                                                  Step::kPush, Step::kConfirm, Step::kFinish}));
}

// A validation says nothing about an image that nobody can get.
TEST(NextStep, AnImageThatWasFoundIsPushedAndTestedAllTheSame) {
  Observed observed;
  observed.cleared = observed.fetched = observed.looked_up = true;
  observed.built = 1;
  EXPECT_EQ(all_steps({.validate = true}, observed),
            (std::vector<Step>{Step::kPush, Step::kConfirm, Step::kValidate, Step::kFinish}));
}

TEST(NextStep, AfterAFailureNothingElseIsDone) {
  Observed observed;
  observed.cleared = true;
  observed.failure = Failure{Kind::kTask, "no"};
  EXPECT_EQ(next_step({}, observed), Step::kFinish);
}

TEST(NextStep, OnlyServersThatAreAwayAreWaitedFor) {
  const Duration patience(60'000);
  const Failure away{Kind::kTransient, "away"};
  for (const Step step : {Step::kFetch, Step::kPush, Step::kConfirm}) {
    EXPECT_EQ(pause_before_retry(step, away, 1, Duration(0), patience), Duration(500));
    EXPECT_EQ(pause_before_retry(step, away, 3, Duration(1'500), patience), Duration(2'000));
    EXPECT_EQ(pause_before_retry(step, away, 1'000'000, Duration(0), patience), Duration(15'000));
    EXPECT_EQ(pause_before_retry(step, away, 9, Duration(59'000), patience), std::nullopt);
  }
  EXPECT_EQ(pause_before_retry(Step::kBuild, away, 1, Duration(0), patience), std::nullopt);
  for (const Kind kind : {Kind::kTask, Kind::kLimit, Kind::kStopped}) {
    EXPECT_EQ(pause_before_retry(Step::kPush, {kind, ""}, 1, Duration(0), patience), std::nullopt);
  }
}

TEST(BuildKey, EachPartMakesAnotherBuild) {
  BuildRequest request;
  request.git_url = "https://host/x";
  request.arguments = {{"A", "1"}};
  const BuildIdentity identity{"commit", "FROM a"};
  const std::string key = build_key(request, identity);
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(build_key(request, identity), key);
  EXPECT_NE(build_key(request, {"other", "FROM a"}), key);
  EXPECT_NE(build_key(request, {"commit", "FROM b"}), key);
  const auto differs = [&](auto change) {
    BuildRequest other = request;
    change(other);
    return build_key(other, identity) != key;
  };
  EXPECT_TRUE(differs([](BuildRequest& r) { r.arguments = {{"A", "2"}}; }));
  EXPECT_TRUE(differs([](BuildRequest& r) { r.arguments = {{"A1", ""}}; }));
  EXPECT_TRUE(differs([](BuildRequest& r) { r.platforms = {"linux/arm64"}; }));
  EXPECT_TRUE(differs([](BuildRequest& r) { r.target = "x"; }));
  EXPECT_TRUE(differs([](BuildRequest& r) { r.subdirectory = "x"; }));
  EXPECT_TRUE(differs([](BuildRequest& r) { r.network = false; }));
  EXPECT_FALSE(differs([](BuildRequest& r) { r.tags = {"elsewhere"}; }));
}

TEST(BuildKey, LabelsTellWhereAnImageComesFromAndAreTheSameForEveryAttempt) {
  BuildRequest request;
  request.git_url = "https://host/x";
  request.labels = {{"org.opencontainers.image.source", "mine"}};
  const auto labels = image_labels(request, "key", "c0ffee", Time(Duration(1'700'000'000'000)));
  EXPECT_EQ(labels.at("org.opencontainers.image.source"), "mine");
  EXPECT_EQ(labels.at("org.opencontainers.image.revision"), "c0ffee");
  EXPECT_EQ(labels.at("org.opencontainers.image.created"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(labels.at("io.assay.build.key"), "key");
  const Time at(Duration(1'700'000'000'123));
  EXPECT_EQ(submitted_at(TaskId::make(at)), at);
}

}  // namespace
}  // namespace assay::image_build
