#include "broker/core/fair_queue.h"

#include <algorithm>

#include "assay/status.h"

namespace assay::core {
namespace {

// What one unit of cost adds to the pass of an owner of weight 1. Large, so that weights up to 1000
// divide it finely.
constexpr std::uint64_t kStride = 1 << 20;

std::size_t position_of(RequireIndex require) {
  return static_cast<std::size_t>(require);
}

}  // namespace

FairQueue::LaneKey FairQueue::key_of(const Task& task) {
  return {task.priority, task.require, task.owner};
}

void FairQueue::push_back(TaskTable& tasks, TaskIndex task, std::uint32_t weight) {
  open_lane(tasks.at(task), weight).chain.push_back(tasks, task);
}

void FairQueue::push_front(TaskTable& tasks, TaskIndex task, std::uint32_t weight) {
  open_lane(tasks.at(task), weight).chain.push_front(tasks, task);
}

FairQueue::Lane& FairQueue::open_lane(const Task& task, std::uint32_t weight) {
  const LaneKey key = key_of(task);
  Share& share = shares_[key.owner];
  // Who was away begins where the others are: absence earns nothing.
  if (share.queued == 0) share.pass = std::max(share.pass, pass_now_);
  share.weight = std::max(1U, weight);
  ++share.queued;
  ++size_;
  const auto [found, is_new] = lanes_.try_emplace(key);
  if (is_new) list(key, found->second, share.pass);
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
  lanes_.erase(found);
}

TaskIndex FairQueue::pick(const TaskTable& tasks, const PickRules& rules) {
  TaskIndex best = kNoTask;
  std::int64_t best_level = -1;
  for (std::size_t require = 0; require < orders_.size(); ++require) {
    const auto labels = RequireIndex{static_cast<std::uint16_t>(require)};
    bool is_borne = false;
    for (std::size_t level = kPriorityCount; level-- > 0;) {
      if (orders_[require][level].empty()) continue;
      if (!is_borne && !rules.bears(labels)) break;
      is_borne = true;
      const auto owner = first_owner(static_cast<std::uint8_t>(level), labels, rules);
      if (!owner) continue;
      const TaskIndex front =
          lanes_.at({static_cast<std::uint8_t>(level), labels, *owner}).chain.first;
      const auto gained = (rules.now - tasks.at(front).changed_at) / rules.ageing_step;
      const std::int64_t aged_level =
          static_cast<std::int64_t>(level) + std::max<std::int64_t>(0, gained);
      if (aged_level > best_level) {
        best = front;
        best_level = aged_level;
      }
    }
  }
  return best;
}

std::optional<OwnerIndex> FairQueue::first_owner(std::uint8_t level, RequireIndex require,
                                                 const PickRules& rules) {
  Order& order = orders_[position_of(require)][level];
  while (!order.empty()) {
    const auto [pass, owner] = *order.begin();
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
  if (orders_.size() <= position_of(key.require)) orders_.resize(position_of(key.require) + 1);
  orders_[position_of(key.require)][key.level].emplace(pass, key.owner);
  lane.listed_pass = pass;
  lane.is_listed = true;
}

void FairQueue::unlist(const LaneKey& key, Lane& lane) {
  orders_[position_of(key.require)][key.level].erase({lane.listed_pass, key.owner});
  lane.is_listed = false;
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
