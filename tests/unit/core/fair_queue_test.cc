#include "broker/core/fair_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
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
    std::uint16_t require = 0;
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
    task.require = RequireIndex{wish.require};
    task.submitted_at = task.changed_at = Time(wish.queued_at);
    queue_.push_back(tasks_, index, wish.weight);
    return index;
  }
  TaskIndex peek(Duration now = Duration(0)) {
    return queue_.pick(tasks_,
                       {.now = Time(now),
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
  const TaskIndex special = push({.priority = 9, .require = 1});
  const TaskIndex plain = push({.priority = 1});
  EXPECT_EQ(peek(), plain);
  bears_.insert(RequireIndex{1});
  EXPECT_EQ(peek(), special);
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
  queue_.push_front(tasks_, a, 1);
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
