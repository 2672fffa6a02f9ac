#include "tests/sim/simulation.h"

#include <memory>
#include <vector>

#include "tests/sim/checker.h"
#include "tests/sim/sim_broker.h"
#include "tests/sim/sim_peers.h"
#include "tests/sim/world.h"

namespace assay::sim {

Verdict simulate(const Options& options) {
  World world(options);
  Checker checker(world);
  SimBroker broker(world, checker);
  std::vector<std::unique_ptr<SimWorker>> workers;
  std::vector<std::unique_ptr<SimClient>> clients;
  for (int i = 0; i < options.workers; ++i) {
    workers.push_back(std::make_unique<SimWorker>(world, checker, broker, i));
  }
  for (int i = 0; i < options.clients; ++i) {
    clients.push_back(std::make_unique<SimClient>(world, checker, broker, i,
                                                  options.tasks / options.clients + 1));
  }

  const Time peace = world.now() + options.trouble;
  while (world.wrong().empty() && world.run_next(peace)) {
  }
  world.heal();
  // In peace every attempt takes seconds; the longest way is a task that is tried to its end after
  // every lease ran out.
  const Time end = peace + std::chrono::minutes(10);
  const auto finished = [&] {
    if (!checker.all_ended()) return false;
    for (const auto& client : clients) {
      if (!client->has_all_results()) return false;
    }
    return true;
  };
  while (world.wrong().empty() && !finished() && world.run_next(end)) {
  }
  if (options.schedules) {
    // Long enough for a broker that was down to be back.
    const Time back = world.now() + std::chrono::seconds(8);
    while (world.wrong().empty() && world.run_next(back)) {
    }
    checker.demand_schedules(broker.wall());
    const Time rest = world.now() + std::chrono::minutes(10);
    while (world.wrong().empty() && !finished() && world.run_next(rest)) {
    }
  }
  if (world.wrong().empty()) {
    checker.demand_ends();
    for (const auto& client : clients) {
      if (!client->has_all_results()) world.fail("a client never got all its results");
    }
  }
  return {world.wrong(), world.marks(), checker.acknowledged_count()};
}

}  // namespace assay::sim
