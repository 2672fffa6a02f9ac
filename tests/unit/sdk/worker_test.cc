// The worker on real sockets and threads against a scripted broker. The dialogue itself is tested
// in worker_session_test.cc.
#include "assay/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/support/fake_broker.h"

namespace assay {
namespace {

using test::FakeBroker;
using test::kDeadline;

HeldAttempt key_of(const TaskReport& report) {
  return {report.id, report.attempt};
}

// Records every report.
std::vector<Message> record_everything(const Message& message) {
  const auto* report = std::get_if<Report>(&message);
  if (report == nullptr) return {};
  Recorded recorded;
  for (const TaskReport& each : report->reports) recorded.recorded.push_back(key_of(each));
  return {recorded};
}

TaskAssignment assignment(std::string body = {}) {
  TaskAssignment task;
  task.id = TaskId::make(Time{});
  task.attempt = Attempt{1};
  task.queue = QueueName("shout");
  task.owner = OwnerName("me");
  task.body = std::move(body);
  return task;
}

Message tasks_of(std::vector<TaskAssignment> tasks) {
  Tasks message;
  message.tasks = std::move(tasks);
  return message;
}

// A worker in a thread of its own, stopped at the end.
class RunningWorker {
 public:
  RunningWorker(FakeBroker& broker, TaskHandler handler, std::uint32_t slots = 1,
                Duration drain_timeout = Duration(15000))
      : worker_({.endpoint = broker.endpoint(),
                 .queues = {QueueName("shout")},
                 .slots = slots,
                 .drain_timeout = drain_timeout,
                 .notice = [](std::string_view) {}},
                std::move(handler)),
        thread_([this] { ended_.set_value(worker_.run()); }) {
    EXPECT_TRUE(broker.wait_for<WorkerHello>(1));
  }
  ~RunningWorker() {
    worker_.request_stop();
    worker_.request_stop();
    thread_.join();
  }

  void request_stop() { worker_.request_stop(); }
  Status end() {
    if (result_.wait_for(kDeadline) == std::future_status::ready) return result_.get();
    return internal_error("still_running", "the worker has not ended");
  }
  const std::string& name() const { return worker_.name(); }

 private:
  Worker worker_;
  std::promise<Status> ended_;
  std::future<Status> result_ = ended_.get_future();
  std::thread thread_;
};

std::vector<TaskReport> reports_in(const std::vector<Message>& log) {
  std::vector<TaskReport> reports;
  for (const Message& message : log) {
    if (const auto* report = std::get_if<Report>(&message)) {
      reports.insert(reports.end(), report->reports.begin(), report->reports.end());
    }
  }
  return reports;
}

bool wait_for_reports(FakeBroker& broker, std::size_t count) {
  return broker.wait_until([count](const auto& log) { return reports_in(log).size() >= count; });
}

TaskOutcome shout(const TaskAssignment& task, TaskContext&) {
  return TaskOutcome::done(task.body + "!");
}

// Runs until it is told to stop.
TaskOutcome run_until_stopped(const TaskAssignment&, TaskContext& context) {
  while (!context.wait_cancelled(Duration(60000))) {
  }
  return TaskOutcome::cancelled();
}

// Waits until the worker has said that it holds something.
bool wait_until_held(FakeBroker& broker) {
  return broker.wait_until([](const auto& log) {
    const auto* beat = std::get_if<Heartbeat>(&log.back());
    return beat != nullptr && !beat->holding.empty();
  });
}

TEST(Worker, TasksBecomeReports) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, shout, 2);
  broker.say(tasks_of({assignment("a"), assignment("b")}));
  ASSERT_TRUE(wait_for_reports(broker, 2));
  std::set<std::string> results;
  for (const TaskReport& report : reports_in(broker.heard())) results.insert(report.result);
  EXPECT_EQ(results, (std::set<std::string>{"a!", "b!"}));
}

TEST(Worker, TheGeneratedNameIsValidAndTold) {
  FakeBroker broker;
  RunningWorker worker(broker, shout);
  const auto hello = std::get<WorkerHello>(broker.heard().front());
  EXPECT_TRUE(valid_name(hello.name.value));
  EXPECT_EQ(hello.name.value, worker.name());
  EXPECT_THAT(worker.name(), testing::HasSubstr(std::to_string(getpid())));
}

