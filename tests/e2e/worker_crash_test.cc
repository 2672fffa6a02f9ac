// Workers are killed and stopped in the middle of their tasks.
#include <gtest/gtest.h>

#include <csignal>

#include "assay/client.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::eventually;
using support::http_get;
using support::Process;
using support::program;

class WorkerCrash : public testing::Test {
 protected:
  Process start_worker(const std::string& name) {
    return Process(
        {program("echo_worker"), broker_.workers(), name, "1", (folder_.path() / "done").string()},
        folder_.path() / (name + ".log"));
  }
  TaskId submit(const std::string& body, std::vector<TaskId> after = {}) {
    TaskSpec task;
    task.after = std::move(after);
    task.id =
        TaskId::make(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    task.queue = QueueName("echo");
    task.owner = OwnerName("ann");
    task.body = body;
    const auto submitted = client_.submit({task});
    EXPECT_TRUE(submitted.is_ok()) << submitted.status().to_string();
    return task.id;
  }
  bool runs_with(TaskId task, const std::string& worker) {
    const auto info = client_.status(task.text());
    return info.is_ok() && info->state == TaskState::kRunning &&
           info->attempts.back().worker.value == worker;
  }

  support::TemporaryFolder folder_;
  BrokerProcess broker_{folder_.path(),
                        {"--queues", "echo", "--lease", "1s", "--heartbeat-every", "200ms",
                         "--adoption-grace", "1s"}};
  Client client_{{.endpoint = broker_.clients()}};
};

TEST_F(WorkerCrash, ATaskOfAKilledWorkerRunsAgainElsewhere) {
  Process first = start_worker("first");
  const TaskId task = submit("sleep 30000");
  ASSERT_TRUE(eventually([&] { return runs_with(task, "first"); }));
  const TaskId quick = submit("quick");
  first.kill();
  Process second = start_worker("second");
  const auto result = client_.wait(quick, std::chrono::seconds(20));
  ASSERT_TRUE(eventually([&] { return runs_with(task, "second"); }))
      << "the lost task did not come back";
  const auto info = client_.status(task.text());
  ASSERT_EQ(info->attempts.size(), 2U);
  EXPECT_EQ(info->attempts[0].ended_because, "its worker first fell silent");
  // It still sleeps; nobody waits for it.
  ASSERT_TRUE(client_.cancel(std::vector{task}, "the test is over").is_ok());
  const auto cancelled = client_.wait(task, std::chrono::seconds(20));
  ASSERT_TRUE(cancelled.is_ok());
  EXPECT_EQ(cancelled->state, TaskState::kCancelled);
  EXPECT_TRUE(client_.wait(quick, std::chrono::seconds(20)).is_ok());
}

TEST_F(WorkerCrash, TheLateResultOfAStoppedWorkerIsRefusedAsStale) {
  Process first = start_worker("first");
  const TaskId task = submit("sleep 500");
  ASSERT_TRUE(eventually([&] { return runs_with(task, "first"); }));
  first.signal(SIGSTOP);
  Process second = start_worker("second");
  const auto result = client_.wait(task, std::chrono::seconds(20));
  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->state, TaskState::kSucceeded);
  EXPECT_EQ(result->attempt.number, 2U);
  first.signal(SIGCONT);
  // It finishes its attempt, which no longer counts, learns so, and goes on to be useful.
  second.kill();
  const TaskId next = submit("next");
  const auto of_first = client_.wait(next, std::chrono::seconds(20));
  ASSERT_TRUE(of_first.is_ok()) << of_first.status().to_string();
  const auto still = client_.status(task.text());
  EXPECT_EQ(still->attempts.back().worker.value, "second");
  EXPECT_EQ(client_.results(std::vector{task})->at(0).attempt.number, 2U);
}

TEST_F(WorkerCrash, ABrokerThatRestartsRepeatsNoWork) {
  Process worker = start_worker("only");
  const TaskId task = submit("sleep 1500");
  ASSERT_TRUE(eventually([&] { return runs_with(task, "only"); }));
  broker_.kill();
  broker_.start();
  const auto result = client_.wait(task, std::chrono::seconds(20));
  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->attempt.number, 1U);
  EXPECT_EQ(support::read_file(folder_.path() / "done"), task.text() + " 1\n");
  EXPECT_NE(http_get(broker_.http(), "/metrics").find("assay_attempts_adopted_total 1\n"),
            std::string::npos);
}

TEST_F(WorkerCrash, ResultsTravelToWhatComesAfterOverARestart) {
  const TaskId first = submit("first");
  const TaskId second = submit("second");
  const TaskId last = submit("last", {first, second});
  broker_.kill();
  broker_.start();
  Process worker = start_worker("only");
  const auto result = client_.wait(last, std::chrono::seconds(20));
  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->result, "last+first+second");
}

TEST_F(WorkerCrash, AWorkerToldToStopFinishesWhatItHasAndLeaves) {
  Process worker = start_worker("only");
  const TaskId task = submit("sleep 300");
  ASSERT_TRUE(eventually([&] { return runs_with(task, "only"); }));
  const TaskId never_taken = submit("never taken");
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), 0);
  const auto result = client_.wait(task, std::chrono::seconds(5));
  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->attempt.number, 1U);
  EXPECT_EQ(client_.status(never_taken.text())->state, TaskState::kQueued);
}

}  // namespace
}  // namespace assay
