#include "broker/core/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace assay::core {
namespace {

class FairQueueTest : public testing::Test {
 protected:
  struct Wish {
    std::uint8_t priority = 5;
    std::uint32_t owner = 0;
    std::uint32_t weight = 1;
    std::uint16_t cost = 1;
    RequireIndex require{0};
    Duration queued_at{0};
  };

  TaskIndex push(Wish wish) {
    TaskId id;
    id.bytes[14] = static_cast<std::uint8_t>(made_ >> 8);
    id.bytes[15] = static_cast<std::uint8_t>(made_++);
    const TaskIndex index = tasks_.add(id);
    Task& task = tasks_.at(index);
    task.priority = wish.priority;
    task.owner = OwnerIndex{wish.owner};
    task.cost = static_cast<std::uint16_t>(wish.cost);
    task.require = wish.require;
    task.submitted_at = task.changed_at = Time(wish.queued_at);
    queue_.push_back(tasks_, index, {.weight = wish.weight, .group = group_of_[task.require]});
    return index;
  }
  TaskIndex peek(Duration now = Duration(0)) {
    return queue_.pick(tasks_,
                       {.now = Time(now),
                        .groups = borne_,
                        .bears = [&](RequireIndex require) { return bears_.contains(require); },
                        .at_quota = [&](OwnerIndex owner) { return at_quota_.contains(owner); }});
  }
  TaskIndex take(Duration now = Duration(0)) {
    const TaskIndex index = peek(now);
    if (index == kNoTask) return index;
    queue_.remove(tasks_, index);
    queue_.charge(tasks_.at(index).owner, tasks_.at(index).cost);
    return index;
  }
  std::uint32_t owner_of(TaskIndex index) {
    return static_cast<std::uint32_t>(tasks_.at(index).owner);
  }

  TaskTable tasks_;
  FairQueue queue_;
  // A set of required labels, and a worker that bears these.
  RequireIndex require(const LabelGroups::Labels& labels) {
    const auto index = RequireIndex{static_cast<std::uint16_t>(sets_.size())};
    sets_.push_back(labels);
    group_of_[index] = groups_.add(labels);
    return index;
  }
  void ask_as(const LabelGroups::Labels& labels) {
    borne_ = groups_.borne_by(labels);
    bears_.clear();
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      const bool borne = std::all_of(sets_[i].begin(), sets_[i].end(), [&](const auto& label) {
        const auto found = labels.find(label.first);
        return found != labels.end() && found->second == label.second;
      });
      if (borne) bears_.insert(RequireIndex{static_cast<std::uint16_t>(i)});
    }
  }

  LabelGroups groups_;
  std::vector<LabelGroups::Labels> sets_{{}};
  std::map<RequireIndex, LabelGroup> group_of_{{RequireIndex{0}, kNoLabels}};
  std::vector<LabelGroup> borne_{kNoLabels};
  std::set<RequireIndex> bears_{RequireIndex{0}};
  std::set<OwnerIndex> at_quota_;
  int made_ = 1;
};

TEST_F(FairQueueTest, GivesTheHighestPriorityFirstAndWithinAnOwnerTheFirstThatCame) {
  const TaskIndex low = push({.priority = 0}), a = push({}), b = push({}),
                  high = push({.priority = 9});
  EXPECT_EQ((std::vector{take(), take(), take(), take()}), (std::vector{high, a, b, low}));
  EXPECT_EQ(take(), kNoTask);
}

TEST_F(FairQueueTest, TakesTurnsBetweenOwnersOfTheSameWeight) {
  for (int i = 0; i < 50; ++i) push({.owner = 1});
  for (int i = 0; i < 50; ++i) push({.owner = 2});
  std::map<std::uint32_t, int> got;
  for (int i = 0; i < 20; ++i) ++got[owner_of(take())];
  EXPECT_EQ(got[1], 10);
  EXPECT_EQ(got[2], 10);
}

