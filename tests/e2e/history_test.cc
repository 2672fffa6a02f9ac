// What the broker's memory has let go is answered from the history, as if it were still there; also
// after the broker was killed.
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "assay/client.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::http_get;
using support::Process;
using support::program;

constexpr std::size_t kTasks = 1500;
constexpr std::size_t kKept = 1000;  // in memory, the least that can be configured

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

class BrokerHistory : public testing::Test {
 protected:
  void run_tasks() {
    Client client({.endpoint = broker_.clients()});
    std::vector<TaskSpec> tasks;
    for (std::size_t i = 0; i < kTasks; ++i) {
      TaskSpec task;
      task.id = TaskId::make(wall_clock());
      task.queue = QueueName("echo");
      task.owner = OwnerName(i % 2 == 0 ? "ann" : "bob");
      task.body = "task " + std::to_string(i);
      ids_.push_back(task.id);
      tasks.push_back(std::move(task));
    }
    ASSERT_TRUE(client.submit(tasks).is_ok());
    std::vector<TaskId> waiting = ids_;
    while (!waiting.empty()) {
      auto ended = client.wait_any(waiting, std::chrono::seconds(30));
      ASSERT_TRUE(ended.is_ok()) << ended.status().to_string();
      std::set<TaskId> done;
      for (const TaskResult& result : *ended) done.insert(result.id);
      std::erase_if(waiting, [&](const TaskId& id) { return done.contains(id); });
    }
    // Memory lets go between turns, and the history is written behind: both within moments.
    ASSERT_TRUE(support::eventually(
        [&] {
          return http_get(broker_.http(), "/metrics").find("assay_history_lag_records 0\n") !=
                 std::string::npos;
        },
        std::chrono::seconds(30)));
  }

  support::TemporaryFolder folder_;
  BrokerProcess broker_{folder_.path(),
                        {"--queues", "echo", "--ended-tasks-kept-max", std::to_string(kKept)}};
  Process worker_{std::vector<std::string>{program("echo_worker"), broker_.workers(), "w", "64"},
                  folder_.path() / "worker.log"};
  std::vector<TaskId> ids_;
};

TEST_F(BrokerHistory, WhatMemoryLetGoIsAnsweredAsIfItWereThere) {
  run_tasks();
  for (int life = 0; life < 2; ++life) {
    Client client({.endpoint = broker_.clients()});
    const auto results = client.results(ids_);
    ASSERT_TRUE(results.is_ok()) << results.status().to_string();
    ASSERT_EQ(results->size(), kTasks);
    std::set<std::string> bodies;
    for (const TaskResult& result : *results) bodies.insert(result.result);
    EXPECT_EQ(bodies.size(), kTasks);

    for (const TaskId& id : {ids_.front(), ids_.back()}) {
      const auto status = client.status(id.text());
      ASSERT_TRUE(status.is_ok()) << status.status().to_string();
      EXPECT_EQ(status->id, id);
      EXPECT_EQ(status->state, TaskState::kSucceeded);
      ASSERT_EQ(status->attempts.size(), 1U);
      EXPECT_EQ(status->attempts[0].worker.value, "w");
    }
    const auto unknown = client.status(TaskId::make(wall_clock()).text());
    EXPECT_EQ(unknown.status().reason(), "unknown_task");
    const auto ambiguous = client.status(ids_.front().text().substr(0, 6));
    EXPECT_EQ(ambiguous.status().reason(), "ambiguous_id");
    broker_.kill();
    broker_.start();
  }
}

