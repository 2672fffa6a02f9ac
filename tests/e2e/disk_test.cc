// A disk that takes no more writes: nothing is promised any more, and the broker says so.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "assay/client.h"
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

}  // namespace
}  // namespace assay
