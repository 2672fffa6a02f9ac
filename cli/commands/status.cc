// assay status: a task's whole history.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/task_view.h"

namespace assay::cli {
namespace {

// The last progress of the attempt that runs. What can't be fetched is only missing from the view.
std::optional<FeedEvent> last_progress(Client& client, const TaskInfo& task) {
  if (task.state != TaskState::kRunning || task.attempts.empty()) return std::nullopt;
  std::optional<FeedEvent> last;
  EventsRequest request{.request = 0, .after = 0, .tasks = {task.id}, .limit = 1000};
  while (true) {
    const Result<EventList> list = client.events(request);
    if (!list.is_ok()) return last;
    for (const FeedEvent& event : list->events) {
      const bool counts =
          event.kind == EventKind::kProgress && event.attempt == task.attempts.back().attempt;
      if (counts) last = event;
    }
    if (list->complete || list->events.empty()) return last;
    request.after = list->events.back().sequence;
  }
}

}  // namespace

ExitCode run(const StatusOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<TaskInfo> task = client->status(options.id);
  if (!task.is_ok()) return report(console, global, task.status());
  if (global.json) {
    console.print(to_json(*task));
    return ExitCode::kOk;
  }
  for (const Line& line : task_lines(*task, last_progress(*client, *task), now())) {
    console.print(line);
  }
  return ExitCode::kOk;
}

}  // namespace assay::cli