TEST_F(FairQueueTest, GivesByWeight) {
  for (int i = 0; i < 100; ++i) {
    push({.owner = 1, .weight = 3});
    push({.owner = 2, .weight = 1});
  }
  std::map<std::uint32_t, int> got;
  for (int i = 0; i < 40; ++i) ++got[owner_of(take())];
  EXPECT_EQ(got[1], 30);
  EXPECT_EQ(got[2], 10);
}

TEST_F(FairQueueTest, CountsTheCostOfTasksNotTheirNumber) {
  for (int i = 0; i < 40; ++i) {
    push({.owner = 1, .cost = 4});
    push({.owner = 2, .cost = 1});
  }
  std::map<std::uint32_t, int> got;
  for (int i = 0; i < 25; ++i) ++got[owner_of(take())];
  EXPECT_EQ(got[1], 5);
  EXPECT_EQ(got[2], 20);
}

TEST_F(FairQueueTest, LetsNobodySaveUpByBeingAway) {
  for (int i = 0; i < 100; ++i) push({.owner = 1});
  for (int i = 0; i < 50; ++i) take();
  for (int i = 0; i < 50; ++i) push({.owner = 2});
  std::map<std::uint32_t, int> got;
  for (int i = 0; i < 20; ++i) ++got[owner_of(take())];
  EXPECT_EQ(got[1], 10);
  EXPECT_EQ(got[2], 10);
}

