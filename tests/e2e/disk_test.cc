// A disk that takes no more writes: nothing is promised any more, and the broker says so.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "assay/client.h"
#include "assay/worker.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::http_get;

TaskSpec task_of(std::size_t bytes) {
  TaskSpec task;
  task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  task.queue = QueueName("echo");
  task.owner = OwnerName("ann");
  task.body = std::string(bytes, 'b');
  return task;
}

TEST(BrokerDisk, AFailedWriteStopsAcceptanceForGoodAndSaysSo) {
  support::TemporaryFolder folder;
  BrokerProcess broker(folder.path(), {"--queues", "echo"});
  Client client({.endpoint = broker.clients()});
  const TaskSpec accepted = task_of(100);
  ASSERT_TRUE(client.submit({accepted}).is_ok());
  EXPECT_EQ(http_get(broker.http(), "/readyz"), "ready\n");

  // From now on no file of the broker's may grow past 64 KiB: its writes fail.
  const rlimit limit{64 << 10, 64 << 10};
  ASSERT_EQ(prlimit(broker.process().id(), RLIMIT_FSIZE, &limit, nullptr), 0);
  const TaskSpec refused = task_of(1 << 20);
  EXPECT_FALSE(client.submit({refused}).is_ok());
  ASSERT_TRUE(support::eventually(
      [&] {
        return http_get(broker.http(), "/readyz").find("journal_stopped") != std::string::npos;
      },
      std::chrono::seconds(10)));
  EXPECT_EQ(http_get(broker.http(), "/healthz"), "alive\n");
  Client other({.endpoint = broker.clients()});
  EXPECT_FALSE(other.queues().is_ok());

  broker.process().signal(SIGTERM);
  EXPECT_EQ(broker.process().wait(), 1);
  broker.start();  // without the limit
  Client again({.endpoint = broker.clients()});
  const auto status = again.status(accepted.id.text());
  ASSERT_TRUE(status.is_ok()) << status.status().to_string();
  EXPECT_EQ(status->state, TaskState::kQueued);
  EXPECT_TRUE(again.submit({refused}).is_ok());
}

// A file system of 200 MiB, of its own: what is accepted fills it. Then new work is refused with a
// time to ask again, what was accepted is finished, and when that has made room work is accepted
// again.
TEST(BrokerDisk, ADiskThatIsNearlyFullRefusesNewWorkFinishesTheRestAndRecovers) {
  support::TemporaryFolder folder;
  const std::filesystem::path data = folder.path() / "data";
  std::filesystem::create_directories(data);
  BrokerProcess broker(
      folder.path(),
      {"--queues", "echo", "--segment-bytes", "4MiB", "--compaction-bytes-min", "8MiB"},
      {"/usr/bin/bwrap", "--dev-bind", "/", "/", "--size", std::to_string(200 << 20), "--tmpfs",
       data.string(), "--die-with-parent", "--"});
  Client client({.endpoint = broker.clients(), .call_timeout = std::chrono::seconds(2)});
  std::vector<TaskId> accepted;
  Status refusal;
  while (accepted.size() < 200) {
    const TaskSpec task = task_of(1 << 20);
    refusal = client.submit({task}).status();
    if (!refusal.is_ok()) break;
    accepted.push_back(task.id);
  }
  ASSERT_EQ(refusal.reason(), "not_accepting") << refusal.to_string();
  EXPECT_GT(refusal.retry_after().count(), 0);
  EXPECT_GT(accepted.size(), 10U);
  EXPECT_NE(http_get(broker.http(), "/readyz").find("disk_full"), std::string::npos);

  Worker worker({.endpoint = broker.workers(), .queues = {QueueName("echo")}},
                [](const TaskAssignment&, TaskContext&) { return TaskOutcome(); });
  std::thread working([&] { EXPECT_TRUE(worker.run().is_ok()); });
  for (const TaskId& id : accepted) {
    const auto result = client.wait(id, std::chrono::seconds(60));
    ASSERT_TRUE(result.is_ok()) << result.status().to_string();
    EXPECT_EQ(result->state, TaskState::kSucceeded);
  }
  EXPECT_TRUE(support::eventually([&] { return client.submit({task_of(1 << 20)}).is_ok(); },
                                  std::chrono::seconds(60)));
  EXPECT_EQ(http_get(broker.http(), "/readyz"), "ready\n");
  worker.request_stop();
  working.join();
}

}  // namespace
}  // namespace assay
