// assay cancel: asks tasks to end.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"

namespace assay::cli {

ExitCode run(const CancelOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::vector<TaskId>> ids = resolve(*client, options.ids);
  if (!ids.is_ok()) return report(console, global, ids.status());
  const Result<Cancelled> answer =
      client->cancel(*ids, options.reason.empty() ? "by " + default_owner() : options.reason,
                     options.with_dependents);
  if (!answer.is_ok()) return report(console, global, answer.status());
  if (global.json) {
    console.print(to_json(*answer));
  } else {
    for (const TaskId& id : answer->cancelled) console.print(id.text() + "  cancelled");
    for (const TaskId& id : answer->requested) {
      console.print(id.text() + "  will end when its worker has stopped it");
    }
    for (const TaskId& id : answer->ended) console.print(id.text() + "  had ended before");
    for (const TaskId& id : answer->unknown) console.error("no task has the id " + id.text());
  }
  return answer->unknown.empty() ? ExitCode::kOk : ExitCode::kError;
}

}  // namespace assay::cli
