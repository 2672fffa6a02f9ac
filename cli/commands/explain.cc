// assay explain: why a task has not started, or not ended.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/explain_view.h"

namespace assay::cli {

ExitCode run(const ExplainOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<Explanation> task = client->explain(options.id);
  if (!task.is_ok()) return report(console, global, task.status());
  if (global.json) {
    console.print(to_json(*task));
    return ExitCode::kOk;
  }
  for (const Line& line : explanation_lines(*task, now())) console.print(line);
  return ExitCode::kOk;
}

}  // namespace assay::cli
