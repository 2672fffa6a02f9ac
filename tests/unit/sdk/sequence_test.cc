#include "sdk/progress/sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::progress {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const TaskId kA = *TaskId::parse("01HZZZZZZZZZZZZZZZZZZZZZZA");
const TaskId kB = *TaskId::parse("01HZZZZZZZZZZZZZZZZZZZZZZB");

FeedEvent event(std::uint64_t sequence, TaskId task = kA, std::uint64_t previous = 0) {
  FeedEvent event;
  event.sequence = sequence;
  event.previous = previous;
  event.task = task;
  event.queue = QueueName("eval");
  event.kind = EventKind::kProgress;
  return event;
}

EventList answer(std::uint64_t oldest, std::uint64_t newest, std::vector<FeedEvent> events) {
  EventList list;
  list.oldest = oldest;
  list.newest = newest;
  list.events = std::move(events);
  return list;
}

std::vector<std::uint64_t> taken(Sequence& sequence) {
  std::vector<std::uint64_t> numbers;
  while (auto event = sequence.take()) numbers.push_back(event->sequence);
  return numbers;
}

TEST(Sequence, EventsWithoutHolesPassAtOnce) {
  Sequence sequence({});
  sequence.begin(5);
  for (std::uint64_t i = 4; i < 9; ++i) sequence.on_event(event(i));
  EXPECT_THAT(taken(sequence), ElementsAre(6, 7, 8));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, AnEventThatComesTwicePassesOnce) {
  Sequence sequence({});
  sequence.on_event(event(1));
  sequence.on_event(event(1));
  sequence.on_event(event(2));
  sequence.on_event(event(1));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 2));
}

TEST(Sequence, AGapHoldsBackWhatFollowsUntilItIsFilled) {
  Sequence sequence({});
  sequence.on_event(event(1));
  sequence.on_event(event(4));
  sequence.on_event(event(5));
  EXPECT_THAT(taken(sequence), ElementsAre(1));
  EXPECT_TRUE(sequence.has_gap());
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 1U);
  EXPECT_THAT(question->tasks, IsEmpty());
  sequence.on_answer(answer(1, 6, {event(2), event(3), event(4), event(5), event(6)}));
  sequence.on_event(event(6));  // it was on its way
  sequence.on_event(event(7));
  EXPECT_THAT(taken(sequence), ElementsAre(2, 3, 4, 5, 6, 7));
  EXPECT_FALSE(sequence.has_gap());
  EXPECT_FALSE(sequence.question());
  EXPECT_EQ(sequence.lost(), 0U);
}

TEST(Sequence, AQuestionWithoutAnAnswerIsAskedAgain) {
  Sequence sequence({});
  sequence.on_event(event(3));
  ASSERT_TRUE(sequence.question());
  sequence.on_no_answer();
  EXPECT_TRUE(sequence.has_gap());
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 0U);
}

TEST(Sequence, ALongAnswerIsAskedForInParts) {
  Sequence sequence({});
  sequence.on_event(event(5));
  ASSERT_TRUE(sequence.question());
  EventList part = answer(1, 5, {event(1), event(2)});
  part.complete = false;
  sequence.on_answer(part);
  EXPECT_THAT(taken(sequence), ElementsAre(1, 2));
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 2U);
  sequence.on_answer(answer(1, 5, {event(3), event(4), event(5)}));
  EXPECT_THAT(taken(sequence), ElementsAre(3, 4, 5));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, APartWithoutAnAnswerBeginsAnewAndRepeatsNothing) {
  Sequence sequence({.tasks = {kA}});
  sequence.check();
  ASSERT_TRUE(sequence.question());
  EventList part = answer(1, 9, {event(1), event(4, kA, 1)});
  part.complete = false;
  sequence.on_answer(part);
  ASSERT_TRUE(sequence.question());
  sequence.on_no_answer();
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(1, 9, {event(4, kA, 1), event(9, kA, 4)}));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 4, 9));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, WhatTheBrokerNoLongerKeepsIsCountedAsLost) {
  Sequence sequence({});
  sequence.on_event(event(1));
  sequence.on_event(event(10));
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(8, 10, {event(8), event(9), event(10)}));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 8, 9, 10));
  EXPECT_EQ(sequence.lost(), 6U);
}

