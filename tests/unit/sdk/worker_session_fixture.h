// A worker's session with a clock of its own, and a broker that says what the test lets it say.
#ifndef ASSAY_TESTS_UNIT_SDK_WORKER_SESSION_FIXTURE_H_
#define ASSAY_TESTS_UNIT_SDK_WORKER_SESSION_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sdk/worker/session.h"

namespace assay::worker {

class WorkerSession : public ::testing::Test {
 protected:
  explicit WorkerSession(bool hands_over = false) : session_(options(hands_over)) {
    session_.start(now_);
  }

  static SessionOptions options(bool hands_over) {
    return {.endpoint = "tcp://there:1",
            .name = WorkerName("w"),
            .queues = {QueueName("eval")},
            .slots = 2,
            .drain_timeout = Duration(30000),
            .hands_over = hands_over,
            .labels = {{"gpu", "a100"}}};
  }

  void hear(Message message) { session_.on_message(std::move(message), now_); }
  Effects effects() {
    session_.on_time(now_);
    return session_.take_effects();
  }
  // What happens in the time, as the loop would live it; a broker that lives answers heartbeats.
  Effects live(int milliseconds, bool broker_beats = true) {
    Effects all;
    const Instant end = now_ + Duration(milliseconds);
    auto append = [](auto& to, auto& from) {
      for (auto& each : from) to.push_back(std::move(each));
    };
    while (now_ < end) {
      now_ = std::clamp(session_.wake_at(), now_ + Duration(1), end);
      Effects some = effects();
      // A wake-up in the past would make the loop spin.
      EXPECT_TRUE(session_.is_over() || session_.wake_at() > now_);
      for (const Message& message : some.send) {
        if (broker_beats && std::holds_alternative<Heartbeat>(message)) hear(Heartbeat{});
      }
      all.fresh_socket |= some.fresh_socket;
      append(all.send, some.send);
      append(all.start, some.start);
      append(all.stop, some.stop);
      append(all.collect, some.collect);
      append(all.notices, some.notices);
      if (session_.is_over()) break;
    }
    return all;
  }
  template <typename M>
  static std::vector<M> all_of(const Effects& effects) {
    std::vector<M> found;
    for (const Message& message : effects.send) {
      if (const auto* one = std::get_if<M>(&message)) found.push_back(*one);
    }
    return found;
  }
  static std::vector<TaskReport> reports_in(const Effects& effects) {
    std::vector<TaskReport> reports;
    for (const Report& message : all_of<Report>(effects)) {
      reports.insert(reports.end(), message.reports.begin(), message.reports.end());
    }
    return reports;
  }
  void be_greeted() {
    ASSERT_THAT(all_of<WorkerHello>(effects()), ::testing::SizeIs(1));
    hear(Welcome{});
    EXPECT_THAT(effects().send, ::testing::IsEmpty());
  }
  HeldAttempt give_task() {
    TaskAssignment task;
    task.id = TaskId::make(Time{});
    task.attempt = Attempt{1};
    Tasks tasks;
    tasks.tasks = {task};
    hear(tasks);
    return {task.id, task.attempt};
  }
  HeldAttempt start_task() {
    const HeldAttempt held = give_task();
    EXPECT_THAT(effects().start, ::testing::SizeIs(1));
    return held;
  }
  void finish(const HeldAttempt& held, Outcome outcome = Outcome::kSucceeded,
              std::string result = {}) {
    TaskReport report;
    report.id = held.id;
    report.attempt = held.attempt;
    report.outcome = outcome;
    report.result = std::move(result);
    session_.on_finished(std::move(report), {}, now_);
  }
  void record(const HeldAttempt& held) {
    Recorded recorded;
    recorded.recorded = {held};
    hear(recorded);
  }
  void hear_error(Code code, std::string reason) {
    Error error;
    error.code = code;
    error.reason = std::move(reason);
    error.message = "text";
    hear(error);
  }
  // What the worker would say that it holds.
  std::vector<HeldAttempt> held_by_heartbeat() {
    const auto beats = all_of<Heartbeat>(live(1000));
    if (beats.empty()) {
      ADD_FAILURE() << "no heartbeat";
      return {};
    }
    return beats.back().holding;
  }

  Instant now_{Duration(1'000'000)};
  Session session_;
};

}  // namespace assay::worker

#endif  // ASSAY_TESTS_UNIT_SDK_WORKER_SESSION_FIXTURE_H_
