// assay dead: the tasks that kept losing their workers, and what is to become of them.
#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/printable.h"

namespace assay::cli {

namespace {

constexpr std::size_t kStoriesMax = 20;
constexpr std::size_t kStoryColumns = 100;

// How each came to its death, attempt by attempt.
void print_stories(Client& client, const std::vector<TaskInfo>& dead, Console& console) {
  for (std::size_t i = 0; i < std::min(dead.size(), kStoriesMax); ++i) {
    const Result<TaskInfo> task = client.status(dead[i].id.text());
    if (!task.is_ok()) continue;  // dropped since
    console.print(Line{{""}});
    console.print(
        Line{{task->id.text(), Ink::kBold}, {"  "}, {printable(task->reason, kStoryColumns)}});
    for (const AttemptInfo& attempt : task->attempts) {
      console.print(Line{{"  attempt " + std::to_string(attempt.attempt.number) + " on " +
                          printable(attempt.worker.value, 64) + ": "},
                         {std::string(to_string(attempt.cause)), Ink::kYellow},
                         {"  " + printable(attempt.ended_because, kStoryColumns)}});
    }
  }
  if (dead.size() > kStoriesMax)
    console.print("the stories of the other " + std::to_string(dead.size() - kStoriesMax) +
                  ": 'assay status ID'");
}

}  // namespace

ExitCode run(const DeadOptions& options, const GlobalOptions& global, Console& console) {
  if (options.action == "list") {
    ListOptions list;
    list.states = {TaskState::kDead};
    list.limit = 1000;
    const ExitCode code = run(list, global, console);
    if (code != ExitCode::kOk || global.json) return code;
    Result<Client> asked = connect(global);
    if (!asked.is_ok()) return report(console, global, asked.status());
    const Result<TaskList> dead = asked->list({.states = list.states, .limit = list.limit});
    if (!dead.is_ok()) return report(console, global, dead.status());
    print_stories(*asked, dead->tasks, console);
    return code;
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