TEST(Sequence, NumbersThatWereNeverGivenHoldNothingUp) {
  Sequence sequence({});
  sequence.on_event(event(1));
  sequence.on_event(event(1000));  // after a restart
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(1, 1000, {event(1000)}));
  sequence.on_event(event(1001));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 1000, 1001));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, ALossAtTheEndIsFoundByAsking) {
  Sequence sequence({});
  sequence.on_event(event(1));
  EXPECT_FALSE(sequence.question());
  sequence.check();
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(1, 2, {event(2)}));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 2));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, ABrokerThatLostItsMemoryIsHeardFromItsBeginning) {
  Sequence sequence({});
  sequence.begin(500);
  sequence.on_event(event(1));  // looks old
  sequence.check();
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(1, 2, {}));
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 0U);
  sequence.on_answer(answer(1, 2, {event(1), event(2)}));
  EXPECT_THAT(taken(sequence), ElementsAre(1, 2));
}

TEST(Sequence, HolesOfOthersAreNoGapForATask) {
  Sequence sequence({.tasks = {kA}});
  sequence.begin(10);
  sequence.on_event(event(12, kA, 3));
  sequence.on_event(event(13, kB, 11));
  sequence.on_event(event(20, kA, 12));
  EXPECT_THAT(taken(sequence), ElementsAre(12, 20));
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, AMissingEventOfATaskIsSeenByTheNextAndAskedForAlone) {
  Sequence sequence({.topic_prefix = "eval/0"});
  sequence.begin(10);
  sequence.on_event(event(12, kA, 0));
  sequence.on_event(event(30, kA, 20));
  sequence.on_event(event(31, kB, 0));
  EXPECT_THAT(taken(sequence), ElementsAre(12));
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 12U);
  EXPECT_THAT(question->tasks, ElementsAre(kA));
  sequence.on_answer(answer(1, 31, {event(20, kA, 12), event(30, kA, 20)}));
  EXPECT_THAT(taken(sequence), ElementsAre(20, 30, 31));
  EXPECT_FALSE(sequence.question());
}

FeedEvent event_in_queue(std::uint64_t sequence, TaskId task, std::uint64_t previous_in_queue) {
  FeedEvent out = event(sequence, task, 0);
  out.previous_in_queue = previous_in_queue;
  return out;
}

TEST(Sequence, AQueueThatIsFollowedIsOneChain) {
  Sequence sequence({.topic_prefix = "eval/"});
  sequence.begin(10);
  sequence.on_event(event_in_queue(12, kA, 3));
  sequence.on_event(event_in_queue(20, kB, 12));
  EXPECT_THAT(taken(sequence), ElementsAre(12, 20)) << "what lies between belongs to others";
  EXPECT_FALSE(sequence.question());
  sequence.on_event(event_in_queue(31, kB, 25));
  EXPECT_THAT(taken(sequence), ElementsAre());
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 20U);
  EXPECT_EQ(question->queue, QueueName("eval"));
  sequence.on_answer(answer(1, 31, {event_in_queue(25, kA, 20), event_in_queue(31, kB, 25)}));
  EXPECT_THAT(taken(sequence), ElementsAre(25, 31));
  EXPECT_FALSE(sequence.question());
  EXPECT_EQ(sequence.lost(), 0U);
}

// A broker that was started again says that something may have been there.
TEST(Sequence, AGapInAQueueThatHoldsNothingIsNoLoss) {
  Sequence sequence({.topic_prefix = "eval/"});
  sequence.begin(10);
  sequence.on_event(event_in_queue(5000, kA, 4096));
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(1, 5000, {event_in_queue(5000, kA, 4096)}));
  EXPECT_THAT(taken(sequence), ElementsAre(5000));
  EXPECT_EQ(sequence.lost(), 0U);
}

