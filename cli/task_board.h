// What is known of some tasks from the events of the feed, and how it looks as live lines. Pure:
// events and the time come from outside, so a replay of a feed tests it.
#ifndef ASSAY_CLI_TASK_BOARD_H_
#define ASSAY_CLI_TASK_BOARD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"
#include "cli/text/line.h"

namespace assay::cli {

// One task as the feed told it. Texts are printable.
struct TaskView {
  TaskId id;
  QueueName queue;
  std::string name;    // for people; the id when none is known
  bool heard = false;  // an event told of it; before that only its name is known
  TaskState state = TaskState::kQueued;
  Attempt attempt;
  std::string worker;
  std::string reason;
  Time first_at{};
  std::optional<Time> started_at;  // of the current attempt
  std::optional<Time> ended_at;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string current;                            // what it does now
  std::map<std::string, std::uint64_t> outcomes;  // of its tests in this attempt: "passed" 12
  std::uint64_t troubles_told = 0;                // tests that did not pass, already on the screen
};

// The colour of a state.
Ink ink_of(TaskState state);

// Tasks are kept while they live, and the last ended ones; memory is bounded by kTasksMax.
//
// Thread: one at a time.
class TaskBoard {
 public:
  static constexpr std::size_t kTasksMax = 100'000;

  // Takes note of an event and returns lines worth keeping on the screen: a test that failed, a
  // task that did not succeed, a safety rule that spoke. `several`: lines name their task.
  std::vector<Line> apply(const FeedEvent& event, bool several);

  void set_name(TaskId id, std::string_view name);
  // What the broker says of a task whose first events may be gone.
  void know(const TaskInfo& task);
  const TaskView* find(TaskId id) const;

  // Two or three lines for one task: name, state and time; bar and counts; what runs.
  std::vector<Line> one(TaskId id, Time now, const Look& look) const;
  // A line a running task and a summary of all, at most `rows_max` lines together.
  std::vector<Line> all(Time now, const Look& look, std::size_t rows_max) const;
  // For output that is not redrawn: where the task stands, in one line.
  Line plain(TaskId id, Time now) const;

 private:
  TaskView& view(const FeedEvent& event);
  std::vector<Line> on_progress(TaskView& task, const FeedEvent& event, const std::string& prefix);
  void forget_oldest_ended();

  std::map<TaskId, TaskView> tasks_;
  std::map<TaskState, std::uint64_t> forgotten_;  // ended ones that left tasks_
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_TASK_BOARD_H_
