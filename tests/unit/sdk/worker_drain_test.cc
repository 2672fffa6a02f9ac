// What a worker does that an operator drains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sdk/worker_session_fixture.h"

namespace assay::worker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class HandingOverSession : public WorkerSession {
 protected:
  HandingOverSession() : WorkerSession(true) {}
};

TEST_F(WorkerSession, ADrainLeavesAHandlerAloneThatCannotHandOver) {
  be_greeted();
  const HeldAttempt held = start_task();
  Stop stop;
  stop.hand_over = {held};
  hear(stop);
  EXPECT_THAT(effects().stop, IsEmpty());
  finish(held, Outcome::kSucceeded);
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kSucceeded);
}

TEST_F(HandingOverSession, AWorkerThatHandsOverIsStoppedWhenItIsDrained) {
  be_greeted();
  const HeldAttempt held = start_task();
  Stop stop;
  stop.hand_over = {held};
  hear(stop);
  hear(stop);  // the broker repeats it
  EXPECT_THAT(effects().stop, ElementsAre(StopOrder{held, StopReason::kWorkerStops}));
  finish(held, Outcome::kHandOver);
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kHandOver);
}

TEST_F(HandingOverSession, AHandlerThatGivesUpWhenItIsDrainedBeginsAnewElsewhere) {
  be_greeted();
  const HeldAttempt held = start_task();
  Stop stop;
  stop.hand_over = {held};
  hear(stop);
  effects();
  finish(held, Outcome::kCancelled);
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kRetry);
  EXPECT_EQ(reports[0].cause, Cause::kInfrastructure);
}

}  // namespace
}  // namespace assay::worker
