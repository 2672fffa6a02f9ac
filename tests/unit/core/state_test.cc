#include "broker/core/state.h"

#include <gtest/gtest.h>

namespace assay::core {
namespace {

TaskId task_id(std::uint8_t number) {
  TaskId id;
  id.bytes[15] = number;
  return id;
}

class StateTest : public ::testing::Test {
 protected:
  void apply(const Record& record) {
    const auto applied = state_.apply(record, {});
    ASSERT_TRUE(applied.is_ok()) << applied.status().to_string();
  }
  void submit(std::uint8_t number, std::vector<TaskId> after = {}) {
    apply(TaskSubmitted{.sequence = ++sequence_,
                        .id = task_id(number),
                        .queue = QueueName("eval"),
                        .owner = OwnerName("ann"),
                        .after = std::move(after)});
  }
  void end(std::uint8_t number, TaskState state) {
    apply(TaskEnded{.sequence = ++sequence_, .id = task_id(number), .state = state});
  }
  TaskState state_of(std::uint8_t number) const {
    return state_.tasks().at(state_.tasks().find(task_id(number))).state;
  }

  State state_{CoreOptions{.ended_tasks_kept_max = 0}};
  std::uint64_t sequence_ = 0;
};

TEST_F(StateTest, ADependentThatIsForgottenBeforeItsDependencyEndsIsNotToldOfIt) {
  apply(QueueCreated{.sequence = ++sequence_, .queue = QueueName("eval")});
  submit(1);
  submit(2, {task_id(1)});
  end(2, TaskState::kCancelled);
  apply(EndedForgotten{.sequence = sequence_, .count = state_.excess_ended()});
  ASSERT_EQ(state_.tasks().find(task_id(2)), kNoTask);
  submit(3);  // where the forgotten one was
  end(1, TaskState::kCancelled);
  EXPECT_EQ(state_of(3), TaskState::kQueued);
  EXPECT_TRUE(state_.timers().empty());
}

TEST(StateOfSchedules, AreKnownByTheirRunsAlone) {
  State state{CoreOptions()};
  const Time due(std::chrono::hours(24 * 365 * 50));
  ASSERT_TRUE(
      state.apply(ScheduleFired{.sequence = 1, .id = {}, .at = due, .name = "n", .due = due}, {})
          .is_ok());
  EXPECT_EQ(state.schedules().at("n").settled, due);
  EXPECT_EQ(
      state.apply(ScheduleFired{.sequence = 2, .id = {}, .at = due, .name = "n", .due = due}, {})
          .status()
          .reason(),
      "impossible_record");
}

}  // namespace
}  // namespace assay::core