TEST(Sequence, TwoTasksWithGapsAreBothFilled) {
  Sequence sequence({.topic_prefix = "eval/0"});
  sequence.on_event(event(5, kA, 2));
  sequence.on_event(event(6, kB, 3));
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_THAT(question->tasks, ElementsAre(kA));
  sequence.on_answer(answer(1, 6, {event(2, kA), event(5, kA, 2)}));
  EXPECT_THAT(taken(sequence), ElementsAre(2, 5));
  question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_THAT(question->tasks, ElementsAre(kB));
  sequence.on_answer(answer(1, 6, {event(3, kB), event(6, kB, 3)}));
  EXPECT_THAT(taken(sequence), ElementsAre(3, 6));
}

TEST(Sequence, AGapThatCannotBeFilledIsPassedAndCounted) {
  Sequence sequence({.tasks = {kA}});
  sequence.on_event(event(5, kA, 2));
  ASSERT_TRUE(sequence.question());
  sequence.on_answer(answer(4, 6, {event(5, kA, 2)}));
  EXPECT_THAT(taken(sequence), ElementsAre(5));
  EXPECT_EQ(sequence.lost(), 1U);
  EXPECT_FALSE(sequence.question());
}

TEST(Sequence, ACheckOfAFilterAsksOnlyForWhatIsNew) {
  Sequence sequence({.tasks = {kA}});
  sequence.on_event(event(5, kA, 0));
  sequence.check();
  auto question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 5U);
  EXPECT_THAT(question->tasks, ElementsAre(kA));
  sequence.on_answer(answer(1, 90, {event(7, kA, 5)}));
  sequence.check();
  question = sequence.question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->after, 90U);
  EXPECT_THAT(taken(sequence), ElementsAre(5, 7));
}

TEST(Sequence, AnswersAboutOthersAreNotOurs) {
  Sequence sequence({.topic_prefix = "eval/"});
  sequence.check();
  ASSERT_TRUE(sequence.question());
  FeedEvent other = event(2, kB);
  other.queue = QueueName("build");
  sequence.on_answer(answer(1, 3, {event(1), other}));
  EXPECT_THAT(taken(sequence), ElementsAre(1));
}

TEST(Sequence, WorkersBelongToNoTaskAndLeaveNoGap) {
  Sequence sequence({.topic_prefix = "eval/"});
  FeedEvent worker = event(9, TaskId{}, 5);
  worker.kind = EventKind::kWorker;
  sequence.on_event(worker);
  EXPECT_THAT(taken(sequence), ElementsAre(9));
}

TEST(Sequence, WhatIsHeldBackIsBounded) {
  Sequence sequence({});
  const std::uint64_t last = kHeldEventsMax + 100;
  for (std::uint64_t i = 2; i <= last; ++i) sequence.on_event(event(i));
  // What was dropped beyond the bound is in the answers.
  std::uint64_t next = 1;
  std::size_t delivered = 0;
  for (int parts = 0; parts < 100; ++parts) {
    auto question = sequence.question();
    if (!question) break;
    ASSERT_EQ(question->after + 1, next);
    EventList part = answer(1, last, {});
    for (; next <= last && part.events.size() < question->limit; ++next) {
      part.events.push_back(event(next));
    }
    part.complete = next > last;
    sequence.on_answer(part);
    delivered += taken(sequence).size();
    if (delivered >= next) next = delivered + 1;
  }
  EXPECT_EQ(delivered, last);
}

TEST(Sequence, EndedTasksAreForgottenBeforeMemoryGrows) {
  Sequence sequence({.topic_prefix = "eval/"});
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kSeenTasksMax + 10; ++i) {
    FeedEvent ended = event(++number, TaskId::make(Time{}));
    ended.kind = EventKind::kState;
    ended.state = TaskState::kSucceeded;
    sequence.on_event(ended);
  }
  EXPECT_EQ(taken(sequence).size(), kSeenTasksMax + 10);
  sequence.on_event(event(++number, kA));
  EXPECT_THAT(taken(sequence), ElementsAre(number));
}

}  // namespace
}  // namespace assay::progress
