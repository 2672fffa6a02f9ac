#include "cli/follow.h"

#include <array>
#include <utility>

#include "cli/connection.h"
#include "cli/interrupt_question.h"
#include "cli/live_lines.h"
#include "cli/task_board.h"
#include "cli/text/duration.h"

namespace assay::cli {
namespace {

using std::chrono::steady_clock;

constexpr Duration kEventWait{100};
constexpr Duration kAskEvery{2000};  // for the end, should the feed be silent
constexpr Duration kPlainEvery{5000};
constexpr int kEventsAtOnce = 1000;

class Follower {
 public:
  Follower(Client& client, Subscriber& events, Interrupts& interrupts, Console& console,
           const FollowOptions& options)
      : client_(client),
        events_(events),
        interrupts_(interrupts),
        console_(console),
        options_(options),
        live_(console) {
    board_.set_name(options.id, options.name);
  }

  Result<std::optional<TaskResult>> run() {
    const auto began = steady_clock::now();
    while (true) {
      if (const auto signal = interrupts_.next()) {
        if (const Status status = on_signal(*signal); !status.is_ok()) return status;
        if (detached_) return std::optional<TaskResult>();
      }
      take_events();
      draw();
      Result<std::optional<TaskResult>> ended = ask_for_end();
      if (!ended.is_ok() || *ended) return ended;
      if (options_.timeout && steady_clock::now() - began >= *options_.timeout) return ended;
    }
  }

 private:
  Status on_signal(int signal) {
    live_.clear();
    switch (ask_after_interrupt(signal, interrupts_, console_)) {
      case OnInterrupt::kGoOn:
        return Status::ok();
      case OnInterrupt::kDetach:
        console_.error("detached; the task goes on. Follow it again with 'assay wait " +
                       options_.id.text() + "'");
        detached_ = true;
        return Status::ok();
      case OnInterrupt::kCancel:
        break;
    }
    const std::array<TaskId, 1> ids{options_.id};
    const Result<Cancelled> cancelled = client_.cancel(ids, "by the one who followed it");
    if (!cancelled.is_ok()) return cancelled.status();
    if (!options_.quiet)
      console_.print(Line{{"cancelling; it ends when its worker has stopped it"}});
    return Status::ok();
  }

  void take_events() {
    Duration wait = kEventWait;
    for (int i = 0; i < kEventsAtOnce; ++i) {
      const Result<std::optional<FeedEvent>> event = events_.next(wait);
      // A gap that can't be filled now is asked for again by the next call; the end is asked for
      // anyway.
      if (!event.is_ok() || !event->has_value()) return;
      std::vector<Line> lines = board_.apply(**event, false);
      if (!options_.quiet) live_.print_above(lines);
      wait = Duration(0);
    }
  }

  void draw() {
    if (options_.quiet) return;
    if (console_.live()) {
      live_.show(board_.one(options_.id, now(), console_.look()));
      return;
    }
    const TaskView* task = board_.find(options_.id);
    if (task == nullptr || !task->heard) return;
    const auto time = steady_clock::now();
    const auto state = std::pair(task->state, task->attempt);
    const bool changed = !shown_ || state != *shown_;
    const bool moved = task->done != shown_done_ && time - shown_at_ >= kPlainEvery;
    if ((!changed && !moved) || is_ended(task->state)) return;
    shown_ = state;
    shown_done_ = task->done;
    shown_at_ = time;
    console_.print(board_.plain(options_.id, now()));
    console_.flush();
  }

  Result<std::optional<TaskResult>> ask_for_end() {
    const TaskView* task = board_.find(options_.id);
    const bool told = task != nullptr && is_ended(task->state);
    const auto time = steady_clock::now();
    if (!told && time - asked_at_ < kAskEvery) return std::optional<TaskResult>();
    asked_at_ = time;
    const std::array<TaskId, 1> ids{options_.id};
    Result<std::vector<TaskResult>> results = client_.results(ids);
    if (results.is_ok()) {
      away_since_.reset();
      if (results->empty()) return std::optional<TaskResult>();
      live_.clear();
      return std::optional<TaskResult>(std::move(results->front()));
    }
    if (results.status().reason() != "broker_unreachable") return results.status();
    if (!away_since_) {
      away_since_ = time;
      if (!options_.quiet) {
        live_.print_above({{{"the broker does not answer; waiting for it", Ink::kYellow}}});
      }
    }
    if (time - *away_since_ < options_.broker_away_max) return std::optional<TaskResult>();
    return Status(Code::kRetryCall, "broker_unreachable",
                  "the broker has not answered for " + format_duration(options_.broker_away_max) +
                      "; the task may go on. Ask again with 'assay wait " + options_.id.text() +
                      "'");
  }

  Client& client_;
  Subscriber& events_;
  Interrupts& interrupts_;
  Console& console_;
  const FollowOptions& options_;
  LiveLines live_;
  TaskBoard board_;
  bool detached_ = false;
  std::optional<std::pair<TaskState, Attempt>> shown_;
  std::uint64_t shown_done_ = 0;
  steady_clock::time_point shown_at_{};
  steady_clock::time_point asked_at_{};
  std::optional<steady_clock::time_point> away_since_;
};

}  // namespace

Result<std::optional<TaskResult>> follow(Client& client, Subscriber& events, Interrupts& interrupts,
                                         Console& console, const FollowOptions& options) {
  return Follower(client, events, interrupts, console, options).run();
}

}  // namespace assay::cli
