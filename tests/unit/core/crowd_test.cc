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

}  // namespace
}  // namespace assay::core
