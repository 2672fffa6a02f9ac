// The worker's dialogue without sockets, threads or clock.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/wire/limits.h"
#include "tests/unit/sdk/worker_session_fixture.h"

namespace assay::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(WorkerSession, TheGreetingSaysWhoItIsAndWhatItCanHold) {
  const auto hellos = all_of<WorkerHello>(effects());
  ASSERT_THAT(hellos, SizeIs(1));
  EXPECT_EQ(hellos[0].name, WorkerName("w"));
  EXPECT_THAT(hellos[0].queues, ElementsAre(QueueName("eval")));
  EXPECT_EQ(hellos[0].slots, 2U);
  EXPECT_THAT(hellos[0].holding, IsEmpty());
  EXPECT_EQ(hellos[0].labels, (std::map<std::string, std::string>{{"gpu", "a100"}}));
}

TEST_F(WorkerSession, HeartbeatsNameAllThatIsHeld) {
  be_greeted();
  const HeldAttempt running = start_task();
  const HeldAttempt finished = start_task();
  finish(finished);
  EXPECT_THAT(held_by_heartbeat(), testing::UnorderedElementsAre(running, finished));
  record(finished);
  EXPECT_THAT(held_by_heartbeat(), ElementsAre(running));
}

TEST_F(WorkerSession, ATaskThatIsHeldIsNotStartedAgain) {
  be_greeted();
  const HeldAttempt held = start_task();
  Tasks again;
  again.tasks.emplace_back();
  again.tasks[0].id = held.id;
  again.tasks[0].attempt = held.attempt;
  hear(again);
  EXPECT_THAT(effects().start, IsEmpty());
  finish(held);
  hear(again);  // not recorded yet
  EXPECT_THAT(effects().start, IsEmpty());
  again.tasks[0].attempt.number = 2;
  hear(again);
  EXPECT_THAT(effects().start, SizeIs(1));
}

TEST_F(WorkerSession, ReportsFinishedCloseTogetherShareAMessage) {
  be_greeted();
  const HeldAttempt first = start_task();
  const HeldAttempt second = start_task();
  finish(first);
  finish(second);
  const auto reports = all_of<Report>(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].reports, SizeIs(2));
  EXPECT_THAT(effects().send, IsEmpty());
}

TEST_F(WorkerSession, LargeReportsDoNotShareAMessage) {
  be_greeted();
  const HeldAttempt first = start_task();
  const HeldAttempt second = start_task();
  finish(first, Outcome::kSucceeded, std::string(wire::kBodyBytesMax, 'x'));
  finish(second, Outcome::kSucceeded, std::string(wire::kBodyBytesMax, 'x'));
  EXPECT_THAT(all_of<Report>(effects()), SizeIs(2));
}

TEST_F(WorkerSession, AResultOverTheLimitFailsWithTheLimitAsItsCause) {
  be_greeted();
  finish(start_task(), Outcome::kSucceeded, std::string(wire::kBodyBytesMax + 1, 'x'));
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kFailed);
  EXPECT_EQ(reports[0].cause, Cause::kLimit);
  EXPECT_THAT(reports[0].reason, HasSubstr("16777216"));
  EXPECT_THAT(reports[0].result, IsEmpty());
}

TEST_F(WorkerSession, AReportIsRepeatedEverMoreRarelyUntilItIsRecorded) {
  be_greeted();
  const HeldAttempt held = start_task();
  finish(held);
  EXPECT_THAT(reports_in(effects()), SizeIs(1));
  EXPECT_THAT(reports_in(live(1001)), SizeIs(1));
  EXPECT_THAT(reports_in(live(1999)), SizeIs(1));
  EXPECT_THAT(reports_in(live(60000)), SizeIs(testing::AllOf(testing::Ge(6U), testing::Le(8U))));
  record(held);
  EXPECT_THAT(reports_in(live(60000)), IsEmpty());
}

