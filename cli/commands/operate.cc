// assay pause, resume, drain: one queue or worker, one word to the broker.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

// `done` and `was_so` go on after the target's name.
ExitCode perform(Operation operation, const std::string& target, const std::string& done,
                 const std::string& was_so, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::uint64_t> affected = operate(*client, operation, target);
  if (!affected.is_ok()) return report(console, global, affected.status());
  if (global.json) {
    console.print(affected_to_json(*affected));
  } else {
    console.print(printable(target, 64) + " " + (*affected > 0 ? done : was_so));
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode run(const PauseOptions& options, const GlobalOptions& global, Console& console) {
  return perform(Operation::kPauseQueue, options.queue,
                 "gives out nothing until 'assay resume'; what runs goes on", "was paused before",
                 global, console);
}

ExitCode run(const ResumeOptions& options, const GlobalOptions& global, Console& console) {
  return perform(Operation::kResumeQueue, options.queue, "gives out tasks again", "was not paused",
                 global, console);
}

ExitCode run(const DrainOptions& options, const GlobalOptions& global, Console& console) {
  return perform(Operation::kDrainWorker, options.worker,
                 "gets nothing new; 'assay workers' shows when it has finished",
                 "was draining before", global, console);
}

}  // namespace assay::cli
