// assay list: the tasks that match, the newest first.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/task_view.h"

namespace assay::cli {

ExitCode run(const ListOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  ListRequest request;
  request.states = options.states;
  request.queue = QueueName(options.queue);
  request.owner = OwnerName(options.owner);
  if (options.since) request.since = now() - *options.since;
  request.limit = options.limit;
  const Result<TaskList> list = client->list(std::move(request));
  if (!list.is_ok()) return report(console, global, list.status());
  if (global.json) {
    console.print(to_json(*list));
    return ExitCode::kOk;
  }
  if (list->tasks.empty()) {
    console.print("no task matches");
    return ExitCode::kOk;
  }
  console.print(task_table(list->tasks, now()));
  if (!list->complete) {
    console.error("these are the newest " + std::to_string(list->tasks.size()) +
                  "; there are more: raise --limit (1000 at most) or narrow with --state, --queue, "
                  "--owner, --since");
  }
  return ExitCode::kOk;
}

}  // namespace assay::cli