TEST_F(WorkerSession, AReconnectNamesWhatIsHeldAndReportsAgain) {
  be_greeted();
  const HeldAttempt running = start_task();
  const HeldAttempt finished = start_task();
  finish(finished);
  effects();
  hear_error(Code::kRetryCall, "hello_first");
  const auto hellos = all_of<WorkerHello>(effects());
  ASSERT_THAT(hellos, SizeIs(1));
  EXPECT_THAT(hellos[0].holding, testing::UnorderedElementsAre(running, finished));
  hear(Welcome{});
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].id, finished.id);
}

TEST_F(WorkerSession, WhatTheWelcomeDropsIsStoppedAndNeverReported) {
  be_greeted();
  const HeldAttempt running = start_task();
  const HeldAttempt finished = start_task();
  finish(finished);
  effects();
  hear_error(Code::kRetryCall, "hello_first");
  effects();
  Welcome welcome;
  welcome.drop = {running, finished};
  hear(welcome);
  const Effects after = effects();
  EXPECT_THAT(after.stop, ElementsAre(StopOrder{running, StopReason::kLost}));
  EXPECT_THAT(reports_in(after), IsEmpty());
  finish(running, Outcome::kSucceeded, "late");
  EXPECT_THAT(reports_in(live(60000)), IsEmpty());
}

TEST_F(WorkerSession, ADroppedTaskOccupiesItsSlotUntilItsHandlerReturns) {
  be_greeted();
  const HeldAttempt held = start_task();
  Stop stop;
  stop.drop = {held};
  hear(stop);
  auto beats = all_of<Heartbeat>(effects());
  ASSERT_THAT(beats, SizeIs(1));
  EXPECT_EQ(beats[0].slots, 1U);
  EXPECT_THAT(beats[0].holding, IsEmpty());
  finish(held, Outcome::kCancelled);
  beats = all_of<Heartbeat>(effects());
  ASSERT_THAT(beats, SizeIs(1));
  EXPECT_EQ(beats[0].slots, 2U);
}

TEST_F(WorkerSession, ACancelIsPassedOnOnceAndReported) {
  be_greeted();
  const HeldAttempt held = start_task();
  Stop stop;
  stop.cancel = {held};
  hear(stop);
  hear(stop);
  EXPECT_THAT(effects().stop, ElementsAre(StopOrder{held, StopReason::kCancelled}));
  finish(held, Outcome::kCancelled);
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kCancelled);
  hear(stop);  // a repetition that crossed the report
  EXPECT_THAT(effects().stop, IsEmpty());
}

TEST_F(WorkerSession, ATaskItsHandlerGaveUpUnaskedIsReportedAndHeldNoLonger) {
  be_greeted();
  const HeldAttempt held = start_task();
  effects();
  finish(held, Outcome::kCancelled);
  const auto reports = reports_in(effects());
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].outcome, Outcome::kCancelled);
  Recorded recorded;
  recorded.recorded = {held};
  hear(recorded);
  const auto beats = all_of<Heartbeat>(live(5000));
  ASSERT_FALSE(beats.empty());
  EXPECT_THAT(beats.back().holding, IsEmpty());
}

TEST_F(WorkerSession, AStopForWhatIsNotHeldIsIgnored) {
  be_greeted();
  Stop stop;
  stop.cancel = {{TaskId::make(Time{}), Attempt{1}}};
  stop.drop = {{TaskId::make(Time{}), Attempt{1}}};
  hear(stop);
  EXPECT_THAT(effects().stop, IsEmpty());
  EXPECT_FALSE(session_.is_over());
}

