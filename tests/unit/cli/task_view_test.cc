// `assay status` for people.
#include "cli/task_view.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace assay::cli {
namespace {

std::string shown(const TaskInfo& task, const std::optional<FeedEvent>& last, Time now) {
  std::string text;
  for (const Line& line : task_lines(task, last, now)) text += render(line, Look{}) + "\n";
  return text;
}

TEST(TaskView, TellsTheWholeHistory) {
  setenv("TZ", "UTC", 1);
  tzset();
  const Time noon{Duration(1'782'907'200'000)};
  TaskInfo task;
  task.queue = QueueName("eval");
  task.owner = OwnerName("alice");
  task.labels = {{"kind", "script"}, {"name", "bat\x1b[1mtery"}};
  task.state = TaskState::kRunning;
  task.cancel_requested = true;
  task.submitted_at = noon;
  task.attempts = {
      {{1}, WorkerName("w1"), noon + Duration(1000), noon + Duration(4500), "lease expired"},
      {{2}, WorkerName("w2"), noon + Duration(60'000), std::nullopt, ""}};
  FeedEvent last;
  last.done = 15;
  last.total = 200;
  last.text = "passed test_15";
  last.at = noon + Duration(119'000);
  EXPECT_EQ(shown(task, last, noon + Duration(120'000)),
            "task       00000000000000000000000000\n"
            "state      running, to be cancelled\n"
            "progress   15 of 200, passed test_15  (1.0s ago)\n"
            "queue      eval\n"
            "owner      alice\n"
            "priority   5\n"
            "labels     kind = script\n"
            "           name = battery\n"
            "submitted  2026-07-01 12:00:00  (2m00s ago)\n"
            "attempts\n"
            "  1  2026-07-01 12:00:01  on w1  lease expired after 3.5s\n"
            "  2  2026-07-01 12:01:00  on w2  runs since 1m00s\n");
}

TEST(TaskView, AQueuedTaskSaysItsPlace) {
  TaskInfo task;
  task.position = 7;
  const std::string text = shown(task, std::nullopt, Time());
  EXPECT_NE(text.find("state      queued, number 7 in its queue\n"), std::string::npos) << text;
  EXPECT_NE(text.find("attempts   none yet\n"), std::string::npos) << text;
}

TEST(TaskView, WhatATaskComesAfterIsNamed) {
  TaskInfo task;
  task.after = std::vector<TaskId>(22);
  const std::string text = shown(task, std::nullopt, Time());
  EXPECT_NE(text.find("after      00000000000000000000000000\n"), std::string::npos) << text;
  EXPECT_NE(text.find("           … 2 more\n"), std::string::npos) << text;
}

TEST(TaskView, ManyAreALineEach) {
  TaskInfo task;
  task.queue = QueueName("eval");
  task.owner = OwnerName("alice");
  task.state = TaskState::kDead;
  task.reason = "lost with 5 \x1b[1mworkers";
  const auto lines = render(task_table({task}, Time() + Duration(60'000)), Look());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1],
            "00000000000000000000000000  dead   eval   alice  1m00s ago  lost with 5 workers");
}

}  // namespace
}  // namespace assay::cli
