// assay run: submits a pipeline as one batch, follows all of it, prints how each step ended.
#include <algorithm>
#include <map>
#include <utility>

#include "assay/pipeline.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/pipeline_view.h"
#include "cli/result_document.h"

namespace assay::cli {
namespace {

// The run is named by its first task's id, or by one that was said, to submit the same run again.
Result<Pipeline> pipeline_of(const RunOptions& options, TaskId run) {
  PipelineOptions given;
  given.run = run;
  given.owner = OwnerName(options.owner.empty() ? default_owner() : options.owner);
  given.variables = options.variables;
  given.labels = options.labels;
  return load_pipeline(options.file, given);
}

ExitCode code_of(const std::map<TaskId, TaskResult>& ended) {
  ExitCode code = ExitCode::kOk;
  for (const auto& [id, result] : ended) {
    const auto document = parse_result_document(result.result);
    code = worst(code, exit_code(result.state, document ? document->status : ""));
  }
  return code;
}

}  // namespace

ExitCode run(const RunOptions& options, const GlobalOptions& global, Console& console) {
  const TaskId id = options.run.empty() ? TaskId::make(now()) : *TaskId::parse(options.run);
  const Result<Pipeline> pipeline = pipeline_of(options, id);
  if (!pipeline.is_ok()) return report(console, global, pipeline.status());
  if (options.dry_run) {
    if (global.json) {
      console.print(pipeline_to_json(*pipeline, id, {}));
    } else {
      console.print(plan_table(*pipeline));
    }
    return ExitCode::kOk;
  }
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  Interrupts interrupts;  // from here on Ctrl-C must not lose what was submitted
  std::vector<TaskSpec> tasks;
  std::vector<TaskId> ids;
  FollowOptions following{.tasks = {}, .quiet = global.json, .timeout = {}};
  for (const PipelineTask& one : pipeline->tasks) {
    tasks.push_back(one.task);
    ids.push_back(one.task.id);
    following.tasks.push_back({one.task.id, one.name, std::nullopt});
  }
  const Result<Submitted> submitted = client->submit(std::move(tasks));
  if (!submitted.is_ok()) return report(console, global, submitted.status());
  if (!global.json) {
    console.print("run " + id.text() + ": " + std::to_string(ids.size()) +
                  (ids.size() == 1 ? " task" : " tasks"));
  }
  std::map<TaskId, TaskResult> ended;
  if (options.detach) {
    if (global.json) console.print(pipeline_to_json(*pipeline, id, ended));
    return ExitCode::kOk;
  }
  console.flush();
  Subscriber events = subscribe(global, std::move(ids));
  Result<Followed> followed = follow(*client, events, interrupts, console, following);
  if (!followed.is_ok()) return report(console, global, followed.status());
  for (TaskResult& result : followed->ended) ended.emplace(result.id, std::move(result));
  if (global.json) {
    console.print(pipeline_to_json(*pipeline, id, ended));
  } else {
    console.print(ends_table(*pipeline, ended));
  }
  return followed->pending > 0 ? ExitCode::kError : code_of(ended);
}

}  // namespace assay::cli