TEST_F(WorkerSession, AnOutageIsRiddenOutWithAllThatRuns) {
  be_greeted();
  const HeldAttempt held = start_task();
  const Effects outage = live(600'000, false);
  EXPECT_TRUE(outage.fresh_socket);
  EXPECT_THAT(outage.stop, IsEmpty());
  EXPECT_THAT(outage.notices, SizeIs(1));
  EXPECT_THAT(all_of<WorkerHello>(outage).back().holding, ElementsAre(held));
  finish(held);
  EXPECT_THAT(reports_in(effects()), IsEmpty());  // nobody is there to hear it
  hear(Welcome{});
  EXPECT_THAT(reports_in(effects()), SizeIs(1));
  EXPECT_THAT(live(10).notices, IsEmpty());
}

TEST_F(WorkerSession, ARecordForWhatStillRunsChangesNothing) {
  be_greeted();
  const HeldAttempt held = start_task();
  record(held);
  finish(held);
  EXPECT_THAT(reports_in(effects()), SizeIs(1));
}

TEST_F(WorkerSession, ARecordedEndIsToldOnceAndAStaleOneNever) {
  be_greeted();
  const HeldAttempt one = start_task();
  const HeldAttempt other = start_task();
  finish(one, Outcome::kFailed);
  finish(other);
  EXPECT_THAT(effects().recorded, IsEmpty());
  Recorded answer;
  answer.recorded = {one};
  answer.stale = {other};
  hear(answer);
  EXPECT_THAT(effects().recorded, ElementsAre(RecordedEnd{one, Outcome::kFailed}));
  hear(answer);
  EXPECT_THAT(effects().recorded, IsEmpty());
}

TEST_F(WorkerSession, ProgressIsCollectedAtMostTenTimesASecond) {
  be_greeted();
  const HeldAttempt held = start_task();
  session_.on_progress(held, now_);
  EXPECT_THAT(effects().collect, ElementsAre(held));
  session_.on_progress(held, now_);
  EXPECT_THAT(effects().collect, IsEmpty());
  EXPECT_THAT(live(99).collect, IsEmpty());
  EXPECT_THAT(live(2).collect, ElementsAre(held));
}

TEST_F(WorkerSession, ProgressIsNotCollectedWhileTheBrokerIsAway) {
  be_greeted();
  const HeldAttempt held = start_task();
  live(5000, false);
  session_.on_progress(held, now_);
  EXPECT_THAT(live(5000, false).collect, IsEmpty());
  hear(Welcome{});
  EXPECT_THAT(effects().collect, ElementsAre(held));
}

TEST_F(WorkerSession, ProgressOfADroppedTaskIsNotSent) {
  be_greeted();
  const HeldAttempt kept = start_task();
  const HeldAttempt dropped = start_task();
  Stop stop;
  stop.drop = {dropped};
  hear(stop);
  effects();
  std::vector<ProgressReport> reports(2);
  reports[0].id = kept.id;
  reports[0].attempt = kept.attempt;
  reports[1].id = dropped.id;
  reports[1].attempt = dropped.attempt;
  session_.on_collected(reports);
  const auto sent = all_of<Progress>(effects());
  ASSERT_THAT(sent, SizeIs(1));
  ASSERT_THAT(sent[0].reports, SizeIs(1));
  EXPECT_EQ(sent[0].reports[0].id, kept.id);
}

TEST_F(WorkerSession, TheLastProgressGoesBeforeTheReport) {
  be_greeted();
  const HeldAttempt held = start_task();
  TaskReport report;
  report.id = held.id;
  report.attempt = held.attempt;
  std::vector<ProgressReport> rest(1);
  rest[0].id = held.id;
  rest[0].attempt = held.attempt;
  session_.on_finished(report, rest, now_);
  const Effects after = effects();
  ASSERT_THAT(after.send, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<Progress>(after.send[0]));
  EXPECT_TRUE(std::holds_alternative<Report>(after.send[1]));
  EXPECT_THAT(all_of<Progress>(live(5000)), IsEmpty());  // the report is repeated, this is not
}

TEST_F(WorkerSession, DrainingTakesNothingAndWaitsForWhatRuns) {
  be_greeted();
  const HeldAttempt held = start_task();
  session_.on_stop_request(now_);
  auto beats = all_of<Heartbeat>(effects());
  ASSERT_THAT(beats, SizeIs(1));
  EXPECT_EQ(beats[0].slots, 0U);
  EXPECT_THAT(beats[0].holding, ElementsAre(held));
  live(20000);
  EXPECT_FALSE(session_.is_over());
  finish(held);
  EXPECT_THAT(reports_in(effects()), SizeIs(1));
  EXPECT_FALSE(session_.is_over());  // until it is recorded
  record(held);
  const Effects last = effects();
  EXPECT_TRUE(session_.is_over());
  EXPECT_THAT(all_of<Goodbye>(last), SizeIs(1));
  EXPECT_TRUE(session_.status().is_ok());
}

TEST_F(WorkerSession, ATaskThatCrossesTheDrainGoesBackAtNoCost) {
  be_greeted();
  start_task();
  session_.on_stop_request(now_);
  effects();
  const HeldAttempt late = give_task();
  const Effects after = effects();
  EXPECT_THAT(after.start, IsEmpty());
  const auto reports = reports_in(after);
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].id, late.id);
  EXPECT_EQ(reports[0].outcome, Outcome::kRetry);
  EXPECT_EQ(reports[0].cause, Cause::kInfrastructure);
}

