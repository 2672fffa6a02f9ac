#include "broker/core/task_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::core {
namespace {

class TaskQueueTest : public testing::Test {
 protected:
  TaskIndex make(std::uint8_t priority, Time submitted_at = Time()) {
    TaskId id;
    id.bytes[15] = ++made_;
    const TaskIndex index = tasks_.add(id);
    tasks_.at(index).priority = priority;
    tasks_.at(index).submitted_at = submitted_at;
    return index;
  }
  std::vector<TaskIndex> drain() {
    std::vector<TaskIndex> order;
    while (queue_.front() != kNoTask) {
      order.push_back(queue_.front());
      queue_.remove(tasks_, order.back());
    }
    return order;
  }

  TaskTable tasks_;
  TaskQueue queue_;
  std::uint8_t made_ = 0;
};

TEST_F(TaskQueueTest, GivesTheHighestPriorityFirstAndWithinItTheFirstThatCame) {
  const TaskIndex low = make(0), a = make(5), b = make(5), high = make(9);
  for (TaskIndex task : {low, a, b, high}) queue_.push_back(tasks_, task);
  EXPECT_EQ(drain(), (std::vector{high, a, b, low}));
}

TEST_F(TaskQueueTest, PutsWhatComesBackBeforeItsPriority) {
  const TaskIndex a = make(5), b = make(5), high = make(6);
  queue_.push_back(tasks_, a);
  queue_.push_back(tasks_, high);
  queue_.push_front(tasks_, b);
  EXPECT_EQ(drain(), (std::vector{high, b, a}));
}

TEST_F(TaskQueueTest, LosesATaskFromTheMiddle) {
  const TaskIndex a = make(5), b = make(5), c = make(5);
  for (TaskIndex task : {a, b, c}) queue_.push_back(tasks_, task);
  queue_.remove(tasks_, b);
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(drain(), (std::vector{a, c}));
}

TEST_F(TaskQueueTest, TellsThePositionOfATask) {
  const TaskIndex a = make(5), b = make(5), high = make(9), stranger = make(1);
  for (TaskIndex task : {a, b, high}) queue_.push_back(tasks_, task);
  EXPECT_EQ(queue_.position(tasks_, high), 1U);
  EXPECT_EQ(queue_.position(tasks_, b), 3U);
  EXPECT_EQ(queue_.position(tasks_, stranger), 0U);
}

TEST_F(TaskQueueTest, KnowsSinceWhenTheOldestWaits) {
  EXPECT_EQ(queue_.oldest(tasks_), std::nullopt);
  queue_.push_back(tasks_, make(9, Time(Duration(50))));
  queue_.push_back(tasks_, make(1, Time(Duration(20))));
  EXPECT_EQ(queue_.oldest(tasks_), Time(Duration(20)));
}

TEST(TaskTable, FindsById) {
  TaskTable tasks;
  const TaskId id = *TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  const TaskIndex index = tasks.add(id);
  EXPECT_EQ(tasks.find(id), index);
  tasks.remove(index);
  EXPECT_EQ(tasks.find(id), kNoTask);
  EXPECT_EQ(tasks.size(), 0U);
}

TEST(TaskTable, FindsByAPrefixOfTheText) {
  TaskTable tasks;
  const TaskIndex a = tasks.add(*TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  const TaskIndex b = tasks.add(*TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FZZ"));
  tasks.add(*TaskId::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_EQ(tasks.with_prefix("01ARZ3NDEKTSV4RRFFQ69G5FA", 3), std::vector{a});
  EXPECT_EQ(tasks.with_prefix("01ARZ3NDEKTSV4RRFFQ69G5FZZ", 3), std::vector{b});
  EXPECT_EQ(tasks.with_prefix("01AR", 3).size(), 2U);
  EXPECT_EQ(tasks.with_prefix("01AR", 1).size(), 1U);
  EXPECT_TRUE(tasks.with_prefix("02", 3).empty());
  EXPECT_TRUE(tasks.with_prefix("01AR!", 3).empty());
}

}  // namespace
}  // namespace assay::core
