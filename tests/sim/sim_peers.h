// Simulated producers and workers. They keep the rules of docs/protocol.md and nothing more: they
// crash, pause, lose their connection, and repeat themselves.
#ifndef ASSAY_TESTS_SIM_SIM_PEERS_H_
#define ASSAY_TESTS_SIM_SIM_PEERS_H_

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checker.h"
#include "tests/sim/sim_broker.h"
#include "tests/sim/world.h"

namespace assay::sim {

class SimClient {
 public:
  SimClient(World& world, Checker& checker, SimBroker& broker, int number, int tasks);
  bool has_all_results() const { return unsubmitted_.empty() && !pending_ && waiting_.empty(); }

 private:
  void connect();
  void receive(const Message& message);
  void every_second();
  void submit_more();
  void make_tasks(int count);
  void ask_for_more(TaskSpec& task);
  void on(const Error& error);

  World& world_;
  Checker& checker_;
  SimBroker& broker_;
  int number_;
  core::PeerId peer_{};
  bool greeted_ = false;
  Time heard_{};
  std::uint64_t requests_ = 0;
  std::deque<TaskSpec> unsubmitted_;
  std::optional<Submit> pending_;  // sent and not answered: repeated as it is
  std::set<TaskId> waiting_;       // acknowledged, without a result
};

class SimWorker {
 public:
  SimWorker(World& world, Checker& checker, SimBroker& broker, int number);

 private:
  struct Held {
    Attempt attempt;
    Time done_at{};
    bool cancelled = false;
    std::optional<TaskReport> report;
  };

  void be_born(bool same_name = false);
  void connect();
  void receive(const Message& message);
  void on(const Welcome& welcome);
  void on(const Tasks& tasks);
  void on(const Recorded& recorded);
  void on(const Stop& stop);
  void drop(const std::vector<HeldAttempt>& which);
  void every_moment();
  void work();
  TaskReport report_for(const TaskId& id, const Held& held);
  std::vector<HeldAttempt> holding() const;
  WorkerHello hello() const;

  World& world_;
  Checker& checker_;
  SimBroker& broker_;
  int number_;
  int life_ = 0;
  WorkerName name_;
  std::uint32_t slots_ = 1;
  bool leaving_ = false;  // it hands over what it holds, and another takes its place
  std::map<std::string, std::string> labels_;
  core::PeerId peer_{};
  bool greeted_ = false;
  Time heard_{};
  Time spoke_{};
  Time paused_until_{};
  std::map<TaskId, Held> held_;
};

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_SIM_PEERS_H_
