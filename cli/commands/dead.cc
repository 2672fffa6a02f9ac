// assay dead: the tasks that kept losing their workers, and what is to become of them.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"

namespace assay::cli {

ExitCode run(const DeadOptions& options, const GlobalOptions& global, Console& console) {
  if (options.action == "list") {
    ListOptions list;
    list.states = {TaskState::kDead};
    list.limit = 1000;
    return run(list, global, console);
  }
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::vector<TaskId>> ids = resolve(*client, options.ids);
  if (!ids.is_ok()) return report(console, global, ids.status());
  const bool retries = options.action == "retry";
  const Result<std::uint64_t> affected =
      client->operate(retries ? Operation::kRetryDead : Operation::kDropDead, {}, *ids);
  if (!affected.is_ok()) {
    return report(console, global, Status(affected.status()).with_context("nothing was changed"));
  }
  if (global.json) {
    console.print(affected_to_json(*affected));
  } else {
    console.print(std::to_string(*affected) + (*affected == 1 ? " task is " : " tasks are ") +
                  (retries ? "queued again" : "forgotten"));
  }
  return ExitCode::kOk;
}

}  // namespace assay::cli
