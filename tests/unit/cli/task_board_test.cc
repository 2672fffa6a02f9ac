// A replay of a feed, and how it looks at two widths and on a pipe.
#include "cli/task_board.h"

#include <gtest/gtest.h>

#include "cli/event_line.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

class TaskBoardTest : public testing::Test {
 protected:
  static TaskId id(std::uint8_t last) {
    TaskId id;
    id.bytes[15] = last;
    return id;
  }

  static FeedEvent event(EventKind kind, std::uint8_t task, int seconds) {
    FeedEvent event;
    event.kind = kind;
    event.queue = QueueName("eval");
    event.task = id(task);
    event.at = Time(Duration(seconds * 1000));
    return event;
  }

  std::vector<std::string> state(std::uint8_t task, TaskState state, int seconds,
                                 std::uint32_t attempt = 0, std::string text = {}) {
    FeedEvent what = event(EventKind::kState, task, seconds);
    what.state = state;
    what.attempt = {attempt};
    what.text = std::move(text);
    if (state == TaskState::kRunning) what.worker = WorkerName("eval-1");
    return texts(board_.apply(what, several_));
  }

  std::vector<std::string> progress(std::uint8_t task, std::uint64_t done, std::uint64_t total,
                                    std::string text, std::uint32_t attempt = 1) {
    FeedEvent what = event(EventKind::kProgress, task, 5);
    what.state = TaskState::kRunning;
    what.attempt = {attempt};
    what.done = done;
    what.total = total;
    what.text = std::move(text);
    return texts(board_.apply(what, several_));
  }

  static std::vector<std::string> texts(const std::vector<Line>& lines,
                                        std::size_t width = kNoLimit) {
    std::vector<std::string> result;
    result.reserve(lines.size());
    for (const Line& line : lines) result.push_back(render(line, Look{.width = width}));
    return result;
  }

  std::vector<std::string> one(std::size_t width, int seconds = 12) {
    return texts(board_.one(id(1), Time(Duration(seconds * 1000)), Look{.width = width}), width);
  }

  using Texts = std::vector<std::string>;
  TaskBoard board_;
  bool several_ = false;
};

TEST_F(TaskBoardTest, OneEvaluationIsFollowedWithABarAndCounts) {
  board_.set_name(id(1), "safety_battery");
  EXPECT_EQ(one(80), Texts{"waiting for the broker to tell of it"});
  state(1, TaskState::kQueued, 0);
  EXPECT_EQ(one(80, 3), Texts{"safety_battery  queued  3.0s"});
  state(1, TaskState::kRunning, 2, 1);
  progress(1, 0, 4, "");
  EXPECT_EQ(progress(1, 1, 4, "1 passed; test 2 of 4: test_refuses"), Texts{});
  EXPECT_EQ(
      progress(1, 2, 4, "1 passed, 1 failed; test 3 of 4: test_c\nfailed test_refuses: said yes"),
      Texts{"failed test_refuses: said yes"});
  EXPECT_EQ(
      progress(1, 2, 4, "1 passed, 1 failed; test 3 of 4: test_c\nfailed test_refuses: said yes"),
      Texts{})
      << "it is told once";
  EXPECT_EQ(one(60), (Texts{"safety_battery  running  10s  on eval-1",
                            "██████████████░░░░░░░░░░░░░░  2/4  50%  1 passed  1 failed",
                            "  test 3 of 4: test_c"}));
}

TEST_F(TaskBoardTest, TheBarGivesWayToCountsInANarrowWindow) {
  state(1, TaskState::kRunning, 0, 1);
  progress(1, 15, 200, "15 passed; test 16 of 200: test_x");
  for (std::size_t width = 5; width < 120; ++width) {
    for (const std::string& line : one(width)) EXPECT_LE(columns(line), width) << line;
  }
  EXPECT_EQ(one(24)[1], "15/200  7%  15 passed");
}

TEST_F(TaskBoardTest, ANewAttemptStartsFromNothing) {
  state(1, TaskState::kRunning, 0, 1);
  EXPECT_EQ(progress(1, 3, 4, "3 failed\nfailed a").size(), 1U);
  state(1, TaskState::kQueued, 4, 1, "lease expired");
  EXPECT_EQ(one(80, 4)[0], "00000000000000000000000001  queued  4.0s  lease expired");
  state(1, TaskState::kRunning, 6, 2);
  EXPECT_EQ(one(80, 8),
            (Texts{"00000000000000000000000001  running  2.0s  attempt 2  on eval-1", "0 done"}));
}

