// The client's dialogue without sockets or clock: messages and times in, messages and answers out.
#include "sdk/client/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::client {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ClientSession : public testing::Test {
 protected:
  void pass(int milliseconds) {
    now_ += Duration(milliseconds);
    session_.on_time(now_);
  }
  // Lives through the time as the loop does, and keeps the broker's side of the heartbeats if
  // asked.
  std::vector<Message> live(int milliseconds, bool broker_beats) {
    std::vector<Message> all;
    const Instant end = now_ + Duration(milliseconds);
    while (now_ < end) {
      now_ = std::clamp(session_.wake_at(), now_ + Duration(1), end);
      session_.on_time(now_);
      // A wake-up in the past would make the loop spin.
      EXPECT_TRUE(!session_.is_waiting_for_broker() || session_.wake_at() > now_);
      for (Message& message : sent()) {
        if (broker_beats && std::holds_alternative<Heartbeat>(message)) hear(Heartbeat{});
        all.push_back(std::move(message));
      }
    }
    return all;
  }
  void hear(Message message) { session_.on_message(std::move(message), now_); }
  void hear_error(std::uint64_t request, Code code, std::string reason, int retry_after = 0) {
    Error error;
    error.request = request;
    error.code = code;
    error.reason = std::move(reason);
    error.message = "text";
    error.retry_after = Duration(retry_after);
    hear(error);
  }
  std::vector<Message> sent() {
    session_.on_time(now_);
    std::vector<Message> messages;
    session_.drain_sends([&](const Message& message) {
      messages.push_back(message);
      return Status::ok();
    });
    return messages;
  }
  // The one message of a type, or a failure.
  template <typename M>
  M only(const std::vector<Message>& messages) {
    EXPECT_THAT(messages, SizeIs(1));
    if (messages.size() != 1 || !std::holds_alternative<M>(messages[0])) {
      ADD_FAILURE() << "another message";
      return {};
    }
    return std::get<M>(messages[0]);
  }
  // A session whose broker has answered its first call.
  void be_greeted() {
    const std::uint64_t call = session_.connect(now_);
    only<ClientHello>(sent());
    hear(Welcome{});
    ASSERT_TRUE(session_.take_reply(call));
    EXPECT_THAT(sent(), IsEmpty());
  }
  std::uint64_t submit() {
    Submit message;
    message.tasks.emplace_back();
    return session_.call(std::move(message), now_);
  }
  // The status that a call has failed with.
  Status failure_of(std::uint64_t call) {
    auto reply = session_.take_reply(call);
    if (!reply) return internal_error("no_reply", "");
    return reply->status();
  }
  void follow(const std::vector<TaskId>& ids) { session_.wait_for(ids, now_); }
  static Submitted submitted_of(std::uint64_t request) {
    Submitted submitted;
    submitted.request = request;
    return submitted;
  }
  static TaskResult result_of(TaskId id, std::string bytes = {}) {
    TaskResult result;
    result.id = id;
    result.result = std::move(bytes);
    return result;
  }
  static Results results_of(std::uint64_t request, const std::vector<TaskId>& ids) {
    Results results;
    results.request = request;
    for (const TaskId& id : ids) results.results.push_back(result_of(id));
    return results;
  }
  static Results pending_of(const Await& await) {
    Results results;
    results.request = await.request;
    results.pending = await.ids;
    return results;
  }

  Instant now_{Duration(1'000'000)};
  Session session_{{.endpoint = "tcp://there:1", .name = "test"}};
  const TaskId a_ = TaskId::make(Time{});
  const TaskId b_ = TaskId::make(Time{});
  const TaskId c_ = TaskId::make(Time{});
};

TEST_F(ClientSession, NothingIsSaidBeforeTheWelcome) {
  const std::uint64_t call = submit();
  EXPECT_EQ(only<ClientHello>(sent()).name, "test");
  EXPECT_THAT(sent(), IsEmpty());
  hear(Welcome{});
  EXPECT_EQ(only<Submit>(sent()).request, call);
}