TEST(Worker, TheHandlerIsGivenTheTimeoutAndHowItsInputsEnded) {
  FakeBroker broker(record_everything);
  std::promise<TaskAssignment> given;
  RunningWorker worker(broker, [&](const TaskAssignment& task, TaskContext&) {
    given.set_value(task);
    return TaskOutcome::done();
  });
  TaskAssignment task = assignment("sum");
  task.timeout = Duration(90'000);
  task.inputs = {{TaskId::make(Time{}), TaskState::kFailed, "one"},
                 {TaskId::make(Time{}), TaskState::kSucceeded, "two"}};
  broker.say(tasks_of({task}));
  ASSERT_TRUE(wait_for_reports(broker, 1));
  EXPECT_EQ(given.get_future().get(), task);
}

TEST(Worker, LabelsThatTheWireCannotCarryAreRefused) {
  const auto refused = [](std::map<std::string, std::string> labels) {
    Worker worker({.queues = {QueueName("shout")}, .labels = std::move(labels)}, shout);
    return worker.run().reason() == "invalid_labels";
  };
  EXPECT_TRUE(refused({{"", "x"}}));
  EXPECT_TRUE(refused({{std::string(129, 'k'), ""}}));
  EXPECT_TRUE(refused({{"gpu", std::string(1025, 'v')}}));
  std::map<std::string, std::string> many;
  for (int i = 0; i <= 64; ++i) many[std::to_string(i)] = "x";
  EXPECT_TRUE(refused(many));
}

TEST(Worker, AsManyHandlersRunAtOnceAsThereAreSlots) {
  FakeBroker broker(record_everything);
  std::latch all_run(8);
  RunningWorker worker(
      broker,
      [&](const TaskAssignment&, TaskContext&) {
        all_run.arrive_and_wait();
        return TaskOutcome::done();
      },
      8);
  std::vector<TaskAssignment> tasks(8);
  for (TaskAssignment& task : tasks) task = assignment();
  broker.say(tasks_of(tasks));
  EXPECT_TRUE(wait_for_reports(broker, 8));
}

TEST(Worker, AnExceptionFailsTheTaskWithItsText) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, [](const TaskAssignment& task, TaskContext&) -> TaskOutcome {
    if (task.body == "int") throw 7;
    throw std::runtime_error("no such model");
  });
  broker.say(tasks_of({assignment()}));
  ASSERT_TRUE(wait_for_reports(broker, 1));
  broker.say(tasks_of({assignment("int")}));
  ASSERT_TRUE(wait_for_reports(broker, 2));
  const auto reports = reports_in(broker.heard());
  EXPECT_EQ(reports[0].outcome, Outcome::kFailed);
  EXPECT_EQ(reports[0].cause, Cause::kTask);
  EXPECT_EQ(reports[0].reason, "no such model");
  EXPECT_EQ(reports[1].outcome, Outcome::kFailed);
}

TEST(Worker, ProgressAndLogsArriveBeforeTheReport) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, [](const TaskAssignment&, TaskContext& context) {
    for (std::uint64_t i = 1; i <= 1000; ++i) {
      context.progress(i, 1000);
      context.log("line " + std::to_string(i));
    }
    return TaskOutcome::done();
  });
  broker.say(tasks_of({assignment()}));
  ASSERT_TRUE(wait_for_reports(broker, 1));
  std::uint64_t done = 0;
  std::string log;
  std::size_t messages = 0;
  for (const Message& message : broker.heard()) {
    if (std::holds_alternative<Report>(message)) break;
    const auto* progress = std::get_if<Progress>(&message);
    if (progress == nullptr) continue;
    ++messages;
    for (const ProgressReport& report : progress->reports) {
      if (report.kind == EventKind::kProgress) done = report.done;
      if (report.kind == EventKind::kLog) log += report.text + "\n";
    }
  }
  EXPECT_EQ(done, 1000U);
  EXPECT_LT(messages, 100U);  // merged
  std::string expected;
  for (int i = 1; i <= 1000; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(log, expected);
}

