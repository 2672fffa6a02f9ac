// SNAPSHOT: where tasks stand, in pages that one message can carry.
#include <gtest/gtest.h>

#include <set>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

constexpr PeerId kClient{1};
constexpr std::uint8_t kTasks = 250;

TaskId id_of(std::uint8_t number) {
  TaskId id;
  id.bytes[15] = number;
  return id;
}

class SnapshotTest : public testing::Test {
 protected:
  void SetUp() override {
    Effects effects;
    core_.start(kNow, {QueueName("eval")}, effects);
    step(ClientHello{});
  }

  Effects step(Message message) {
    Effects effects;
    core_.step({kNow, FromPeer{kClient, Door::kClients, std::move(message)}}, effects);
    core_.step({kNow, Tick{}}, effects);
    return effects;
  }

  Snapshot page(std::vector<TaskId> tasks, TaskId after) {
    SnapshotRequest request;
    request.tasks = std::move(tasks);
    request.after = after;
    request.limit = 1000;
    return std::get<Snapshot>(step(request).send.at(0).message);
  }

  static constexpr Time kNow{Duration(1'000'000)};
  BrokerCore core_{CoreOptions()};
};

TEST_F(SnapshotTest, APageEndsWhereItsBytesDoAndTheNextGoesOn) {
  std::vector<TaskId> ids;
  for (std::uint8_t number = 1; number <= kTasks; ++number) {
    TaskSpec task;
    task.id = id_of(number);
    task.queue = QueueName("eval");
    task.owner = OwnerName("ann");
    ids.push_back(task.id);
    step(Submit{.request = 1, .tasks = {task}});
    step(Cancel{.request = 2, .ids = {task.id}, .reason = std::string(kTextBytesMax, 'r')});
  }
  std::set<TaskId> told;
  TaskId after;
  int pages = 0;
  for (bool complete = false; !complete; ++pages) {
    const Snapshot snapshot = page(ids, after);
    ASSERT_FALSE(snapshot.events.empty());
    std::size_t bytes = 0;
    for (const FeedEvent& event : snapshot.events) {
      bytes += answer_bytes_of(event);
      EXPECT_TRUE(told.insert(event.task).second) << event.task.text() << " was told twice";
    }
    EXPECT_LE(bytes, kResultBytesPerPushMax + 2 * kTextBytesMax);
    after = snapshot.events.back().task;
    complete = snapshot.complete;
  }
  EXPECT_EQ(told.size(), std::size_t{kTasks});
  EXPECT_GT(pages, 1);
}

}  // namespace
}  // namespace assay::core