TEST_F(ClientSession, AnAnswerFindsItsCall) {
  be_greeted();
  const std::uint64_t first = submit();
  const std::uint64_t second = submit();
  sent();
  hear(submitted_of(second));
  EXPECT_FALSE(session_.take_reply(first));
  auto reply = session_.take_reply(second);
  ASSERT_TRUE(reply && reply->is_ok());
  EXPECT_EQ(std::get<Submitted>(**reply).request, second);
  EXPECT_FALSE(session_.take_reply(second));
}

TEST_F(ClientSession, AnAnswerToNobodyIsIgnored) {
  be_greeted();
  const std::uint64_t call = submit();
  hear(submitted_of(call + 7));
  EXPECT_FALSE(session_.take_reply(call));
  hear(submitted_of(call));
  hear(submitted_of(call));
  EXPECT_TRUE(session_.take_reply(call));
  EXPECT_FALSE(session_.take_reply(call));
}

TEST_F(ClientSession, HelloFirstGreetsAgainAndRepeatsUnderTheSameNumber) {
  be_greeted();
  const std::uint64_t first = submit();
  const std::uint64_t second = submit();
  sent();
  hear_error(first, Code::kRetryCall, "hello_first");
  hear_error(second, Code::kRetryCall, "hello_first");
  only<ClientHello>(sent());
  hear(Welcome{});
  const auto repeated = sent();
  ASSERT_THAT(repeated, SizeIs(2));
  EXPECT_EQ(std::get<Submit>(repeated[0]).request, first);
  EXPECT_EQ(std::get<Submit>(repeated[1]).request, second);
}

TEST_F(ClientSession, AnUnansweredCallIsRepeatedAndThenGivenUp) {
  be_greeted();
  const std::uint64_t call = submit();
  std::size_t submits = 0;
  for (const Message& message : live(2999, true)) {
    submits += std::holds_alternative<Submit>(message) ? 1 : 0;
  }
  EXPECT_EQ(submits, 2U);  // at once and after a second; the next would be after three
  EXPECT_FALSE(session_.take_reply(call));
  live(2, true);
  const Status status = failure_of(call);
  EXPECT_EQ(status.reason(), "no_answer");
  EXPECT_EQ(status.code(), Code::kRetryCall);
}

TEST_F(ClientSession, WithoutABrokerACallIsGivenUpInTime) {
  const std::uint64_t call = submit();
  live(2999, false);
  EXPECT_FALSE(session_.take_reply(call));
  live(2, false);
  const Status status = failure_of(call);
  EXPECT_EQ(status.reason(), "broker_unreachable");
  EXPECT_THAT(status.message(), HasSubstr("tcp://there:1 within 3 s"));
  EXPECT_EQ(session_.wake_at(), transport::kNever);  // nothing is left to do
}

TEST_F(ClientSession, ASilentBrokerIsGreetedOnAFreshSocketWithinTheCall) {
  be_greeted();
  const std::uint64_t call = submit();
  live(2100, false);
  EXPECT_TRUE(session_.take_fresh_socket());
  hear(Welcome{});
  EXPECT_EQ(only<Submit>(sent()).request, call);
}

TEST_F(ClientSession, ARefusalForNowIsTriedAgainWhenTheBrokerSaid) {
  be_greeted();
  for (const char* reason : {"queue_full", "owner_full", "client_full", "not_accepting"}) {
    const std::uint64_t call = submit();
    sent();
    hear_error(call, Code::kRetryLater, reason, 700);
    EXPECT_FALSE(session_.take_reply(call));
    EXPECT_THAT(live(699, true),
                testing::Not(testing::Contains(testing::VariantWith<Submit>(testing::_))));
    EXPECT_THAT(live(2, true), testing::Contains(testing::VariantWith<Submit>(testing::_)));
    hear(submitted_of(call));
    EXPECT_TRUE(session_.take_reply(call)->is_ok());
  }
}

