// assay watch: the progress feed, as it happens.
#include <algorithm>
#include <set>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/event_line.h"
#include "cli/interrupts.h"
#include "cli/json_forms.h"
#include "cli/live_lines.h"
#include "cli/task_board.h"
#include "cli/text/duration.h"

namespace assay::cli {
namespace {

constexpr Duration kEventWait{100};
constexpr std::size_t kRowsMax = 12;     // running tasks shown at once
constexpr int kEventsAtOnce = 2000;      // between two drawings
constexpr std::size_t kNamesAtOnce = 3;  // questions to the broker between two drawings

// "eval" means that queue, not every topic that begins so.
std::string prefix_of(const std::string& topic) {
  const bool whole = topic.empty() || topic.find('/') != std::string::npos;
  return whole ? topic : topic + "/";
}

class Watcher {
 public:
  Watcher(Client& client, Subscriber& events, const GlobalOptions& global, Console& console)
      : client_(client), events_(events), global_(global), console_(console), live_(console) {}

  ExitCode run() {
    while (!interrupts_.next()) {
      take_events();
      if (global_.json || !console_.live()) {
        if (!console_.flush()) return ExitCode::kError;
        continue;
      }
      learn_names();
      const std::size_t rows = std::min(kRowsMax, console_.height() / 2);
      live_.show(board_.all(now(), console_.look(), rows));
    }
    live_.clear();
    if (console_.live() && !global_.json) {
      for (const Line& line : board_.all(now(), console_.look(), 1)) console_.print(line);
    }
    return ExitCode::kOk;
  }

 private:
  void take_events() {
    Duration wait = kEventWait;
    for (int i = 0; i < kEventsAtOnce; ++i) {
      const Result<std::optional<FeedEvent>> event = events_.next(wait);
      if (!event.is_ok()) {
        tell_away();
        std::this_thread::sleep_for(kEventWait);  // it may fail at once, again and again
        return;
      }
      if (!event->has_value()) break;
      away_ = false;
      take(**event);
      wait = Duration(0);
    }
    tell_lost();
  }

  void take(const FeedEvent& event) {
    if (global_.json) {
      console_.print(to_json(event));
    } else if (!console_.live()) {
      console_.print(event_line(event));
    } else {
      if (event.kind != EventKind::kWorker && board_.find(event.task) == nullptr) {
        unnamed_.insert(event.task);
      }
      live_.print_above(board_.apply(event, true));
    }
  }

  // A task's name is in its labels, which events do not carry.
  void learn_names() {
    for (std::size_t i = 0; i < kNamesAtOnce && !unnamed_.empty(); ++i) {
      const TaskId id = *unnamed_.begin();
      unnamed_.erase(unnamed_.begin());
      const TaskView* task = board_.find(id);
      if (task == nullptr || is_ended(task->state)) continue;
      const Result<TaskInfo> info = client_.status(id.text());
      if (!info.is_ok()) return;
      const auto name = info->labels.find("name");
      if (name != info->labels.end()) board_.set_name(id, name->second);
    }
  }

  void tell_away() {
    if (away_) return;
    away_ = true;
    live_.clear();
    console_.error("the broker does not answer; waiting for it");
  }

  void tell_lost() {
    if (events_.lost() == lost_) return;
    lost_ = events_.lost();
    live_.clear();
    console_.error(std::to_string(lost_) + (lost_ == 1 ? " event was" : " events were") +
                   " no longer kept and " + (lost_ == 1 ? "is" : "are") + " missing here");
  }

  Interrupts interrupts_;  // first: before the subscriber is used
  Client& client_;
  Subscriber& events_;
  const GlobalOptions& global_;
  Console& console_;
  LiveLines live_;
  TaskBoard board_;
  std::set<TaskId> unnamed_;
  bool away_ = false;
  std::uint64_t lost_ = 0;
};

// The sequence that lies before what happened since: of digits alone as it stands, else so long
// ago.
Result<std::uint64_t> sequence_before(Client& client, const std::string& since) {
  if (since.find_first_not_of("0123456789") == std::string::npos && since.size() < 20) {
    return std::stoull(since);
  }
  const Result<Duration> ago = parse_duration(since);
  if (!ago.is_ok()) return ago.status();
  EventsRequest request;
  request.since = now() - *ago;
  request.limit = 1;
  const Result<EventList> list = client.events(std::move(request));
  if (!list.is_ok()) return list.status();
  return list->events.empty() ? list->newest : list->events.front().sequence - 1;
}

}  // namespace

ExitCode run(const WatchOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  SubscriberOptions follow;
  if (const auto id = TaskId::parse(options.topic)) {
    follow.tasks = {*id};
  } else {
    follow.topic_prefix = prefix_of(options.topic);
  }
  if (!options.since.empty()) {
    const Result<std::uint64_t> before = sequence_before(*client, options.since);
    if (!before.is_ok()) return report(console, global, before.status());
    follow.after = *before;
  } else {
    // What runs already has its line from the start; for programs only what happens is printed.
    follow.snapshot = console.live() && !global.json;
  }
  Subscriber events = subscribe(global, std::move(follow));
  return Watcher(*client, events, global, console).run();
}

}  // namespace assay::cli
