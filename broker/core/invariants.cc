#include "broker/core/invariants.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::core {
namespace {

struct Counts {
  std::uint64_t queued = 0, waiting = 0, running = 0, bytes = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

std::string describe(const Counts& counts) {
  return std::to_string(counts.queued) + " queued, " + std::to_string(counts.waiting) +
         " waiting, " + std::to_string(counts.running) + " running, " +
         std::to_string(counts.bytes) + " bytes";
}

// Dependencies that have not ended are counted by whoever waits for them, and what somebody may
// need is still there.
void check_dependencies(const BrokerCore& core, std::vector<std::string>& wrong) {
  const State& state = core.state();
  state.tasks().for_each([&](TaskIndex index) {
    const Task& task = state.tasks().at(index);
    if (!task.details || is_ended(task.state)) return;
    std::uint32_t left = 0;
    for (const TaskId& id : task.details->after) {
      const TaskIndex dependency = state.tasks().find(id);
      if (dependency == kNoTask) {
        wrong.push_back("task " + task.id.text() + " comes after " + id.text() +
                        ", which was forgotten");
      } else if (const auto& details = state.tasks().at(dependency).details;
                 !is_ended(state.tasks().at(dependency).state) &&
                 std::find(details->dependents.begin(), details->dependents.end(), index) !=
                     details->dependents.end()) {
        // One that was dead and lives again has told its dependents, and does not count.
        ++left;
      }
    }
    if (left != task.details->dependencies_left) {
      wrong.push_back("task " + task.id.text() + " counts " +
                      std::to_string(task.details->dependencies_left) + " dependencies and has " +
                      std::to_string(left));
    }
    if (left > 0 && task.state != TaskState::kWaiting) {
      wrong.push_back("task " + task.id.text() + " did not wait for what it comes after");
    }
  });
}

// What is counted as needed is what tasks that need something name.
void check_artifacts(const BrokerCore& core, std::vector<std::string>& wrong) {
  const State& state = core.state();
  std::set<std::string> needed;
  state.tasks().for_each([&](TaskIndex index) {
    const Task& task = state.tasks().at(index);
    if (!task.details) return;
    const bool needs = !is_ended(task.state) || task.state == TaskState::kDead || task.pinned ||
                       task.details->dependents_left > 0;
    if (!needs) return;
    needed.insert(task.details->artifacts.begin(), task.details->artifacts.end());
    needed.insert(task.details->result_artifacts.begin(), task.details->result_artifacts.end());
  });
  const bool all_known = std::all_of(needed.begin(), needed.end(), [&](const auto& hash) {
    return state.artifacts().needs(hash);
  });
  if (!all_known || state.artifacts().size() != needed.size()) {
    wrong.push_back("the artifacts that tasks need are counted as " +
                    std::to_string(state.artifacts().size()) + " and are " +
                    std::to_string(needed.size()));
  }
}

// No owner has more running than its rules allow: a task may begin only below the bound, so at most
// its cost is over.
void check_quotas(const BrokerCore& core, std::vector<std::string>& wrong) {
  const State& state = core.state();
  std::map<OwnerIndex, std::pair<std::uint32_t, std::uint32_t>> running;  // all, and the largest
  state.tasks().for_each([&](TaskIndex index) {
    const Task& task = state.tasks().at(index);
    if (task.state != TaskState::kRunning) return;
    auto& [sum, largest] = running[task.owner];
    sum += task.cost;
    largest = std::max<std::uint32_t>(largest, task.cost);
  });
  for (const auto& [owner, costs] : running) {
    const OwnerState& kept = state.owner_state(owner);
    if (kept.running_cost != costs.first)
      wrong.push_back("the running cost of " + kept.name.value + " is off");
    if (kept.rule.running_cost_max > 0 &&
        costs.first >= kept.rule.running_cost_max + costs.second) {
      wrong.push_back(kept.name.value + " has " + std::to_string(costs.first) +
                      " running and may have " + std::to_string(kept.rule.running_cost_max));
    }
  }
}

// Every running task is held once: by one session, which names its attempt, or by none and it is an
// orphan.
void check_holders(const BrokerCore& core, std::vector<std::string>& wrong) {
  std::map<TaskIndex, int> holders;
  for (const auto& [peer, session] : core.sessions().workers()) {
    for (const auto& [task, lease] : session.held) {
      ++holders[task];
      const Task& held = core.state().tasks().at(task);
      if (held.state != TaskState::kRunning) {
        wrong.push_back(session.name.value + " holds " + held.id.text() + ", which is " +
                        std::string(to_string(held.state)));
      }
      if (held.attempt != lease.attempt.number) {
        wrong.push_back(session.name.value + " holds an old attempt of " + held.id.text());
      }
    }
  }
  for (const auto& [task, deadline] : core.sessions().orphans) ++holders[task];
  core.state().tasks().for_each([&](TaskIndex index) {
    const Task& task = core.state().tasks().at(index);
    const auto found = holders.find(index);
    const int count = found == holders.end() ? 0 : found->second;
    if (count != (task.state == TaskState::kRunning ? 1 : 0)) {
      wrong.push_back("task " + task.id.text() + " is " + std::string(to_string(task.state)) +
                      " and held " + std::to_string(count) + " times");
    }
  });
}

}  // namespace

std::vector<std::string> check_now(const BrokerCore& core) {
  std::vector<std::string> wrong;
  const State& state = core.state();
  std::vector<Counts> seen(state.queues().size());
  std::size_t ended = 0;
  state.tasks().for_each([&](TaskIndex index) {
    const Task& task = state.tasks().at(index);
    Counts& counts = seen[static_cast<std::size_t>(task.queue)];
    switch (task.state) {
      case TaskState::kQueued:
        ++counts.queued;
        break;
      case TaskState::kWaiting:
        ++counts.waiting;
        break;
      case TaskState::kRunning:
        ++counts.running;
        break;
      default:
        ++ended;
        break;
    }
    if (task.state == TaskState::kQueued || task.state == TaskState::kWaiting)
      counts.bytes += task.blob.length;
    const bool waits_for_others = State::waits_for_others(task);
    if (task.state == TaskState::kWaiting &&
        waits_for_others == state.timers().contains({task.changed_at, index})) {
      wrong.push_back("task " + task.id.text() +
                      " waits for other tasks and for a time, or for nothing");
    }
    if (task.last_sequence > state.last_sequence()) {
      wrong.push_back("task " + task.id.text() + " has an event from the future");
    }
  });
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const QueueState& queue = state.queues()[i];
    const Counts kept{queue.queued.size(), queue.waiting, queue.running, queue.bytes};
    if (!(seen[i] == kept)) {
      wrong.push_back("queue " + queue.name.value + " counts " + describe(kept) + " and holds " +
                      describe(seen[i]));
    }
  }
  if (ended != state.ended_count()) wrong.push_back("the count of ended tasks is off");
  check_holders(core, wrong);
  check_dependencies(core, wrong);
  check_artifacts(core, wrong);
  check_quotas(core, wrong);
  return wrong;
}

}  // namespace assay::core