TEST_F(ClientSession, ARefusalBeyondTheCallsTimeIsReturnedAtOnce) {
  be_greeted();
  const std::uint64_t call = submit();
  hear_error(call, Code::kRetryLater, "queue_full", 700);
  live(701, true);
  hear_error(call, Code::kRetryLater, "queue_full", 10000);
  const Status status = failure_of(call);
  EXPECT_EQ(status.reason(), "queue_full");
  EXPECT_EQ(status.retry_after(), Duration(10000));
}

TEST_F(ClientSession, AFinalRefusalIsReturned) {
  be_greeted();
  const std::uint64_t call = submit();
  hear_error(call, Code::kConflict, "task_conflict");
  EXPECT_EQ(failure_of(call).code(), Code::kConflict);
}

TEST_F(ClientSession, ABrokerThatRefusesTheGreetingFailsWhatWaits) {
  const std::uint64_t call = submit();
  sent();
  hear_error(0, Code::kFixInput, "unsupported_version");
  EXPECT_EQ(failure_of(call).reason(), "unsupported_version");
}

TEST_F(ClientSession, AWelcomeOfAnotherVersionIsRefused) {
  const std::uint64_t call = submit();
  sent();
  Welcome welcome;
  welcome.version = 9;
  hear(welcome);
  EXPECT_EQ(failure_of(call).reason(), "unsupported_version");
}

TEST_F(ClientSession, ABrokerThatIsNotReadyIsGreetedLater) {
  const std::uint64_t call = submit();
  sent();
  hear_error(0, Code::kRetryLater, "not_accepting", 1500);
  EXPECT_THAT(live(1499, false), IsEmpty());
  only<ClientHello>(live(2, false));
  hear(Welcome{});
  EXPECT_EQ(only<Submit>(sent()).request, call);
}

TEST_F(ClientSession, WhatCannotBeSentFailsItsCallOnly) {
  be_greeted();
  const std::uint64_t large = submit();
  const std::uint64_t small = submit();
  int count = 0;
  session_.on_time(now_);
  session_.drain_sends([&](const Message&) {
    return ++count == 1 ? fix_input("message_too_large", "text") : Status::ok();
  });
  EXPECT_EQ(failure_of(large).reason(), "message_too_large");
  EXPECT_FALSE(session_.take_reply(small));
}

TEST_F(ClientSession, AWaitEndsWithThePushedResult) {
  be_greeted();
  follow({a_, b_});
  const Await await = only<Await>(sent());
  EXPECT_THAT(await.ids, UnorderedElementsAre(a_, b_));
  EXPECT_TRUE(await.follow);
  hear(pending_of(await));
  EXPECT_FALSE(session_.wait_is_over());
  hear(results_of(await.request, {b_}));
  ASSERT_TRUE(session_.wait_is_over());
  auto ended = session_.end_wait();
  ASSERT_TRUE(ended.is_ok());
  ASSERT_THAT(*ended, SizeIs(1));
  EXPECT_EQ(ended->front().id, b_);
}

TEST_F(ClientSession, WaitingForTheRestCostsNoMessage) {
  be_greeted();
  follow({a_, b_});
  const Await await = only<Await>(sent());
  hear(pending_of(await));
  hear(results_of(await.request, {a_}));
  ASSERT_TRUE(session_.end_wait().is_ok());
  hear(results_of(await.request, {b_}));  // between two waits
  follow({b_});
  EXPECT_THAT(sent(), IsEmpty());
  ASSERT_TRUE(session_.wait_is_over());
  EXPECT_EQ(session_.end_wait()->front().id, b_);
}

TEST_F(ClientSession, AResultThatWasTakenIsAskedForAnewIfWantedAgain) {
  be_greeted();
  follow({a_});
  hear(results_of(only<Await>(sent()).request, {a_}));
  ASSERT_TRUE(session_.end_wait().is_ok());
  follow({a_});
  EXPECT_THAT(only<Await>(sent()).ids, UnorderedElementsAre(a_));
}

