#include "cli/task_view.h"

#include <algorithm>
#include <string_view>

#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kAttemptsMax = 50;
constexpr std::size_t kLabelsMax = 50;
constexpr std::size_t kAfterMax = 20;

Line field(std::string_view title, Line value) {
  Line line{{std::string(title) + std::string(11 - title.size(), ' '), Ink::kDim}};
  line.insert(line.end(), value.begin(), value.end());
  return line;
}

Line moment(Time time, Time now) {
  return {{format_local_time(time)}, {"  (" + format_relative(time, now) + ")", Ink::kDim}};
}

Line state_of(const TaskInfo& task) {
  Line line{{std::string(to_string(task.state)), ink_of(task.state)}};
  if (task.position == 1) line.emplace_back(", next in its queue");
  if (task.position > 1)
    line.emplace_back(", number " + std::to_string(task.position) + " in its queue");
  if (task.cause != Cause::kNone)
    line.emplace_back(", cause: " + std::string(to_string(task.cause)));
  if (task.cancel_requested && !is_ended(task.state)) {
    line.emplace_back(", to be cancelled", Ink::kYellow);
  }
  return line;
}

Line attempt_line(const AttemptInfo& attempt, Time now) {
  Line line{{"  " + std::to_string(attempt.attempt.number) + "  "},
            {format_local_time(attempt.started_at)}};
  line.emplace_back("  on " + printable(attempt.worker.value, 64));
  const Duration lasted = attempt.ended_at.value_or(now) - attempt.started_at;
  if (attempt.ended_at) {
    line.emplace_back("  " + printable(attempt.ended_because, 300) + " after " +
                      format_duration(lasted));
  } else {
    line.emplace_back("  runs since " + format_duration(lasted), Ink::kBlue);
  }
  return line;
}

}  // namespace

std::vector<Line> task_lines(const TaskInfo& task, const std::optional<FeedEvent>& last, Time now) {
  std::vector<Line> lines;
  lines.push_back(field("task", {{task.id.text(), Ink::kBold}}));
  lines.push_back(field("state", state_of(task)));
  if (!task.reason.empty()) lines.push_back(field("reason", {{printable(task.reason, 500)}}));
  if (last && task.state == TaskState::kRunning) {
    std::string progress = std::to_string(last->done);
    if (last->total > 0) progress += " of " + std::to_string(last->total);
    const std::string text = printable(last->text, 200);
    if (!text.empty()) progress += ", " + text;
    lines.push_back(
        field("progress", {{progress}, {"  (" + format_relative(last->at, now) + ")", Ink::kDim}}));
  }
  lines.push_back(field("queue", {{printable(task.queue.value, 64)}}));
  lines.push_back(field("owner", {{printable(task.owner.value, 64)}}));
  lines.push_back(field("priority", {{std::to_string(task.priority)}}));
  std::size_t shown = 0;
  for (const auto& [name, value] : task.labels) {
    if (++shown > kLabelsMax) break;
    lines.push_back(
        field(shown == 1 ? "labels" : "", {{printable(name, 64) + " = " + printable(value, 200)}}));
  }
  for (std::size_t i = 0; i < std::min(task.after.size(), kAfterMax); ++i) {
    lines.push_back(field(i == 0 ? "after" : "", {{task.after[i].text()}}));
  }
  if (task.after.size() > kAfterMax) {
    lines.push_back(
        field("", {{"… " + std::to_string(task.after.size() - kAfterMax) + " more", Ink::kDim}}));
  }
  lines.push_back(field("submitted", moment(task.submitted_at, now)));
  if (task.ended_at) lines.push_back(field("ended", moment(*task.ended_at, now)));
  if (task.attempts.empty()) {
    lines.push_back(field("attempts", {{"none yet"}}));
    return lines;
  }
  lines.push_back({{"attempts", Ink::kDim}});
  const std::size_t skip =
      task.attempts.size() > kAttemptsMax ? task.attempts.size() - kAttemptsMax : 0;
  if (skip > 0) lines.push_back({{"  … " + std::to_string(skip) + " earlier ones", Ink::kDim}});
  for (std::size_t i = skip; i < task.attempts.size(); ++i) {
    lines.push_back(attempt_line(task.attempts[i], now));
  }
  return lines;
}

Table task_table(const std::vector<TaskInfo>& tasks, Time now) {
  Table table{{{"TASK"}, {"STATE"}, {"QUEUE"}, {"OWNER"}, {"SUBMITTED"}, {"REASON"}}, {}};
  for (const TaskInfo& task : tasks) {
    table.rows.push_back({{task.id.text(), Ink::kBold},
                          {std::string(to_string(task.state)), ink_of(task.state)},
                          printable(task.queue.value, 64),
                          printable(task.owner.value, 64),
                          format_relative(task.submitted_at, now),
                          printable(task.reason, 200)});
  }
  return table;
}

}  // namespace assay::cli
