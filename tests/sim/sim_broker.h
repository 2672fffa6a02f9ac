// The broker's core between a simulated disk and the simulated network. It crashes: before its
// records are written, after, and between any two messages; what was not flushed is gone.
#ifndef ASSAY_TESTS_SIM_SIM_BROKER_H_
#define ASSAY_TESTS_SIM_SIM_BROKER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "tests/sim/checker.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/world.h"

namespace assay::sim {

// One end of a connection, as a simulated peer sees it.
using Receiver = std::function<void(const Message&)>;

class SimBroker {
 public:
  SimBroker(World& world, Checker& checker);

  // A peer connects: a new number. Messages for it go to `receive` over the network.
  core::PeerId connect(core::Door door, Receiver receive);
  // The connection is cut: nothing more arrives over it.
  void disconnect(core::PeerId peer) { links_.erase(peer); }
  // A peer says something; it arrives later, or not.
  void send(core::PeerId peer, Message message);

  const core::BrokerCore& core() const { return *core_; }
  bool is_up() const { return core_ != nullptr; }
  Time wall() const { return wall_; }

 private:
  struct Link {
    core::Door door;
    Receiver receive;
  };
  void start();
  void crash();
  void turn();
  bool schedules_may_wait() const;
  void store(core::Effects& effects);
  void compact();
  void compare_with_a_recovery();
  void deliver(core::Outbound& outbound);
  void every_second();
  void pass_wall_time();

  World& world_;
  Checker& checker_;
  core::CoreOptions options_;
  std::unique_ptr<core::BrokerCore> core_;  // null while the broker is down
  SimDisk disk_;
  std::map<core::PeerId, Link> links_;
  std::vector<core::FromPeer> inbox_;
  Time now() const { return world_.now() + clock_offset_; }

  Duration clock_offset_{0};  // of the machine's clock: it may be set while the broker is down
  std::uint64_t peers_ = 0;
  std::uint64_t lives_ = 0;
  Time wall_;  // runs faster than the rest, and jumps
  Time wall_told_at_;
};

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_SIM_BROKER_H_