TEST_F(BrokerHistory, AListGoesOverMemoryAndHistoryPageByPage) {
  run_tasks();
  Client client({.endpoint = broker_.clients()});
  std::set<TaskId> listed;
  ListRequest request;
  request.limit = 400;
  int pages = 0;
  for (;; ++pages) {
    const auto page = client.list(request);
    ASSERT_TRUE(page.is_ok()) << page.status().to_string();
    for (const TaskInfo& task : page->tasks) EXPECT_TRUE(listed.insert(task.id).second);
    if (page->complete) break;
    ASSERT_FALSE(page->tasks.empty());
    request.after = page->tasks.back().id;
  }
  EXPECT_EQ(listed.size(), kTasks);
  EXPECT_EQ(pages, 3);

  ListRequest of_ann;
  of_ann.owner = OwnerName("ann");
  of_ann.limit = 1000;
  const auto page = client.list(of_ann);
  ASSERT_TRUE(page.is_ok()) << page.status().to_string();
  EXPECT_EQ(page->tasks.size(), kTasks / 2);
  EXPECT_TRUE(page->complete);
}

TEST_F(BrokerHistory, ChangesOfStateAreToldInOrderAcrossRestarts) {
  run_tasks();
  broker_.kill();
  broker_.start();
  Client client({.endpoint = broker_.clients()});
  std::map<TaskId, std::vector<TaskState>> stories;
  EventsRequest request;
  request.kinds = {EventKind::kState};
  for (;;) {
    const auto events = client.events(request);
    ASSERT_TRUE(events.is_ok()) << events.status().to_string();
    for (const FeedEvent& event : events->events) {
      ASSERT_GT(event.sequence, request.after);
      request.after = event.sequence;
      if (event.kind == EventKind::kState) stories[event.task].push_back(event.state);
    }
    if (events->complete) break;
  }
  EXPECT_EQ(stories.size(), kTasks);
  const std::vector<TaskState> expected{TaskState::kQueued, TaskState::kRunning,
                                        TaskState::kSucceeded};
  for (const auto& [id, states] : stories) EXPECT_EQ(states, expected) << id.text();
}

TEST_F(BrokerHistory, UsageIsSummedByOwnerAndByQueue) {
  run_tasks();
  Client client({.endpoint = broker_.clients()});
  const auto by_owner = client.usage({.by = UsageBy::kOwner});
  ASSERT_TRUE(by_owner.is_ok()) << by_owner.status().to_string();
  ASSERT_EQ(by_owner->size(), 2U);
  EXPECT_EQ((*by_owner)[0].key, "ann");
  EXPECT_EQ((*by_owner)[0].tasks, kTasks / 2);
  EXPECT_EQ((*by_owner)[0].succeeded, kTasks / 2);
  const auto by_queue = client.usage({.by = UsageBy::kQueue});
  ASSERT_TRUE(by_queue.is_ok()) << by_queue.status().to_string();
  ASSERT_EQ(by_queue->size(), 1U);
  EXPECT_EQ((*by_queue)[0].key, "echo");
  EXPECT_EQ((*by_queue)[0].tasks, kTasks);
}

TEST_F(BrokerHistory, ARebuiltHistoryAnswersTheSame) {
  run_tasks();
  broker_.process().signal(SIGTERM);
  ASSERT_EQ(broker_.process().wait(), 0);
  std::filesystem::resize_file(broker_.data() / "history.db", 100);  // damaged
  std::filesystem::remove(broker_.data() / "history.db-wal");
  broker_.start();
  Client client({.endpoint = broker_.clients()});
  EXPECT_EQ(client.status(ids_.front().text()).status().reason(), "history_unavailable");
  EXPECT_TRUE(client.status(ids_.back().text()).is_ok());  // the broker goes on without it
  broker_.process().signal(SIGTERM);
  ASSERT_EQ(broker_.process().wait(), 0);
  BrokerProcess again(folder_.path(), {"--queues", "echo", "--ended-tasks-kept-max",
                                       std::to_string(kKept), "--history-rebuild"});
  Client there({.endpoint = again.clients()});
  EXPECT_TRUE(support::eventually([&] { return there.status(ids_.front().text()).is_ok(); },
                                  std::chrono::seconds(30)));
}

}  // namespace
}  // namespace assay
