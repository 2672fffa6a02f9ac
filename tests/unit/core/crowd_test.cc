// How often workers are asked to beat when there are many.
#include <gtest/gtest.h>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

// What the worker with this number is told when it joins.
Duration beat_of(BrokerCore& core, std::uint64_t number) {
  WorkerHello hello;
  hello.name = WorkerName("w" + std::to_string(number));
  hello.queues = {QueueName("eval")};
  Effects effects;
  core.step({Time(Duration(1000)), FromPeer{PeerId{number}, Door::kWorkers, hello}}, effects);
  return std::get<Welcome>(effects.send.at(0).message).heartbeat_every;
}

TEST(Crowd, FewWorkersBeatAsConfigured) {
  BrokerCore core{CoreOptions()};
  EXPECT_EQ(beat_of(core, 1), Duration(1000));
  EXPECT_EQ(beat_of(core, 2), Duration(1000));
}

TEST(Crowd, ManyBeatMoreRarelyButThriceALease) {
  BrokerCore core{CoreOptions()};
  for (std::uint64_t i = 1; i <= 2000; ++i) beat_of(core, i);
  EXPECT_EQ(beat_of(core, 2001), Duration(2001));
  for (std::uint64_t i = 2002; i <= 5000; ++i) beat_of(core, i);
  EXPECT_EQ(beat_of(core, 5001), Duration(3333));
}

TEST(Crowd, AnIntervalThatIsLongAnywayStays) {
  CoreOptions options;
  options.heartbeat_every = Duration(5000);
  BrokerCore core(options);
  for (std::uint64_t i = 1; i <= 5000; ++i) beat_of(core, i);
  EXPECT_EQ(beat_of(core, 5001), Duration(5000));
}

// A task that nobody here may have: whoever beats does not make all the others be asked again.
TEST(Crowd, IdleWorkersThatBeatAreNotAskedForATaskThatTheyCannotHave) {
  BrokerCore core{CoreOptions()};
  constexpr std::uint64_t kWorkers = 1000;
  for (std::uint64_t i = 1; i <= kWorkers; ++i) beat_of(core, i);
  const PeerId client{5000};
  const Time now(Duration(1000));
  TaskSpec task;
  task.id = TaskId::make(now);
  task.queue = QueueName("eval");
  task.owner = OwnerName("ann");
  task.require = {{"gpu", "a100"}};
  Effects effects;
  core.step({now, FromPeer{client, Door::kClients, ClientHello{}}}, effects);
  core.step({now, FromPeer{client, Door::kClients, Submit{.request = 1, .tasks = {task}}}},
            effects);
  core.step({now, Tick{.wall = now}}, effects);
  const FairQueue& queue = core.state().queue(*core.state().find_queue(task.queue)).queued;
  ASSERT_EQ(queue.size(), 1U);
  const std::uint64_t before = queue.steps_for_test();
  for (std::uint64_t i = 1; i <= kWorkers; ++i) {
    core.step({now, FromPeer{PeerId{i}, Door::kWorkers, Heartbeat{.slots = 1}}}, effects);
    core.step({now, Tick{.wall = now}}, effects);
  }
  EXPECT_EQ(queue.steps_for_test(), before);
  // One that may have it is asked when it comes.
  WorkerHello hello;
  hello.name = WorkerName("able");
  hello.queues = {task.queue};
  hello.slots = 1;
  hello.labels = {{"gpu", "a100"}};
  core.step({now, FromPeer{PeerId{6000}, Door::kWorkers, hello}}, effects);
  core.step({now, Tick{.wall = now}}, effects);
  EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace assay::core
