#include "cli/task_board.h"

#include <algorithm>

#include "cli/progress_text.h"
#include "cli/text/bar.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kTextColumnsMax = 300;
constexpr std::size_t kNameColumnsMax = 40;
constexpr std::size_t kBarColumnsMax = 60;

Duration elapsed(const TaskView& task, Time now) {
  return task.ended_at.value_or(now) - task.started_at.value_or(task.first_at);
}

std::string percent(const TaskView& task) {
  if (task.total == 0) return {};
  const double share =
      static_cast<double>(std::min(task.done, task.total)) / static_cast<double>(task.total);
  return std::to_string(static_cast<int>(share * 100)) + "%";
}

std::string count(const TaskView& task) {
  const std::string done = std::to_string(task.done);
  return task.total == 0 ? done + " done" : done + "/" + std::to_string(task.total);
}

void append(Line& line, Line more) {
  line.insert(line.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

std::string padded(std::string text, std::size_t width) {
  text = cut(text, width);
  return text + std::string(width - std::min(width, columns(text)), ' ');
}

}  // namespace

Ink ink_of(TaskState state) {
  switch (state) {
    case TaskState::kWaiting:
    case TaskState::kQueued:
      return Ink::kDim;
    case TaskState::kRunning:
      return Ink::kBlue;
    case TaskState::kSucceeded:
      return Ink::kGreen;
    case TaskState::kFailed:
    case TaskState::kDead:
      return Ink::kRed;
    case TaskState::kCancelled:
      return Ink::kYellow;
  }
  return Ink::kPlain;
}

TaskView& TaskBoard::view(const FeedEvent& event) {
  if (tasks_.size() >= kTasksMax && !tasks_.contains(event.task)) forget_oldest_ended();
  TaskView& task = tasks_[event.task];
  if (!task.heard) {
    task.heard = true;
    task.id = event.task;
    if (task.name.empty()) task.name = event.task.text();
    task.first_at = event.at;
  }
  if (!event.queue.value.empty()) task.queue = event.queue;
  // Progress of another attempt is not this one's.
  if (event.attempt > task.attempt) {
    task.attempt = event.attempt;
    task.started_at = event.at;
    task.done = task.total = 0;
    task.current.clear();
    task.outcomes.clear();
    task.troubles_told = 0;
  }
  if (!event.worker.value.empty()) task.worker = printable(event.worker.value, kNameColumnsMax);
  return task;
}

void TaskBoard::forget_oldest_ended() {
  // Ids sort by time, so the first one that has ended is the oldest.
  const auto ended = std::find_if(tasks_.begin(), tasks_.end(),
                                  [](const auto& entry) { return is_ended(entry.second.state); });
  if (ended == tasks_.end()) return;
  ++forgotten_[ended->second.state];
  tasks_.erase(ended);
}

std::vector<Line> TaskBoard::apply(const FeedEvent& event, bool several) {
  if (event.kind == EventKind::kWorker) {
    const std::string worker = printable(event.worker.value, kNameColumnsMax);
    return {{{"worker " + worker + " " + printable(event.text, kTextColumnsMax), Ink::kDim}}};
  }
  if (event.kind == EventKind::kQueue) {
    return {{{"queue " + printable(event.queue.value, kNameColumnsMax) + " " +
                  printable(event.text, kTextColumnsMax),
              Ink::kDim}}};
  }
  TaskView& task = view(event);
  // Every event of a task names its state: those that told of the change may be gone.
  task.state = event.state;
  const std::string text = printable(event.text, kTextColumnsMax);
  const std::string prefix = several ? task.name + "  " : "";
  switch (event.kind) {
    case EventKind::kState: {
      task.reason = text;
      if (!is_ended(event.state)) return {};
      task.ended_at = event.at;
      if (event.state == TaskState::kSucceeded || !several) return {};
      return {{{prefix, Ink::kBold},
               {std::string(to_string(event.state)), ink_of(event.state)},
               {text.empty() ? "" : ": " + text}}};
    }
    case EventKind::kProgress:
      return on_progress(task, event, prefix);
    case EventKind::kSafety:
      return {{{prefix, Ink::kBold}, {"safety ", Ink::kRed}, {text}}};
    case EventKind::kLog:
    case EventKind::kWorker:
    case EventKind::kQueue:
    case EventKind::kDead:  // its state event has said so
      return {};
  }
  return {};
}

std::vector<Line> TaskBoard::on_progress(TaskView& task, const FeedEvent& event,
                                         const std::string& prefix) {
  const ProgressText text = parse_progress_text(event.text);
  task.done = event.done;
  task.total = event.total;
  task.current = text.current;
  if (!text.counts.empty()) task.outcomes = text.counts;
  const std::uint64_t troubles = text.troubles();
  if (text.trouble.empty() || troubles <= task.troubles_told) return {};
  const std::uint64_t missed = troubles - task.troubles_told - 1;
  task.troubles_told = troubles;
  Line line{{prefix, Ink::kBold},
            {text.trouble_outcome + " ", ink_of(text.trouble_outcome)},
            {text.trouble}};
  if (missed > 0) line.emplace_back("  (and " + std::to_string(missed) + " more)", Ink::kDim);
  return {line};
}

void TaskBoard::set_name(TaskId id, std::string_view name) {
  const std::string text = printable(name, kNameColumnsMax);
  if (text.empty()) return;
  TaskView& task = tasks_[id];
  task.id = id;
  task.name = text;
}

void TaskBoard::know(const TaskInfo& info) {
  TaskView& task = tasks_[info.id];
  task.heard = true;
  task.id = info.id;
  task.queue = info.queue;
  const auto name = info.labels.find("name");
  task.name = name == info.labels.end() ? "" : printable(name->second, kNameColumnsMax);
  if (task.name.empty()) task.name = info.id.text();
  task.state = info.state;
  task.reason = printable(info.reason, kTextColumnsMax);
  task.first_at = info.submitted_at;
  task.ended_at = info.ended_at;
  if (info.attempts.empty()) return;
  const AttemptInfo& last = info.attempts.back();
  task.attempt = last.attempt;
  task.worker = printable(last.worker.value, kNameColumnsMax);
  task.started_at = last.started_at;
}

const TaskView* TaskBoard::find(TaskId id) const {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::vector<Line> TaskBoard::one(TaskId id, Time now, const Look& look) const {
  const TaskView* task = find(id);
  if (task == nullptr || !task->heard)
    return {{{"waiting for the broker to tell of it", Ink::kDim}}};
  Line head{
      {task->name, Ink::kBold}, {"  "}, {std::string(to_string(task->state)), ink_of(task->state)}};
  head.emplace_back("  " + format_duration(elapsed(*task, now)));
  if (task->attempt.number > 1) {
    head.emplace_back("  attempt " + std::to_string(task->attempt.number), Ink::kYellow);
  }
  if (!task->worker.empty() && task->state == TaskState::kRunning) {
    head.emplace_back("  on " + task->worker, Ink::kDim);
  }
  if (task->state != TaskState::kRunning) {
    if (!task->reason.empty()) head.emplace_back("  " + task->reason, Ink::kDim);
    return {head};
  }
  Line figures = {{count(*task)}};
  if (task->total > 0) figures.emplace_back("  " + percent(*task));
  Line outcomes = count_spans(task->outcomes, "  ");
  if (!outcomes.empty()) figures.emplace_back("  ");
  append(figures, std::move(outcomes));
  const std::size_t width = std::min<std::size_t>(look.width, 500);
  Line progress;
  if (task->total > 0 && width > columns(figures) + 12) {
    const std::size_t room = std::min(kBarColumnsMax, width - columns(figures) - 4);
    progress.emplace_back(bar(task->done, task->total, room, look.unicode), Ink::kBlue);
    progress.emplace_back("  ");
  }
  append(progress, std::move(figures));
  std::vector<Line> lines{std::move(head), std::move(progress)};
  if (!task->current.empty()) lines.push_back({{"  " + task->current, Ink::kDim}});
  return lines;
}

std::vector<Line> TaskBoard::all(Time now, const Look& look, std::size_t rows_max) const {
  std::map<TaskState, std::uint64_t> counts = forgotten_;
  std::vector<const TaskView*> running;
  for (const auto& [id, task] : tasks_) {
    if (!task.heard) continue;
    ++counts[task.state];
    if (task.state == TaskState::kRunning) running.push_back(&task);
  }
  std::vector<Line> lines;
  const std::size_t width = std::min<std::size_t>(look.width, 500);
  const std::size_t name_width = std::clamp<std::size_t>(width / 3, 12, 32);
  const std::size_t bar_width = std::clamp<std::size_t>(width / 4, 8, 40);
  const std::size_t rows = std::max<std::size_t>(rows_max, 2) - 1;  // the last line is the summary
  for (const TaskView* task : running) {
    if (lines.size() + 1 == rows && running.size() > rows) {
      lines.push_back(
          {{"… and " + std::to_string(running.size() - lines.size()) + " more run", Ink::kDim}});
      break;
    }
    Line line{{padded(task->name, name_width), Ink::kBold}, {" "}};
    line.emplace_back(task->total > 0 ? bar(task->done, task->total, bar_width, look.unicode)
                                      : padded("", bar_width),
                      Ink::kBlue);
    line.emplace_back(" " + padded(task->total == 0 && task->done == 0 ? "" : count(*task), 9));
    const std::string time = format_duration(elapsed(*task, now));
    line.emplace_back(" " + (task->current.empty() ? time : padded(time, 6)));
    if (!task->current.empty()) line.emplace_back(" " + task->current, Ink::kDim);
    lines.push_back(std::move(line));
  }
  Line summary;
  for (const auto& [state, number] : counts) {
    if (!summary.empty()) summary.emplace_back("  ");
    summary.emplace_back(std::to_string(number) + " " + std::string(to_string(state)),
                         ink_of(state));
  }
  if (summary.empty()) summary.emplace_back("nothing has happened yet", Ink::kDim);
  lines.push_back(std::move(summary));
  return lines;
}

Line TaskBoard::plain(TaskId id, Time now) const {
  const TaskView* task = find(id);
  if (task == nullptr || !task->heard) return {{"waiting for the broker to tell of it"}};
  Line line{{task->name + ": " + std::string(to_string(task->state))}};
  if (task->state == TaskState::kRunning) {
    if (task->done > 0 || task->total > 0) line.emplace_back(", " + count(*task));
    Line outcomes = count_spans(task->outcomes, ", ");
    if (!outcomes.empty()) {
      line.emplace_back(" (");
      append(line, std::move(outcomes));
      line.emplace_back(")");
    }
    line.emplace_back(", " + format_duration(elapsed(*task, now)));
  } else if (!task->reason.empty()) {
    line.emplace_back(": " + task->reason);
  }
  return line;
}

}  // namespace assay::cli
