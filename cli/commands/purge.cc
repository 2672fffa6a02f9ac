// assay purge: cancels all that waits in a queue, once somebody has said yes.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

// What there is to cancel, for the question.
Result<std::uint64_t> tasks_in(Client& client, const std::string& name) {
  const Result<std::vector<QueueInfo>> queues = client.queues();
  if (!queues.is_ok()) return queues.status();
  const auto queue = std::find_if(queues->begin(), queues->end(),
                                  [&](const QueueInfo& each) { return each.name.value == name; });
  if (queue == queues->end()) {
    return not_found("unknown_queue",
                     "there is no queue '" + name + "'; 'assay queues' lists them");
  }
  return queue->queued + queue->waiting;
}

bool says_yes(std::uint64_t tasks, const std::string& queue, Console& console) {
  console.write("Cancel the " + std::to_string(tasks) + " tasks that wait in " +
                printable(queue, 64) + "? [y/N] ");
  console.flush();
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

ExitCode run(const PurgeOptions& options, const GlobalOptions& global, Console& console) {
  const bool can_ask = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !global.json;
  if (!options.yes && !can_ask) {
    return report(
        console, global,
        fix_input("not_confirmed",
                  "this cancels all tasks that wait in the queue, and nobody can be asked "
                  "here; say --yes if that is meant"));
  }
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  if (!options.yes) {
    const Result<std::uint64_t> tasks = tasks_in(*client, options.queue);
    if (!tasks.is_ok()) return report(console, global, tasks.status());
    if (!says_yes(*tasks, options.queue, console)) {
      console.print("nothing was cancelled");
      return ExitCode::kOk;
    }
  }
  // A broker cancels so many at once and no more: it has others to serve.
  std::uint64_t cancelled = 0;
  for (std::uint64_t more = 1; more > 0; cancelled += more) {
    const Result<std::uint64_t> affected = operate(*client, Operation::kPurgeQueue, options.queue);
    if (!affected.is_ok()) return report(console, global, affected.status());
    more = *affected;
  }
  if (global.json) {
    console.print(affected_to_json(cancelled));
  } else {
    console.print(std::to_string(cancelled) +
                  (cancelled == 1 ? " task was cancelled" : " tasks were cancelled"));
  }
  return ExitCode::kOk;
}

}  // namespace assay::cli
