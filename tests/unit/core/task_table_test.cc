#include "broker/core/task_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace assay::core {
namespace {

TEST(TaskTable, FindsById) {
  TaskTable tasks;
  const TaskId id = *TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  const TaskIndex index = tasks.add(id);
  EXPECT_EQ(tasks.find(id), index);
  tasks.remove(index);
  EXPECT_EQ(tasks.find(id), kNoTask);
  EXPECT_EQ(tasks.size(), 0U);
}

TEST(TaskTable, FindsEveryTaskAmongManyThatComeAndGo) {
  std::mt19937_64 chance(1);
  TaskTable tasks;
  std::set<TaskId> known;
  for (int i = 0; i < 20'000; ++i) {
    if (known.empty() || chance() % 3 != 0) {
      TaskId id;
      id.bytes[15] = static_cast<std::uint8_t>(chance());  // many share a place in the table
      id.bytes[0] = static_cast<std::uint8_t>(chance());
      id.bytes[1] = static_cast<std::uint8_t>(chance());
      if (known.insert(id).second) tasks.add(id);
    } else {
      const TaskId id = *known.begin();
      known.erase(known.begin());
      tasks.remove(tasks.find(id));
      ASSERT_EQ(tasks.find(id), kNoTask);
    }
  }
  ASSERT_EQ(tasks.size(), known.size());
  for (const TaskId& id : known) {
    ASSERT_NE(tasks.find(id), kNoTask);
    ASSERT_EQ(tasks.at(tasks.find(id)).id, id);
  }
}

// A million queued tasks: this, four bytes and a third for the table of indices, and the journal
// has the rest.
TEST(TaskTable, HoldsATaskInFewBytes) {
  EXPECT_LE(sizeof(Task), 112U);
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
