// The queued tasks of one queue, and which of them is to run next on a given worker.
//
// The rule, in this order: the highest priority, where a task gains one level for each
// `ageing_step` that it has waited (so that the lowest moves too); within a level, the owner that
// has received least for its weight; within an owner, first come, first served. Owners at their
// quota are passed over, and so are tasks whose labels the worker lacks.
//
// Tasks of one level, one owner and one set of required labels form a lane, a chain through the
// tasks themselves. Each level orders its lanes by their owner's pass: what the owner has received,
// divided by its weight (stride scheduling: Waldspurger and Weihl, 1995). An owner's pass only
// grows, so a lane's place in the order may be stale; it is put right when it comes to the front.
//
// The sets of required labels are in groups (label_groups.h), and each level of a group orders its
// sets by the pass of their first owner. A worker looks into the groups of its own labels, and in
// them past the sets that it does not bear up to the first that it does. So every operation is
// O(log lanes), and a pick that for each label of the worker, whatever the number of tasks, owners
// and sets of labels.
//
// It changes only by State::apply, so it is the same after a recovery.
#ifndef ASSAY_BROKER_CORE_FAIR_QUEUE_H_
#define ASSAY_BROKER_CORE_FAIR_QUEUE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "assay/ids.h"
#include "broker/core/label_groups.h"
#include "broker/core/limits.h"
#include "broker/core/task_chain.h"
#include "broker/core/task_table.h"

namespace assay::core {

// What decides whether a task may go to the worker that asks.
struct PickRules {
  Time now{};
  Duration ageing_step{300'000};
  // Where the sets of labels are that the worker may bear: LabelGroups::borne_by.
  std::span<const LabelGroup> groups;
  // Does the worker bear the labels of this set?
  std::function<bool(RequireIndex)> bears;
  // May this owner have no more running now?
  std::function<bool(OwnerIndex)> at_quota;
};

// What a task's place in the queue depends on beside the task itself.
struct QueuePlace {
  std::uint32_t weight = 1;      // of its owner, from now on
  LabelGroup group = kNoLabels;  // of the labels that it requires
};

class FairQueue {
 public:
  // Behind all of its lane.
  void push_back(TaskTable& tasks, TaskIndex task, const QueuePlace& place);
  // Before all of its lane: it has waited its turn already.
  void push_front(TaskTable& tasks, TaskIndex task, const QueuePlace& place);
  void remove(TaskTable& tasks, TaskIndex task);

  // The task that is to run next, or kNoTask. It stays in the queue. Owners found at their quota
  // are set aside until readmit().
  TaskIndex pick(const TaskTable& tasks, const PickRules& rules);
  // The owner's share has received this task.
  void charge(OwnerIndex owner, std::uint32_t cost);
  // The owner may be below its quota again.
  void readmit(OwnerIndex owner);

  // What the owners have received, for a checkpoint: whoever is not told of begins at `now`.
  struct Passes {
    std::uint64_t now = 0;
    std::map<OwnerIndex, std::uint64_t> by_owner;
  };
  Passes passes() const;
  // After the tasks are back. Passes only grow by this.
  void restore(const Passes& passes);

  std::uint64_t size() const { return size_; }
  // 1 for the next to run: how many would run before it if nothing changed, as well as shares and
  // priorities tell.
  std::uint64_t position(const TaskTable& tasks, TaskIndex task) const;
  // Those who have tasks here.
  std::set<OwnerIndex> owners() const;
  // When the task that has waited longest was submitted.
  std::optional<Time> oldest(const TaskTable& tasks) const;
  // Visits every task, in no particular order.
  void for_each(const TaskTable& tasks, const std::function<void(TaskIndex)>& visit) const;
  // How many picks there were, and lanes and sets of labels that they looked at, together.
  std::uint64_t steps_for_test() const { return steps_; }

 private:
  struct LaneKey {
    std::uint8_t level = 0;
    RequireIndex require{};
    OwnerIndex owner{};
    friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
  };
  struct LaneKeyHash {
    std::size_t operator()(const LaneKey& key) const noexcept {
      return std::hash<std::uint64_t>()(std::uint64_t{key.level} << 56 |
                                        std::uint64_t{static_cast<std::uint16_t>(key.require)}
                                            << 32 |
                                        static_cast<std::uint32_t>(key.owner));
    }
  };
  struct Lane {
    TaskChain chain;
    std::uint64_t listed_pass = 0;  // its place in the order of its level
    bool is_listed = false;         // false: set aside, its owner is at its quota
  };
  struct Share {
    std::uint64_t pass = 0;
    std::uint32_t weight = 1;
    std::uint64_t queued = 0;
    std::vector<LaneKey> set_aside;
  };
  // The owners of one set and level that may run, by pass.
  using Owners = std::set<std::pair<std::uint64_t, OwnerIndex>>;
  struct LabelSet {
    LabelGroup group = kNoLabels;
    std::uint64_t lanes = 0;  // listed or set aside
    std::array<Owners, kPriorityCount> levels;
  };
  // The sets of one group and level in which somebody may run, by the pass of their first owner.
  using Sets = std::set<std::pair<std::uint64_t, RequireIndex>>;
  struct Group {
    std::uint64_t sets = 0;
    std::uint16_t levels_in_use = 0;  // bit by bit: those that are not empty
    std::array<Sets, kPriorityCount> levels;
  };
  struct Candidate {
    TaskIndex task = kNoTask;
    std::int64_t level = -1;  // its own and what it has gained
    std::uint64_t pass = 0;
  };

  static LaneKey key_of(const Task& task);
  Lane& open_lane(const Task& task, const QueuePlace& place);
  void close_lane(const LaneKey& key);
  void list(const LaneKey& key, Lane& lane, std::uint64_t pass);
  void unlist(const LaneKey& key, Lane& lane);
  // The set's first owner was at `before`: its place in its group follows.
  void rank(const LaneKey& key, std::optional<std::uint64_t> before);
  // The lane of this group and level that is first among those that the worker may take.
  std::optional<LaneKey> first_lane(const Group& group, std::uint8_t level, const PickRules& rules);
  // The first owner of this set who may run, or nothing.
  std::optional<OwnerIndex> first_owner(std::uint8_t level, RequireIndex require,
                                        const PickRules& rules);
  Candidate candidate(const TaskTable& tasks, const LaneKey& key, const PickRules& rules) const;

  std::unordered_map<LaneKey, Lane, LaneKeyHash> lanes_;
  std::unordered_map<OwnerIndex, Share> shares_;
  std::unordered_map<RequireIndex, LabelSet> sets_;
  std::unordered_map<LabelGroup, Group> groups_;
  std::uint64_t pass_now_ = 0;  // of the owner that was served last: where newcomers begin
  std::uint64_t steps_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_FAIR_QUEUE_H_
