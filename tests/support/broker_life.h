// A broker's core over its storage in a simulated file system, with one client and one worker who
// keep it busy. Everything follows from the seed, so a test can break each operation in turn.
#ifndef ASSAY_TESTS_SUPPORT_BROKER_LIFE_H_
#define ASSAY_TESTS_SUPPORT_BROKER_LIFE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/net/storage.h"
#include "tests/support/simulated_file_system.h"

namespace assay::testing {

class BrokerLife {
 public:
  BrokerLife(SimulatedFileSystem& files, std::uint64_t seed);

  // Opens the storage and recovers from it. After a failure, or a crash, begin again with this.
  Status start();
  // One turn: something is submitted, something is reported, all is stored.
  Status turn();
  // Called in each turn when all is stored, before anything else happens.
  std::function<void()> on_stored = [] {};

  // The state as the storage gives it, bodies and results included.
  std::string state();
  net::Storage& storage() { return *storage_; }
  const core::BrokerCore& core() const { return *core_; }
  const net::Recovery& recovery() const { return recovery_; }
  // The first blob that could not be read; ok: all could.
  const Status& unreadable() const { return unreadable_; }

  static net::JournalSettings settings();
  static core::CoreOptions rules();

 private:
  void say(core::Effects& effects, core::PeerId peer, core::Door door, Message message);
  void submit(core::Effects& effects);
  void report(core::Effects& effects);
  Status settle(core::Effects& effects);

  SimulatedFileSystem& files_;
  std::mt19937_64 random_;
  std::unique_ptr<core::BrokerCore> core_;
  std::unique_ptr<net::Storage> storage_;
  net::Recovery recovery_;
  Status unreadable_;
  Time now_{std::chrono::hours(24 * 365 * 50)};
  std::uint64_t ids_ = 0;
  std::uint64_t lives_ = 0;
  std::vector<HeldAttempt> held_;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SUPPORT_BROKER_LIFE_H_