TEST_F(WorkerSession, ADrainThatTakesTooLongStopsWhatRuns) {
  be_greeted();
  const HeldAttempt held = start_task();
  session_.on_stop_request(now_);
  EXPECT_THAT(live(29999).stop, IsEmpty());
  EXPECT_THAT(live(2).stop, ElementsAre(StopOrder{held, StopReason::kWorkerStops}));
  EXPECT_FALSE(session_.is_over());
  live(6000);  // the handler does not listen
  EXPECT_TRUE(session_.is_over());
}

TEST_F(WorkerSession, WhatIsCancelledByLeavingGoesBackUnreported) {
  be_greeted();
  const HeldAttempt held = start_task();
  session_.on_stop_request(now_);
  session_.on_stop_request(now_);
  EXPECT_THAT(effects().stop, ElementsAre(StopOrder{held, StopReason::kWorkerStops}));
  finish(held, Outcome::kCancelled);
  const Effects last = effects();
  EXPECT_THAT(reports_in(last), IsEmpty());
  EXPECT_THAT(all_of<Goodbye>(last), SizeIs(1));
  EXPECT_TRUE(session_.is_over());
}

TEST_F(WorkerSession, WhatEndsWhileLeavingIsStillReported) {
  be_greeted();
  const HeldAttempt held = start_task();
  session_.on_stop_request(now_);
  session_.on_stop_request(now_);
  effects();
  finish(held);
  EXPECT_THAT(reports_in(effects()), SizeIs(1));
  EXPECT_FALSE(session_.is_over());
  live(3001);  // nobody records it
  EXPECT_TRUE(session_.is_over());
}

TEST_F(WorkerSession, AStopBeforeTheBrokerIsMetEndsAtOnce) {
  session_.on_stop_request(now_);
  EXPECT_TRUE(session_.is_over());
}

TEST_F(WorkerSession, ARefusedGreetingEndsItWithTheReason) {
  effects();
  hear_error(Code::kFixInput, "refused");
  EXPECT_TRUE(session_.is_over());
  EXPECT_EQ(session_.status().reason(), "refused");
}

TEST_F(WorkerSession, ARefusalForNowIsWaitedOut) {
  effects();
  hear_error(Code::kRetryLater, "not_accepting");
  EXPECT_FALSE(session_.is_over());
  EXPECT_THAT(all_of<WorkerHello>(live(1001, false)), SizeIs(1));
}

TEST_F(WorkerSession, ARefusalAfterAnOutageStopsWhatRuns) {
  be_greeted();
  const HeldAttempt held = start_task();
  live(5000, false);
  hear_error(Code::kFixInput, "refused");
  EXPECT_THAT(effects().stop, ElementsAre(StopOrder{held, StopReason::kWorkerStops}));
  finish(held);
  effects();
  EXPECT_TRUE(session_.is_over());
  EXPECT_EQ(session_.status().reason(), "refused");
}

TEST_F(WorkerSession, AWelcomeOfAnotherVersionEndsIt) {
  effects();
  Welcome welcome;
  welcome.version = 9;
  hear(welcome);
  EXPECT_TRUE(session_.is_over());
  EXPECT_EQ(session_.status().reason(), "unsupported_version");
}

}  // namespace
}  // namespace assay::worker