TEST(Worker, ProgressOfALongTaskArrivesWhileItRuns) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, [](const TaskAssignment& task, TaskContext& context) {
    context.progress(1, 2, "half way");
    return run_until_stopped(task, context);
  });
  broker.say(tasks_of({assignment()}));
  EXPECT_TRUE(broker.wait_for<Progress>(1));
}

TEST(Worker, ATaskThatComesTwiceRunsOnce) {
  FakeBroker broker(record_everything);
  std::atomic<int> runs = 0;
  RunningWorker worker(
      broker,
      [&](const TaskAssignment& task, TaskContext& context) {
        ++runs;
        return task.body == "last" ? TaskOutcome::done() : run_until_stopped(task, context);
      },
      4);
  const TaskAssignment task = assignment();
  broker.say(tasks_of({task, task}));
  broker.say(tasks_of({task}));
  broker.say(tasks_of({assignment("last")}));
  ASSERT_TRUE(wait_for_reports(broker, 1));
  Stop stop;
  stop.cancel = {{task.id, task.attempt}};
  broker.say(stop);
  broker.say(stop);
  ASSERT_TRUE(wait_for_reports(broker, 2));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(reports_in(broker.heard()).back().outcome, Outcome::kCancelled);
}

TEST(Worker, AReportIsRepeatedUntilItIsRecorded) {
  std::atomic<int> reports = 0;
  FakeBroker broker([&](const Message& message) {
    if (std::holds_alternative<Report>(message) && ++reports == 1) return std::vector<Message>();
    return record_everything(message);
  });
  RunningWorker worker(broker, shout);
  broker.say(tasks_of({assignment()}));
  EXPECT_TRUE(wait_for_reports(broker, 2));
  worker.request_stop();  // ends only when the report is recorded, or after seconds
  EXPECT_TRUE(worker.end().is_ok());
  EXPECT_EQ(reports, 2);
}

TEST(Worker, AStaleReportIsForgotten) {
  FakeBroker broker([](const Message& message) -> std::vector<Message> {
    const auto* report = std::get_if<Report>(&message);
    if (report == nullptr) return {};
    Recorded answer;
    for (const TaskReport& each : report->reports) answer.stale.push_back(key_of(each));
    return {answer};
  });
  RunningWorker worker(broker, shout);
  broker.say(tasks_of({assignment()}));
  EXPECT_TRUE(wait_for_reports(broker, 1));
  worker.request_stop();
  EXPECT_TRUE(worker.end().is_ok());
  EXPECT_EQ(reports_in(broker.heard()).size(), 1U);
}

TEST(Worker, ADroppedTaskIsStoppedAndNotReported) {
  FakeBroker broker(record_everything);
  std::latch begun(1);
  std::promise<StopReason> told;
  RunningWorker worker(broker, [&](const TaskAssignment& task, TaskContext& context) {
    begun.count_down();
    TaskOutcome outcome = run_until_stopped(task, context);
    told.set_value(context.stop_reason());
    return outcome;
  });
  const TaskAssignment task = assignment();
  broker.say(tasks_of({task}));
  begun.wait();
  Stop stop;
  stop.drop = {{task.id, task.attempt}};
  broker.say(stop);
  auto reason = told.get_future();
  ASSERT_EQ(reason.wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(reason.get(), StopReason::kLost);
  worker.request_stop();
  EXPECT_TRUE(worker.end().is_ok());
  EXPECT_TRUE(reports_in(broker.heard()).empty());
}

TEST(Worker, ARestartOfTheBrokerFindsItsTasksStillHeld) {
  FakeBroker broker(record_everything);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  RunningWorker worker(broker, [&](const TaskAssignment&, TaskContext&) {
    released.wait();
    return TaskOutcome::done("kept");
  });
  const TaskAssignment task = assignment();
  broker.say(tasks_of({task}));
  ASSERT_TRUE(wait_until_held(broker));
  broker.restart();
  ASSERT_TRUE(broker.wait_for<WorkerHello>(2));
  release.set_value();
  ASSERT_TRUE(wait_for_reports(broker, 1));
  for (const Message& message : broker.heard()) {
    const auto* hello = std::get_if<WorkerHello>(&message);
    if (hello == nullptr || hello->holding.empty()) continue;
    EXPECT_EQ(hello->holding.front(), (HeldAttempt{task.id, task.attempt}));
  }
  EXPECT_EQ(reports_in(broker.heard()).front().result, "kept");
}

TEST(Worker, ASilentBrokerIsGreetedOnAFreshSocket) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, shout);
  broker.set_silent(true);
  ASSERT_TRUE(broker.wait_for<WorkerHello>(3));
  broker.set_silent(false);
  const std::size_t hellos = broker.count<WorkerHello>();
  ASSERT_TRUE(broker.wait_for<WorkerHello>(hellos + 1));
  ASSERT_TRUE(broker.wait_until([](const auto& log) {
    return std::holds_alternative<Heartbeat>(log.back());  // greeted again
  }));
  broker.say(tasks_of({assignment("again")}));
  EXPECT_TRUE(wait_for_reports(broker, 1));
}

