// assay eval: submits an evaluation, follows it, prints its result.
#include <utility>

#include "assay/evaluation.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/json_forms.h"
#include "cli/output_files.h"
#include "cli/result_document.h"
#include "cli/result_view.h"

namespace assay::cli {
namespace {

// "registry.example/team/bench:v2" -> "bench"
std::string name_of_image(const std::string& image) {
  const std::string last = image.substr(image.rfind('/') + 1);
  return last.substr(0, last.find_first_of(":@"));
}

template <typename Value>
void override_with(Value& value, const std::optional<Value>& given) {
  if (given) value = *given;
}

void override_with(std::string& value, const std::string& given) {
  if (!given.empty()) value = given;
}

// The file as it says, then what the flags say.
Result<Evaluation> evaluation_of(const EvalOptions& options) {
  Evaluation evaluation;
  if (options.image.empty()) {
    Result<Evaluation> loaded = load_evaluation(options.file);
    if (!loaded.is_ok()) return loaded.status();
    evaluation = std::move(*loaded);
  } else {
    evaluation.kind = EvaluationKind::kImage;
    evaluation.entry = options.image;
    evaluation.name = name_of_image(options.image);
  }
  override_with(evaluation.name, options.name);
  override_with(evaluation.timeout, options.timeout);
  override_with(evaluation.test_timeout, options.test_timeout);
  override_with(evaluation.danger, options.danger);
  override_with(evaluation.pods_max, options.pods_max);
  override_with(evaluation.profile, options.profile);
  override_with(evaluation.endpoint, options.endpoint);
  override_with(evaluation.model, options.model);
  if (options.tests) evaluation.tests = options.tests;
  if (options.seconds_per_test) evaluation.seconds_per_test = options.seconds_per_test;
  if (options.pass_threshold) evaluation.pass_threshold = options.pass_threshold;
  if (options.isolated) evaluation.isolated = true;
  if (!options.arguments.empty()) evaluation.arguments = options.arguments;
  evaluation.outputs.insert(evaluation.outputs.end(), options.outputs.begin(),
                            options.outputs.end());
  return evaluation;
}

TaskSpec task_of(const EvalOptions& options, const Evaluation& evaluation) {
  TaskSpec task;
  task.id = TaskId::make(now());
  task.queue = QueueName(options.queue);
  task.owner = OwnerName(options.owner.empty() ? default_owner() : options.owner);
  task.priority = options.priority;
  task.labels = options.labels;
  task.labels.emplace("name", evaluation.name);
  task.labels.emplace("kind", to_string(evaluation.kind));
  task.body = encode_evaluation(evaluation);
  return task;
}

// What other programs submit, when they leave the reading of files to this one.
ExitCode write_body(const Evaluation& evaluation, const std::string& path,
                    const GlobalOptions& global, Console& console) {
  const std::string body = encode_evaluation(evaluation);
  if (path == "-") {
    console.write(body);
    return ExitCode::kOk;
  }
  const Status written = write_file(path, body);
  return written.is_ok() ? ExitCode::kOk : report(console, global, written);
}

ExitCode print_result(const TaskResult& result, const GlobalOptions& global, Console& console) {
  const auto document = parse_result_document(result.result);
  if (global.json) {
    console.print(to_json(result));
  } else {
    for (const Line& line : document ? result_lines(result, *document) : result_lines(result)) {
      console.print(line);
    }
  }
  return exit_code(result.state, document ? document->status : "");
}

}  // namespace

ExitCode run(const EvalOptions& options, const GlobalOptions& global, Console& console) {
  const Result<Evaluation> evaluation = evaluation_of(options);
  if (!evaluation.is_ok()) return report(console, global, evaluation.status());
  if (!options.body.empty()) return write_body(*evaluation, options.body, global, console);
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());

  // From here on Ctrl-C must not lose a task that was submitted.
  Interrupts interrupts;
  const TaskSpec task = task_of(options, *evaluation);
  const Result<Submitted> submitted = client->submit({task});
  if (!submitted.is_ok()) return report(console, global, submitted.status());
  if (options.detach) {
    console.print(global.json ? to_json(std::vector<TaskId>{task.id}) : task.id.text());
    return ExitCode::kOk;
  }
  if (!global.json) console.print(task.id.text());
  console.flush();

  Subscriber events = subscribe(global, std::vector<TaskId>{task.id});
  const Result<Followed> followed = follow(
      *client, events, interrupts, console,
      {.tasks = {{task.id, evaluation->name, std::nullopt}}, .quiet = global.json, .timeout = {}});
  if (!followed.is_ok()) return report(console, global, followed.status());
  if (followed->pending > 0) {
    if (global.json) console.print(to_json(std::vector<TaskId>{task.id}));
    return ExitCode::kError;
  }
  return print_result(followed->ended.front(), global, console);
}

}  // namespace assay::cli