TEST_F(TaskBoardTest, ProgressWithoutATotalHasNoBar) {
  state(1, TaskState::kRunning, 0, 1);
  progress(1, 7, 0, "still at it");
  EXPECT_EQ(one(80)[1], "7 done");
}

TEST_F(TaskBoardTest, HostileTextCanNotSteerTheTerminal) {
  state(1, TaskState::kRunning, 0, 1);
  const Texts lines = progress(
      1, 1, 2, "1 failed; \x1b[2Jnow\nfailed \x1b[2J\x1b]0;owned\x07test: \r\n\x1b[31mred");
  EXPECT_EQ(lines, Texts{"failed test: red"});
  for (const std::string& line : one(80)) EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST_F(TaskBoardTest, SafetyIsToldAtOnce) {
  state(1, TaskState::kRunning, 0, 1);
  FeedEvent what = event(EventKind::kSafety, 1, 3);
  what.text = "output limit reached";
  EXPECT_EQ(texts(board_.apply(what, false)), Texts{"safety output limit reached"});
}

TEST_F(TaskBoardTest, ManyTasksShowAFewBarsAndASummary) {
  several_ = true;
  for (std::uint8_t i = 1; i <= 9; ++i) {
    board_.set_name(id(i), "battery-" + std::to_string(i));
    state(i, TaskState::kQueued, 0);
    if (i <= 6) state(i, TaskState::kRunning, 1, 1);
  }
  progress(2, 5, 10, "5 passed; test 6 of 10: test_b");
  EXPECT_EQ(state(1, TaskState::kSucceeded, 9, 1), Texts{});
  EXPECT_EQ(state(3, TaskState::kFailed, 9, 1, "2 tests failed"),
            Texts{"battery-3  failed: 2 tests failed"});
  EXPECT_EQ(texts(board_.all(Time(Duration(11'000)), Look{.width = 60}, 4), 60),
            (Texts{"battery-2            ███████▌░░░░░░░ 5/10      10s    test …",
                   "battery-4                                      10s", "… and 2 more run",
                   "3 queued  4 running  1 succeeded  1 failed"}));
}

TEST_F(TaskBoardTest, AMillionEndedTasksTakeBoundedMemory) {
  several_ = true;
  FeedEvent what = event(EventKind::kState, 0, 1);
  what.state = TaskState::kSucceeded;
  const std::uint32_t count = TaskBoard::kTasksMax + 1000;
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < 4; ++byte) {
      what.task.bytes[15 - byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    }
    board_.apply(what, true);
  }
  EXPECT_EQ(board_.find(id(0)), nullptr);
  EXPECT_EQ(texts(board_.all(Time(), Look{}, 5)), Texts{std::to_string(count) + " succeeded"});
}

TEST_F(TaskBoardTest, APipeGetsPlainSentences) {
  board_.set_name(id(1), "battery");
  state(1, TaskState::kQueued, 0, 0, "");
  EXPECT_EQ(render(board_.plain(id(1), Time(Duration(1000))), Look{}), "battery: queued");
  state(1, TaskState::kRunning, 1, 1);
  progress(1, 1, 4, "1 passed; test 2 of 4: b");
  progress(1, 2, 4, "1 passed, 1 error; test 3 of 4: c\nerror b: boom");
  EXPECT_EQ(render(board_.plain(id(1), Time(Duration(13'000))), Look{}),
            "battery: running, 2/4 (1 passed, 1 error), 12s");
}

TEST_F(TaskBoardTest, AnEventIsOneLine) {
  setenv("TZ", "UTC", 1);
  tzset();
  FeedEvent what = event(EventKind::kLog, 1, 45'005);
  what.text = "one\n\x1b[1mtwo\n";
  EXPECT_EQ(render(event_line(what), Look{}),
            "12:30:05  eval/00000000000000000000000001  log  one | two");
  what = event(EventKind::kState, 1, 45'005);
  what.state = TaskState::kRunning;
  what.attempt = {2};
  what.worker = WorkerName("w");
  EXPECT_EQ(render(event_line(what), Look{}),
            "12:30:05  eval/00000000000000000000000001  running  attempt 2  on w");
}

}  // namespace
}  // namespace assay::cli