TEST_F(ClientSession, ManyIdsAreAskedForInParts) {
  be_greeted();
  std::vector<TaskId> ids;
  for (int i = 0; i < 10000; ++i) ids.push_back(TaskId::make(Time{}));
  follow(ids);
  std::size_t asked = 0;
  for (const Message& message : sent()) {
    EXPECT_LE(std::get<Await>(message).ids.size(), 4096U);
    asked += std::get<Await>(message).ids.size();
  }
  EXPECT_EQ(asked, 10000U);
}

TEST_F(ClientSession, AnUnknownIdFailsTheWaitAndKeepsWhatCameWithIt) {
  be_greeted();
  follow({a_, b_});
  Results results = results_of(only<Await>(sent()).request, {a_});
  results.unknown = {b_};
  hear(results);
  auto ended = session_.end_wait();
  EXPECT_EQ(ended.status().code(), Code::kNotFound);
  EXPECT_EQ(ended.status().reason(), "unknown_task");
  EXPECT_THAT(ended.status().message(), HasSubstr(b_.text()));
  follow({a_});
  EXPECT_TRUE(session_.wait_is_over());
}

TEST_F(ClientSession, ARefusedAwaitFailsTheWait) {
  be_greeted();
  follow({a_});
  hear_error(only<Await>(sent()).request, Code::kExhausted, "too_many_waits");
  ASSERT_TRUE(session_.wait_is_over());
  EXPECT_EQ(session_.end_wait().status().reason(), "too_many_waits");
}

TEST_F(ClientSession, AnAwaitThatIsRefusedForNowIsRepeated) {
  be_greeted();
  follow({a_});
  const Await await = only<Await>(sent());
  hear_error(await.request, Code::kRetryLater, "not_accepting", 200);
  EXPECT_FALSE(session_.wait_is_over());
  EXPECT_THAT(live(199, true), IsEmpty());
  EXPECT_EQ(only<Await>(live(2, true)), await);
  hear_error(await.request, Code::kRetryLater, "not_accepting", 200);
  std::size_t said = 0;
  for (int i = 0; i < 50; ++i, follow({a_})) said += live(5, true).size();
  EXPECT_EQ(said, 1U) << "short waits put nothing off";
}

TEST_F(ClientSession, IdsThatTheAnswerLeftOutAreAskedForAgain) {
  be_greeted();
  follow({a_, b_});
  const Await await = only<Await>(sent());
  Results results;
  results.request = await.request;
  results.pending = {a_};
  hear(results);
  Await again;
  for (const Message& message : live(1001, true)) {
    if (const auto* found = std::get_if<Await>(&message)) again = *found;
  }
  EXPECT_EQ(again.request, await.request);
  EXPECT_THAT(again.ids, UnorderedElementsAre(b_));
}

TEST_F(ClientSession, ARestartedBrokerIsAskedForWhatIsStillWaitedFor) {
  be_greeted();
  follow({a_, b_, c_});
  const Await await = only<Await>(sent());
  hear(pending_of(await));
  hear(results_of(await.request, {a_}));
  ASSERT_TRUE(session_.end_wait().is_ok());
  follow({b_});  // c is given up for now
  hear_error(0, Code::kRetryCall, "hello_first");
  only<ClientHello>(sent());
  hear(Welcome{});
  const Await again = only<Await>(sent());
  EXPECT_EQ(again.request, await.request);
  EXPECT_THAT(again.ids, UnorderedElementsAre(b_));
  ASSERT_FALSE(session_.wait_is_over());
  static_cast<void>(session_.end_wait());
  follow({c_});
  EXPECT_THAT(only<Await>(sent()).ids, UnorderedElementsAre(c_));
}

TEST_F(ClientSession, ResultsThatComeInPartsAreOneAnswer) {
  be_greeted();
  Await await;
  await.ids = {a_, b_, c_};
  await.follow = false;
  const std::uint64_t call = session_.call(await, now_);
  Results part = results_of(call, {a_});
  part.pending = {c_};
  hear(part);
  hear(part);  // repeated because the request was
  EXPECT_FALSE(session_.take_reply(call));
  hear(results_of(call, {b_}));
  auto reply = session_.take_reply(call);
  ASSERT_TRUE(reply && reply->is_ok());
  EXPECT_THAT(std::get<Results>(**reply).results, SizeIs(2));
  EXPECT_THAT(std::get<Results>(**reply).pending, UnorderedElementsAre(c_));
}

