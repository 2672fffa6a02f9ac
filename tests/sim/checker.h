// What the world was promised, and whether it is kept. It sees what became durable and what peers
// were told, and knows nothing of the broker's insides.
#ifndef ASSAY_TESTS_SIM_CHECKER_H_
#define ASSAY_TESTS_SIM_CHECKER_H_

#include <map>
#include <set>
#include <string>
#include <utility>

#include "assay/message.h"
#include "broker/core/record.h"
#include "tests/sim/world.h"

namespace assay::sim {

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}

  // A record reached the disk.
  void on_durable(const core::Record& record, const std::string& blob, Time wall);
  // The broker died, or took nothing, or the wall clock jumped: due times may be passed over now.
  void on_schedules_held_up();
  // A worker was given an attempt.
  void on_dispatched(const TaskAssignment& task);
  // A client was told that its tasks are accepted.
  void on_acknowledged(const Submit& submit);
  void on_result(const TaskResult& result);
  // A worker was told that its report counts.
  void on_recorded(const HeldAttempt& which);
  // At the end of everything: every accepted task has ended.
  void demand_ends();
  // Every schedule has made a task for its latest due time.
  void demand_schedules(Time wall);

  std::size_t acknowledged_count() const { return acknowledged_.size(); }
  bool all_ended() const;

 private:
  void on_inputs(const TaskAssignment& task);
  void on_fired(const core::ScheduleFired& fired, Time wall);
  struct Ended {
    TaskState state;
    Attempt attempt;
    std::string result;
    bool by_report = false;
  };
  // What a task's attempts have come to, by the records alone.
  struct Run {
    std::uint32_t attempt = 0;
    bool is_open = false;
    bool handed_over = false;
  };
  void on_leased(const core::TaskLeased& leased);
  void on_ended(const core::TaskEnded& ended, const std::string& blob);
  void on_given_back(const core::AttemptEnded& ended);

  World& world_;
  std::map<TaskId, std::string> submitted_;  // with their bodies
  std::map<TaskId, Ended> ended_;
  std::set<HeldAttempt> given_back_;
  std::map<TaskId, Run> runs_;
  std::set<TaskId> acknowledged_;
  struct Schedule {
    core::Cron cron;
    Time settled{};
    bool held_up = false;  // since then
  };
  std::map<std::string, Schedule> schedules_;
};

// The body that a simulated client gives a task: the worker must be handed the same.
std::string body_of(const TaskId& id);
// What a simulated worker reports for an attempt.
std::string result_of(const TaskId& id, Attempt attempt);

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_CHECKER_H_