TEST(Worker, DrainingFinishesWhatRunsAndSaysGoodbye) {
  FakeBroker broker(record_everything);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  RunningWorker worker(broker, [&](const TaskAssignment&, TaskContext&) {
    released.wait();
    return TaskOutcome::done();
  });
  const TaskAssignment late = assignment();
  broker.say(tasks_of({assignment()}));
  ASSERT_TRUE(wait_until_held(broker));
  worker.request_stop();
  ASSERT_TRUE(broker.wait_until([](const auto& log) {
    const auto* beat = std::get_if<Heartbeat>(&log.back());
    return beat != nullptr && beat->slots == 0;
  }));
  broker.say(tasks_of({late}));  // crossed the word that no more is taken
  ASSERT_TRUE(wait_for_reports(broker, 1));
  release.set_value();
  EXPECT_TRUE(worker.end().is_ok());
  ASSERT_TRUE(broker.wait_for<Goodbye>(1));
  const auto reports = reports_in(broker.heard());
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].id, late.id);
  EXPECT_EQ(reports[0].outcome, Outcome::kRetry);
  EXPECT_EQ(reports[0].cause, Cause::kInfrastructure);
  EXPECT_EQ(reports[1].outcome, Outcome::kSucceeded);
}

TEST(Worker, ASecondStopRequestHandsItsTasksBack) {
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, run_until_stopped);
  broker.say(tasks_of({assignment()}));
  ASSERT_TRUE(wait_until_held(broker));
  worker.request_stop();
  worker.request_stop();
  EXPECT_TRUE(worker.end().is_ok());
  ASSERT_TRUE(broker.wait_for<Goodbye>(1));
  EXPECT_TRUE(reports_in(broker.heard()).empty());
}

TEST(Worker, AStopFromASignalHandlerIsHeard) {
  FakeBroker broker(record_everything);
  static RunningWorker* stopped = nullptr;
  RunningWorker worker(broker, shout);
  stopped = &worker;
  auto before = std::signal(SIGUSR1, [](int) { stopped->request_stop(); });
  std::raise(SIGUSR1);
  EXPECT_TRUE(worker.end().is_ok());
  std::signal(SIGUSR1, before);
}

TEST(Worker, ARefusalEndsIt) {
  FakeBroker broker;
  broker.stop();
  Worker no_queues({}, shout);
  EXPECT_EQ(no_queues.run().reason(), "invalid_queues");
  Worker bad_name({.name = "a b", .queues = {QueueName("shout")}}, shout);
  EXPECT_EQ(bad_name.run().reason(), "invalid_name");
  Worker bad_endpoint({.endpoint = "nowhere", .queues = {QueueName("shout")}}, shout);
  EXPECT_EQ(bad_endpoint.run().reason(), "invalid_endpoint");
}

TEST(Worker, ManyShortTasksAllEnd) {
  constexpr std::size_t kTasks = 5000;
  FakeBroker broker(record_everything);
  RunningWorker worker(broker, shout, 16);
  std::vector<TaskAssignment> tasks(kTasks);
  for (TaskAssignment& task : tasks) task = assignment("x");
  broker.say(tasks_of(tasks));
  std::set<TaskId> ended;
  ASSERT_TRUE(wait_for_reports(broker, kTasks));
  for (const TaskReport& report : reports_in(broker.heard())) ended.insert(report.id);
  EXPECT_EQ(ended.size(), kTasks);
}

}  // namespace
}  // namespace assay