TEST_F(FairQueueTest, LiftsATaskByOnePriorityForEachStepThatItHasWaited) {
  const TaskIndex old = push({.priority = 3, .queued_at = Duration(0)});
  const TaskIndex fresh = push({.priority = 5, .queued_at = Duration(700'000)});
  EXPECT_EQ(peek(Duration(899'000)), fresh);  // it has gained two levels and is only as high
  EXPECT_EQ(peek(Duration(901'000)), old);    // three
}

TEST_F(FairQueueTest, GivesATaskOnlyToAWorkerThatBearsItsLabels) {
  const TaskIndex special = push({.priority = 9, .require = require({{"gpu", "a100"}})});
  const TaskIndex plain = push({.priority = 1});
  EXPECT_EQ(peek(), plain);
  ask_as({{"gpu", "h100"}});
  EXPECT_EQ(peek(), plain);
  ask_as({{"gpu", "a100"}, {"zone", "a"}});
  EXPECT_EQ(peek(), special);
}

TEST_F(FairQueueTest, SharesBetweenOwnersWhateverLabelsTheirTasksRequire) {
  const RequireIndex gpu = require({{"gpu", "a100"}}), zone = require({{"zone", "a"}});
  for (int i = 0; i < 60; ++i) {
    push({.owner = 1});
    push({.owner = 2, .weight = 3, .require = i % 2 == 0 ? gpu : zone});
  }
  ask_as({{"gpu", "a100"}, {"zone", "a"}});
  std::map<std::uint32_t, int> got;
  for (int i = 0; i < 40; ++i) ++got[owner_of(take())];
  EXPECT_EQ(got[1], 10);
  EXPECT_EQ(got[2], 30);
}

// Ten thousand sets of labels, of which a worker bears some: what it looks at for each task depends
// on its own labels.
TEST_F(FairQueueTest, LooksAtFewSetsOfLabelsHoweverManyThereAre) {
  for (int model = 0; model < 100; ++model) {
    for (int zone = 0; zone < 100; ++zone) {
      const RequireIndex set = require(
          {{"arch", "x86"}, {"model", std::to_string(model)}, {"zone", std::to_string(zone)}});
      push({.priority = static_cast<std::uint8_t>(zone % 10),
            .owner = static_cast<std::uint32_t>(model),
            .require = set});
    }
  }
  for (int model = 0; model < 100; ++model) {
    ask_as({{"arch", "x86"}, {"model", std::to_string(model)}, {"zone", "7"}});
    const std::uint64_t before = queue_.steps_for_test();
    EXPECT_NE(take(), kNoTask) << model;
    EXPECT_EQ(take(), kNoTask) << model;
    EXPECT_LT(queue_.steps_for_test() - before, 500U) << model;
  }
  EXPECT_EQ(queue_.size(), 9900U);
}

// A worker that bears them all, as one does that names each model that it has at hand.
TEST_F(FairQueueTest, FindsTheFairestOfManySetsThatItBearsWithoutAskingEach) {
  LabelGroups::Labels few{{"all", "yes"}};
  for (int i = 0; i < 5000; ++i) {
    // 13 labels, and which of them each requires: its number, bit by bit.
    LabelGroups::Labels labels{{"all", "yes"}};
    for (int bit = 0; bit < 13; ++bit) {
      const std::string name = "l" + std::to_string(bit);
      if ((i >> bit & 1) == 1) labels[name] = "yes";
      few[name] = "yes";
    }
    push({.owner = static_cast<std::uint32_t>(i % 50), .require = require(labels)});
  }
  ask_as(few);
  std::map<std::uint32_t, int> got;
  const std::uint64_t before = queue_.steps_for_test();
  for (int i = 0; i < 1000; ++i) ++got[owner_of(take())];
  // Each of the 14 groups is looked into, and a lane whose owner was served moves back once.
  EXPECT_LT((queue_.steps_for_test() - before) / 1000, 400U);
  EXPECT_EQ(got.size(), 50U);
  for (const auto& [owner, tasks] : got) EXPECT_EQ(tasks, 20) << owner;
}

TEST_F(FairQueueTest, ForgetsSetsOfLabelsOfWhichNothingWaits) {
  const RequireIndex gpu = require({{"gpu", "a100"}});
  ask_as({{"gpu", "a100"}});
  for (int i = 0; i < 3; ++i) {
    const TaskIndex task = push({.require = gpu});
    at_quota_.insert(OwnerIndex{0});
    EXPECT_EQ(take(), kNoTask);
    at_quota_.clear();
    queue_.readmit(OwnerIndex{0});
    EXPECT_EQ(take(), task);
    EXPECT_EQ(take(), kNoTask);
  }
}

TEST_F(FairQueueTest, PassesOverAnOwnerAtItsQuotaUntilItIsReadmitted) {
  const TaskIndex first = push({.priority = 9, .owner = 1});
  const TaskIndex other = push({.priority = 1, .owner = 2});
  at_quota_.insert(OwnerIndex{1});
  EXPECT_EQ(take(), other);
  EXPECT_EQ(take(), kNoTask);
  at_quota_.clear();
  EXPECT_EQ(take(), kNoTask) << "nobody has said that the owner may run again";
  queue_.readmit(OwnerIndex{1});
  EXPECT_EQ(take(), first);
}

TEST_F(FairQueueTest, LosesATaskThatWasSetAside) {
  const TaskIndex first = push({.owner = 1});
  at_quota_.insert(OwnerIndex{1});
  EXPECT_EQ(take(), kNoTask);
  queue_.remove(tasks_, first);
  at_quota_.clear();
  queue_.readmit(OwnerIndex{1});
  EXPECT_EQ(take(), kNoTask);
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(FairQueueTest, PutsWhatComesBackBeforeItsLane) {
  const TaskIndex a = push({}), b = push({});
  queue_.remove(tasks_, a);
  queue_.push_front(tasks_, a, {});
  EXPECT_EQ((std::vector{take(), take()}), (std::vector{a, b}));
}

TEST_F(FairQueueTest, TellsAPositionThatSharesAndPrioritiesGive) {
  const TaskIndex low = push({.priority = 1, .owner = 1});
  for (int i = 0; i < 10; ++i) push({.owner = 1});
  const TaskIndex of_other = push({.owner = 2});
  EXPECT_EQ(queue_.position(tasks_, of_other), 2U);  // one of the other owner's goes before it
  EXPECT_EQ(queue_.position(tasks_, low), 12U);
}

TEST_F(FairQueueTest, KnowsSinceWhenTheOldestWaits) {
  EXPECT_EQ(queue_.oldest(tasks_), std::nullopt);
  push({.priority = 9, .queued_at = Duration(50)});
  push({.priority = 1, .queued_at = Duration(20)});
  EXPECT_EQ(queue_.oldest(tasks_), Time(Duration(20)));
}

}  // namespace
}  // namespace assay::core
