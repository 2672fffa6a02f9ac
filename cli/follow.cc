#include "cli/follow.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "cli/connection.h"
#include "cli/interrupt_question.h"
#include "cli/live_lines.h"
#include "cli/result_view.h"
#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

using std::chrono::steady_clock;

constexpr Duration kEventWait{100};
constexpr Duration kAskEvery{2000};  // for the end, should the feed be silent
constexpr Duration kPlainEvery{5000};
constexpr std::size_t kRowsMax = 12;
constexpr int kEventsAtOnce = 1000;
constexpr int kCatchUpTries = 5;  // each waits for kEventWait; what is not kept does not come

class Follower {
 public:
  Follower(Client& client, Subscriber& events, Interrupts& interrupts, Console& console,
           const FollowOptions& options)
      : client_(client),
        events_(events),
        interrupts_(interrupts),
        console_(console),
        options_(options),
        several_(options.tasks.size() > 1),
        live_(console) {
    for (const FollowedTask& task : options.tasks) {
      pending_.push_back(task.id);
      board_.set_name(task.id, task.name);
      if (task.known) board_.know(*task.known);
    }
  }

  Result<Followed> run() {
    const auto began = steady_clock::now();
    while (!pending_.empty() && !followed_.detached) {
      if (const auto signal = interrupts_.next()) {
        if (const Status status = on_signal(*signal); !status.is_ok()) return status;
        continue;
      }
      take_events();
      draw();
      if (const Status status = ask_for_ends(); !status.is_ok()) return status;
      if (options_.timeout && steady_clock::now() - began >= *options_.timeout) break;
    }
    live_.clear();
    followed_.pending = pending_.size();
    return std::move(followed_);
  }

 private:
  Status on_signal(int signal) {
    live_.clear();
    switch (ask_after_interrupt(signal, interrupts_, console_)) {
      case OnInterrupt::kGoOn:
        return Status::ok();
      case OnInterrupt::kDetach: {
        const bool one = pending_.size() == 1;
        console_.error(
            std::string(one ? "detached; the task goes on" : "detached; the tasks go on") +
            ". Follow again with 'assay wait " + pending_.front().text() + (one ? "'" : " ...'"));
        followed_.detached = true;
        return Status::ok();
      }
      case OnInterrupt::kCancel:
        break;
    }
    const Result<Cancelled> cancelled = client_.cancel(pending_, "by the one who followed it");
    if (!cancelled.is_ok()) return cancelled.status();
    if (!options_.quiet)
      console_.print("cancelling; what runs ends when its worker has stopped it");
    return Status::ok();
  }

  void take_events() {
    Duration wait = kEventWait;
    for (int i = 0; i < kEventsAtOnce; ++i) {
      const Result<std::optional<FeedEvent>> event = events_.next(wait);
      // A gap that can't be filled now is asked for again by the next call; the end is asked for
      // anyway.
      if (!event.is_ok()) {
        std::this_thread::sleep_for(kEventWait);  // it may fail at once, again and again
        return;
      }
      if (!event->has_value()) return;
      const std::vector<Line> lines = board_.apply(**event, several_);
      if (!options_.quiet) live_.print_above(lines);
      if (options_.log && (*event)->kind == EventKind::kLog) show_log((*event)->text);
      told_end_ |= (*event)->kind == EventKind::kState && is_ended((*event)->state);
      wait = Duration(0);
    }
  }

  void show_log(std::string_view text) {
    const std::string block = printable_block(text);
    std::vector<Line> lines;
    for (std::size_t at = 0; at < block.size();) {
      const std::size_t end = std::min(block.find('\n', at), block.size());
      lines.push_back({{block.substr(at, end - at)}});
      at = end + 1;
    }
    live_.print_above(lines);
  }

  void draw() {
    if (options_.quiet) return;
    if (console_.live()) {
      const Look look = console_.look();
      live_.show(several_ ? board_.all(now(), look, std::min(kRowsMax, console_.height() / 2))
                          : board_.one(pending_.front(), now(), look));
      return;
    }
    for (const TaskId& id : pending_) draw_plain(id);
  }

  void draw_plain(TaskId id) {
    const TaskView* task = board_.find(id);
    if (task == nullptr || !task->heard || is_ended(task->state)) return;
    Shown& shown = shown_[id];
    const auto time = steady_clock::now();
    const bool changed = shown.state != task->state || shown.attempt != task->attempt;
    const bool moved = task->done != shown.done && time - shown.at >= kPlainEvery;
    if (!changed && !moved) return;
    shown = {task->state, task->attempt, task->done, time};
    console_.print(board_.plain(id, now()));
    console_.flush();
  }

  Status ask_for_ends() {
    const auto time = steady_clock::now();
    if (!std::exchange(told_end_, false) && time - asked_at_ < kAskEvery) return Status::ok();
    asked_at_ = time;
    Result<std::vector<TaskResult>> results = client_.results(pending_);
    if (!results.is_ok()) return on_away(results.status(), time);
    away_since_.reset();
    catch_up(*results);
    for (TaskResult& result : *results) {
      std::erase(pending_, result.id);
      tell_end(result);
      followed_.ended.push_back(std::move(result));
    }
    return Status::ok();
  }

  // The answer may come before the last events, which are to be told before the end.
  void catch_up(const std::vector<TaskResult>& ended) {
    const auto is_behind = [this](const TaskResult& result) {
      const TaskView* task = board_.find(result.id);
      return task == nullptr || !is_ended(task->state);
    };
    for (int i = 0; i < kCatchUpTries && std::any_of(ended.begin(), ended.end(), is_behind); ++i) {
      take_events();
    }
  }

  // Of several; the end of the only one is for the caller to show.
  void tell_end(const TaskResult& result) {
    if (!several_ || options_.quiet) return;
    const TaskView* task = board_.find(result.id);
    const bool told =
        task != nullptr && is_ended(task->state) && result.state != TaskState::kSucceeded;
    if (told) return;
    Line line = ended_line(result);
    if (task != nullptr && !task->name.empty()) line[0].text = task->name + "  ";
    live_.print_above({line});
  }

  Status on_away(Status status, steady_clock::time_point time) {
    if (status.code() != Code::kRetryCall) return status;
    if (!away_since_) {
      away_since_ = time;
      if (!options_.quiet) {
        live_.print_above({{{"the broker does not answer; waiting for it", Ink::kYellow}}});
      }
    }
    if (time - *away_since_ < options_.broker_away_max) return Status::ok();
    return {Code::kRetryCall, "broker_unreachable",
            "the broker has not answered for " + format_duration(options_.broker_away_max) +
                "; what was submitted may go on. Ask again with 'assay wait " +
                pending_.front().text() + "'"};
  }

  // What a pipe was last told of a task.
  struct Shown {
    TaskState state = TaskState::kWaiting;
    Attempt attempt;
    std::uint64_t done = 0;
    steady_clock::time_point at{};
  };

  Client& client_;
  Subscriber& events_;
  Interrupts& interrupts_;
  Console& console_;
  const FollowOptions& options_;
  const bool several_;
  LiveLines live_;
  TaskBoard board_;
  std::vector<TaskId> pending_;
  Followed followed_;
  bool told_end_ = false;
  std::map<TaskId, Shown> shown_;
  steady_clock::time_point asked_at_{};
  std::optional<steady_clock::time_point> away_since_;
};

}  // namespace

Result<Followed> follow(Client& client, Subscriber& events, Interrupts& interrupts,
                        Console& console, const FollowOptions& options) {
  return Follower(client, events, interrupts, console, options).run();
}

}  // namespace assay::cli
