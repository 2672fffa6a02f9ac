// assay logs: the same command before a task runs, while it does, and after.
#include <array>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/result_document.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr Duration kEventWait{500};
constexpr Duration kAskEvery{3000};

// Prints log events in order, made printable.
class LogPrinter {
 public:
  LogPrinter(const GlobalOptions& global, Console& console) : global_(global), console_(console) {}

  void print(const FeedEvent& event) {
    if (event.kind != EventKind::kLog) return;
    any_ = true;
    if (global_.json) {
      console_.print(to_json(event));
    } else {
      print_text(event.text);
    }
    console_.flush();
  }

  void print_text(const std::string& text) {
    any_ = true;
    std::string block = printable_block(text);
    if (block.empty() || block.back() != '\n') block += '\n';
    console_.write(block);
  }

  bool any() const { return any_; }

 private:
  const GlobalOptions& global_;
  Console& console_;
  bool any_ = false;
};

// All log events that the broker still keeps of a task.
Status print_kept(Client& client, TaskId id, LogPrinter& printer, Console& console) {
  EventsRequest request{.request = 0, .after = 0, .tasks = {id}, .limit = 1000};
  bool first = true;
  while (true) {
    const Result<EventList> list = client.events(request);
    if (!list.is_ok()) return list.status();
    for (const FeedEvent& event : list->events) {
      // The first kept event names one before it: the beginning is gone.
      if (first && event.previous != 0) console.error("the log's beginning is no longer kept");
      first = false;
      printer.print(event);
    }
    if (list->complete || list->events.empty()) return Status::ok();
    request.after = list->events.back().sequence;
  }
}

// A task that has ended: the log in its result is whole; else what the feed still has.
Status print_ended(Client& client, TaskId id, const GlobalOptions& global, LogPrinter& printer,
                   Console& console) {
  const std::array<TaskId, 1> ids{id};
  const Result<std::vector<TaskResult>> results = client.results(ids);
  if (!results.is_ok()) return results.status();
  const auto document =
      results->empty() ? std::nullopt : parse_result_document(results->front().result);
  if (!document || !document->log) return print_kept(client, id, printer, console);
  if (document->log->empty()) return Status::ok();
  if (!global.json) {
    printer.print_text(*document->log);
    return Status::ok();
  }
  FeedEvent whole;
  whole.kind = EventKind::kLog;
  whole.task = id;
  whole.state = results->front().state;
  whole.attempt = results->front().attempt;
  whole.at = results->front().ended_at;
  whole.text = *document->log;
  printer.print(whole);
  return Status::ok();
}

Status follow_log(Client& client, const TaskInfo& task, const GlobalOptions& global,
                  LogPrinter& printer, Console& console) {
  if (task.state != TaskState::kRunning) {
    std::string text = "waiting: the task is " + std::string(to_string(task.state));
    if (task.position > 0) text += ", number " + std::to_string(task.position) + " in its queue";
    if (!task.reason.empty()) text += ": " + printable(task.reason);
    console.error(text);
  }
  Subscriber events = subscribe(global, std::vector<TaskId>{task.id});
  auto asked_at = std::chrono::steady_clock::now();
  while (true) {
    const Result<std::optional<FeedEvent>> event = events.next(kEventWait);
    if (event.is_ok() && event->has_value()) {
      printer.print(**event);
      const bool over = (*event)->kind == EventKind::kState && is_ended((*event)->state);
      if (!over) continue;
      if (events.lost() > 0) {
        console.error(std::to_string(events.lost()) +
                      " events were lost; the whole log: assay logs " + task.id.text());
      }
      return Status::ok();
    }
    if (!event.is_ok()) std::this_thread::sleep_for(kEventWait);  // it may fail at once
    // Silence: perhaps the end was missed.
    if (std::chrono::steady_clock::now() - asked_at < kAskEvery) continue;
    asked_at = std::chrono::steady_clock::now();
    const std::array<TaskId, 1> ids{task.id};
    const Result<std::vector<TaskResult>> results = client.results(ids);
    if (results.is_ok() && !results->empty()) return Status::ok();
    const bool away = !results.is_ok() && results.status().code() == Code::kRetryCall;
    if (!results.is_ok() && !away) return results.status();
  }
}

}  // namespace

ExitCode run(const LogsOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<TaskInfo> task = client->status(options.id);
  if (!task.is_ok()) return report(console, global, task.status());
  LogPrinter printer(global, console);
  Status status;
  if (is_ended(task->state)) {
    status = print_ended(*client, task->id, global, printer, console);
  } else if (options.follow) {
    status = follow_log(*client, *task, global, printer, console);
  } else {
    status = print_kept(*client, task->id, printer, console);
  }
  if (!status.is_ok()) return report(console, global, status);
  if (!printer.any() && !global.json) {
    console.error(is_ended(task->state) ? "this task left no log" : "this task has no log yet");
  }
  return ExitCode::kOk;
}

}  // namespace assay::cli
