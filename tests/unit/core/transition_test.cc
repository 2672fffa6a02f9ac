#include "broker/core/transition.h"

#include <array>

#include <gtest/gtest.h>

namespace assay::core {
namespace {

constexpr std::array kEveryChange{Change::kLeased,  Change::kReturned,  Change::kDelayed,
                                  Change::kReady,   Change::kEndedWell, Change::kEndedBadly,
                                  Change::kGivenUp, Change::kCalledOff, Change::kHeld};

// But for one: an operator gives a dead task another life.
TEST(Transition, HasNoWayOutOfAnEnd) {
  EXPECT_EQ(next_state(TaskState::kDead, Change::kRevived), TaskState::kQueued);
  EXPECT_EQ(next_state(TaskState::kFailed, Change::kRevived), std::nullopt);
  for (TaskState end :
       {TaskState::kSucceeded, TaskState::kFailed, TaskState::kDead, TaskState::kCancelled}) {
    for (Change change : kEveryChange) {
      EXPECT_EQ(next_state(end, change), std::nullopt)
          << to_string(end) << " " << to_string(change);
    }
  }
}

// A waiting task may share the run of another, and ends as that one does.
TEST(Transition, EndsFromRunningOrWithTheRunItWaitsFor) {
  EXPECT_EQ(next_state(TaskState::kQueued, Change::kEndedWell), std::nullopt);
  EXPECT_EQ(next_state(TaskState::kQueued, Change::kEndedBadly), std::nullopt);
  for (TaskState from : {TaskState::kWaiting, TaskState::kRunning}) {
    EXPECT_EQ(next_state(from, Change::kEndedWell), TaskState::kSucceeded);
    EXPECT_EQ(next_state(from, Change::kEndedBadly), TaskState::kFailed);
  }
}

TEST(Transition, LetsEveryStateThatIsNoEndBeCalledOff) {
  for (TaskState from : {TaskState::kWaiting, TaskState::kQueued, TaskState::kRunning}) {
    EXPECT_EQ(next_state(from, Change::kCalledOff), TaskState::kCancelled);
  }
}

TEST(Transition, NamesEveryChange) {
  for (Change change : kEveryChange) EXPECT_NE(to_string(change), "unknown");
}

}  // namespace
}  // namespace assay::core