TEST_F(ClientSession, AQuietWaitAsksAgainEverMoreRarelyInCaseAPushWasLost) {
  be_greeted();
  follow({a_});
  const Await await = only<Await>(sent());
  hear(pending_of(await));
  std::vector<long> seconds;
  const Instant start = now_;
  while (now_ - start < Duration(200'000)) {
    for (const Message& message : live(100, true)) {
      // Under a new greeting, so that the broker does not follow it twice.
      if (std::holds_alternative<ClientHello>(message)) hear(Welcome{});
      if (!std::holds_alternative<Await>(message)) continue;
      EXPECT_EQ(std::get<Await>(message), await);
      seconds.push_back((now_ - start).count() / 1000);
      hear(pending_of(await));
    }
  }
  EXPECT_THAT(seconds, testing::ElementsAre(10, 30, 70, 130, 190));
  EXPECT_THAT(session_.take_notices(), IsEmpty());
}

TEST_F(ClientSession, AWaitThatBeginsWithoutABrokerFailsFast) {
  follow({a_});
  live(2999, false);
  EXPECT_FALSE(session_.wait_is_over());
  live(2, false);
  ASSERT_TRUE(session_.wait_is_over());
  EXPECT_EQ(session_.end_wait().status().reason(), "broker_unreachable");
}

TEST_F(ClientSession, AWaitRidesOutALongOutageAndTellsItOnce) {
  be_greeted();
  follow({a_});
  hear(pending_of(only<Await>(sent())));
  live(600'000, false);
  EXPECT_FALSE(session_.wait_is_over());
  EXPECT_THAT(session_.take_notices(), SizeIs(1));
  hear(Welcome{});
  EXPECT_THAT(only<Await>(sent()).ids, UnorderedElementsAre(a_));
  EXPECT_THAT(session_.take_notices(), SizeIs(1));  // that it is back
}

TEST_F(ClientSession, AWaitThatTimesOutTellsWhetherTheBrokerIsThere) {
  be_greeted();
  follow({a_});
  hear(pending_of(only<Await>(sent())));
  live(5000, true);
  EXPECT_EQ(session_.wait_timed_out(Duration(5000), now_).reason(), "wait_timeout");
  live(5000, false);
  EXPECT_EQ(session_.wait_timed_out(Duration(10000), now_).reason(), "broker_unreachable");
}

TEST_F(ClientSession, ResultsNobodyWaitsForAreKeptUpToABound) {
  be_greeted();
  follow({a_, b_, c_});
  const Await await = only<Await>(sent());
  hear(pending_of(await));
  static_cast<void>(session_.end_wait());
  for (const TaskId& id : {a_, b_}) {
    Results push;
    push.results = {result_of(id, std::string(std::size_t{40} << 20, 'x'))};
    hear(push);
  }
  follow({a_});
  EXPECT_TRUE(session_.wait_is_over());
  EXPECT_THAT(*session_.end_wait(), SizeIs(1));
  follow({b_});
  EXPECT_THAT(only<Await>(sent()).ids, UnorderedElementsAre(b_));  // forgotten here, not there
}

TEST_F(ClientSession, HeartbeatsGoOnWhileSomethingIsWaitedForOnly) {
  be_greeted();
  EXPECT_THAT(live(5000, false), IsEmpty());
  follow({a_});
  const auto first = sent();
  ASSERT_THAT(first, SizeIs(2));  // it was due for a heartbeat too
  EXPECT_TRUE(std::holds_alternative<Heartbeat>(first[1]));
  hear(pending_of(std::get<Await>(first[0])));
  std::size_t beats = 0;
  for (const Message& message : live(5000, true)) {
    beats += std::holds_alternative<Heartbeat>(message) ? 1 : 0;
  }
  EXPECT_EQ(beats, 5U);
}

}  // namespace
}  // namespace assay::client
