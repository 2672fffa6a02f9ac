#include "broker/core/fair_queue.h"

#include <algorithm>

#include "assay/status.h"

namespace assay::core {
namespace {

// What one unit of cost adds to the pass of an owner of weight 1. Large, so that weights up to 1000
// divide it finely.
constexpr std::uint64_t kStride = 1 << 20;

}  // namespace

FairQueue::LaneKey FairQueue::key_of(const Task& task) {
  return {task.priority, task.require, task.owner};
}

void FairQueue::push_back(TaskTable& tasks, TaskIndex task, const QueuePlace& place) {
  open_lane(tasks.at(task), place).chain.push_back(tasks, task);
}

void FairQueue::push_front(TaskTable& tasks, TaskIndex task, const QueuePlace& place) {
  open_lane(tasks.at(task), place).chain.push_front(tasks, task);
}

FairQueue::Lane& FairQueue::open_lane(const Task& task, const QueuePlace& place) {
  const LaneKey key = key_of(task);
  Share& share = shares_[key.owner];
  // Who was away begins where the others are: absence earns nothing.
  if (share.queued == 0) share.pass = std::max(share.pass, pass_now_);
  share.weight = std::max(1U, place.weight);
  ++share.queued;
  ++size_;
  const auto [found, is_new] = lanes_.try_emplace(key);
  if (!is_new) return found->second;
  const auto [set, is_new_set] = sets_.try_emplace(key.require);
  if (is_new_set) {
    set->second.group = place.group;
    ++groups_[place.group].sets;
  }
  ++set->second.lanes;
  list(key, found->second, share.pass);
  return found->second;
}

void FairQueue::remove(TaskTable& tasks, TaskIndex task) {
  const LaneKey key = key_of(tasks.at(task));
  const auto found = lanes_.find(key);
  ASSAY_ASSERT(found != lanes_.end());
  found->second.chain.remove(tasks, task);
  Share& share = shares_.at(key.owner);
  --share.queued;
  --size_;
  if (!found->second.chain.empty()) return;
  if (found->second.is_listed) {
    unlist(key, found->second);
  } else {
    std::erase(share.set_aside, key);
  }
  close_lane(key);
}

// With the last lane of a set goes the set, and with the last set its group: a queue keeps no more
// than what waits in it. Only what requires nothing stays, since it comes back all the time.
void FairQueue::close_lane(const LaneKey& key) {
  lanes_.erase(key);
  const auto set = sets_.find(key.require);
  if (--set->second.lanes > 0 || set->second.group == kNoLabels) return;
  const auto group = groups_.find(set->second.group);
  sets_.erase(set);
  if (--group->second.sets == 0) groups_.erase(group);
}

TaskIndex FairQueue::pick(const TaskTable& tasks, const PickRules& rules) {
  Candidate best;
  ++steps_;
  for (const LabelGroup number : rules.groups) {
    const auto found = groups_.find(number);
    if (found == groups_.end()) continue;
    const Group& group = found->second;
    for (std::size_t level = kPriorityCount; level-- > 0;) {
      if ((group.levels_in_use >> level & 1) == 0) continue;
      const auto lane = first_lane(group, static_cast<std::uint8_t>(level), rules);
      if (!lane) continue;
      const Candidate other = candidate(tasks, *lane, rules);
      const bool is_fairer = other.level == best.level && other.pass < best.pass;
      if (other.level > best.level || is_fairer) best = other;
    }
  }
  return best.task;
}

FairQueue::Candidate FairQueue::candidate(const TaskTable& tasks, const LaneKey& key,
                                          const PickRules& rules) const {
  const TaskIndex front = lanes_.at(key).chain.first;
  const auto gained = (rules.now - tasks.at(front).changed_at) / rules.ageing_step;
  return {.task = front,
          .level = std::int64_t{key.level} + std::max<std::int64_t>(0, gained),
          .pass = shares_.at(key.owner).pass};
}

std::optional<FairQueue::LaneKey> FairQueue::first_lane(const Group& group, std::uint8_t level,
                                                        const PickRules& rules) {
  const Sets& sets = group.levels[level];
  for (auto at = sets.begin(); at != sets.end();) {
    ++steps_;
    const auto place = *at;
    if (!rules.bears(place.second)) {
      ++at;
      continue;
    }
    // Whoever was first may have been served since, or be at its quota: then the set stands
    // further back now, or nowhere, and what follows its old place is looked at.
    const auto owner = first_owner(level, place.second, rules);
    if (owner && shares_.at(*owner).pass == place.first)
      return LaneKey{level, place.second, *owner};
    at = sets.lower_bound(place);
  }
  return std::nullopt;
}

std::optional<OwnerIndex> FairQueue::first_owner(std::uint8_t level, RequireIndex require,
                                                 const PickRules& rules) {
  const Owners& owners = sets_.at(require).levels[level];
  while (!owners.empty()) {
    ++steps_;
    const auto [pass, owner] = *owners.begin();
    const LaneKey key{level, require, owner};
    Lane& lane = lanes_.at(key);
    Share& share = shares_.at(owner);
    if (rules.at_quota(owner)) {
      unlist(key, lane);
      share.set_aside.push_back(key);
    } else if (pass < share.pass) {
      unlist(key, lane);
      list(key, lane, share.pass);
    } else {
      return owner;
    }
  }
  return std::nullopt;
}

void FairQueue::charge(OwnerIndex owner, std::uint32_t cost) {
  Share& share = shares_[owner];
  pass_now_ = std::max(pass_now_, share.pass);
  share.pass += std::max(1U, cost) * kStride / share.weight;
}

FairQueue::Passes FairQueue::passes() const {
  Passes passes{.now = pass_now_, .by_owner = {}};
  for (const auto& [owner, share] : shares_) {
    if (share.queued > 0 || share.pass > pass_now_) passes.by_owner.emplace(owner, share.pass);
  }
  return passes;
}

void FairQueue::restore(const Passes& passes) {
  pass_now_ = passes.now;
  for (const auto& [owner, pass] : passes.by_owner) shares_[owner].pass = pass;
}

void FairQueue::readmit(OwnerIndex owner) {
  const auto found = shares_.find(owner);
  if (found == shares_.end()) return;
  for (const LaneKey& key : found->second.set_aside) list(key, lanes_.at(key), found->second.pass);
  found->second.set_aside.clear();
}

void FairQueue::list(const LaneKey& key, Lane& lane, std::uint64_t pass) {
  Owners& owners = sets_.at(key.require).levels[key.level];
  const auto before = owners.empty() ? std::nullopt : std::optional(owners.begin()->first);
  owners.emplace(pass, key.owner);
  lane.listed_pass = pass;
  lane.is_listed = true;
  rank(key, before);
}

void FairQueue::unlist(const LaneKey& key, Lane& lane) {
  Owners& owners = sets_.at(key.require).levels[key.level];
  const std::uint64_t before = owners.begin()->first;
  owners.erase({lane.listed_pass, key.owner});
  lane.is_listed = false;
  rank(key, before);
}

void FairQueue::rank(const LaneKey& key, std::optional<std::uint64_t> before) {
  const LabelSet& set = sets_.at(key.require);
  const Owners& owners = set.levels[key.level];
  const auto now = owners.empty() ? std::nullopt : std::optional(owners.begin()->first);
  if (now == before) return;
  Group& group = groups_.at(set.group);
  Sets& sets = group.levels[key.level];
  if (before) sets.erase({*before, key.require});
  if (now) sets.emplace(*now, key.require);
  const auto bit = static_cast<std::uint16_t>(1U << key.level);
  group.levels_in_use = static_cast<std::uint16_t>(sets.empty() ? group.levels_in_use & ~bit
                                                                : group.levels_in_use | bit);
}

std::uint64_t FairQueue::position(const TaskTable& tasks, TaskIndex task) const {
  const LaneKey mine = key_of(tasks.at(task));
  const auto lane = lanes_.find(mine);
  if (lane == lanes_.end()) return 0;
  std::uint64_t rank = 1;
  for (TaskIndex at = lane->second.chain.first; at != task; at = tasks.at(at).next) {
    if (at == kNoTask) return 0;
    ++rank;
  }
  // Before it: all of the higher levels, and of the others in its own level as many as their weight
  // gives them.
  std::uint64_t before = rank - 1;
  const double weight = shares_.at(mine.owner).weight;
  for (const auto& [key, other] : lanes_) {
    if (key.level > mine.level) before += other.chain.size;
    if (key.level != mine.level || key.owner == mine.owner) continue;
    const double theirs = static_cast<double>(rank) * shares_.at(key.owner).weight / weight;
    before += std::min(other.chain.size, static_cast<std::uint64_t>(theirs));
  }
  return before + 1;
}

std::set<OwnerIndex> FairQueue::owners() const {
  std::set<OwnerIndex> owners;
  for (const auto& [key, lane] : lanes_) owners.insert(key.owner);
  return owners;
}

std::optional<Time> FairQueue::oldest(const TaskTable& tasks) const {
  std::optional<Time> oldest;
  for (const auto& [key, lane] : lanes_) {
    const Time since = tasks.at(lane.chain.first).submitted_at;
    oldest = oldest ? std::min(*oldest, since) : since;
  }
  return oldest;
}

void FairQueue::for_each(const TaskTable& tasks,
                         const std::function<void(TaskIndex)>& visit) const {
  for (const auto& [key, lane] : lanes_) {
    for (TaskIndex at = lane.chain.first; at != kNoTask; at = tasks.at(at).next) visit(at);
  }
}

}  // namespace assay::core
