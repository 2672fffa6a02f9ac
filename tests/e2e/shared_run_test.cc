// A task that is answered by another's run has a result of its own: it is copied into the journal,
// and there after a kill, when the other is long forgotten too.
#include <gtest/gtest.h>

#include "assay/client.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::Process;
using support::program;

TaskSpec work(const std::string& body) {
  TaskSpec task;
  task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  task.queue = QueueName("echo");
  task.owner = OwnerName("ann");
  task.body = body;
  task.cache_key = "the same work";
  task.cache_ttl = std::chrono::hours(1);
  return task;
}

TEST(SharedRun, AnAnswerFromTheCacheIsACopyThatOutlivesTheBroker) {
  const support::TemporaryFolder folder;
  BrokerProcess broker(folder.path(), {"--queues", "echo"});
  const TaskSpec first = work("ran"), second = work("not run"), third = work("nor this");
  {
    const Process worker({program("echo_worker"), broker.workers(), "w", "4"},
                         folder.path() / "worker.log");
    Client client({.endpoint = broker.clients()});
    ASSERT_TRUE(client.submit({first}).is_ok());
    const auto ran = client.wait(first.id, std::chrono::seconds(60));
    ASSERT_TRUE(ran.is_ok()) << ran.status().to_string();
    EXPECT_EQ(ran->result, "ran");
    EXPECT_EQ(ran->cached_from, TaskId());
  }
  for (const TaskSpec& answered : {second, third}) {
    Client client({.endpoint = broker.clients()});
    // Nobody works: only the cache can answer. The third is answered by a broker that has read the
    // first one's result from its journal.
    ASSERT_TRUE(client.submit({answered}).is_ok());
    const auto given = client.wait(answered.id, std::chrono::seconds(60));
    ASSERT_TRUE(given.is_ok()) << given.status().to_string();
    EXPECT_EQ(given->state, TaskState::kSucceeded);
    EXPECT_EQ(given->result, "ran");
    EXPECT_EQ(given->cached_from, first.id);
    broker.kill();
    broker.start();
  }
  Client client({.endpoint = broker.clients()});
  const std::vector<TaskId> ids{first.id, second.id, third.id};
  const auto results = client.results(ids);
  ASSERT_TRUE(results.is_ok()) << results.status().to_string();
  ASSERT_EQ(results->size(), 3U);
  for (const TaskResult& result : *results) {
    EXPECT_EQ(result.result, "ran") << result.id.text();
    EXPECT_EQ(result.state, TaskState::kSucceeded);
  }
}

}  // namespace
}  // namespace assay
