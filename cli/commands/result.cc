// assay result: what a task's worker left behind.
#include <array>

#include "cli/build_result.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/output_files.h"
#include "cli/result_document.h"
#include "cli/result_view.h"

namespace assay::cli {
namespace {

ExitCode print_outputs(const ResultDocument& document, const ResultOptions& options,
                       const GlobalOptions& global, Console& console) {
  const auto written = write_outputs(document.outputs, options.outputs);
  if (!written.is_ok()) return report(console, global, written.status());
  for (const std::string& path : *written) console.print(path);
  if (written->empty()) console.error("this task brought no files out");
  return ExitCode::kOk;
}

std::vector<Line> lines_of(const TaskResult& result) {
  if (const auto build = parse_build_result(result.result)) return build_lines(result, *build);
  const auto document = parse_result_document(result.result);
  return document ? result_lines(result, *document) : result_lines(result);
}

}  // namespace

ExitCode run(const ResultOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<TaskId> id = resolve(*client, options.id);
  if (!id.is_ok()) return report(console, global, id.status());
  const std::array<TaskId, 1> ids{*id};
  const Result<std::vector<TaskResult>> results = client->results(ids);
  if (!results.is_ok()) return report(console, global, results.status());
  if (results->empty()) {
    return report(console, global,
                  retry_later("not_ended", "the task " + id->text() +
                                               " has not ended; wait for it with 'assay wait " +
                                               id->text() + "'"));
  }
  const TaskResult& result = results->front();
  const auto document = parse_result_document(result.result);
  const ExitCode code = exit_code(result.state, document ? document->status : "");
  if (!options.output.empty()) {
    const Status written = write_file(options.output, result.result);
    if (!written.is_ok()) return report(console, global, written);
    if (!global.json) return code;
  }
  if (!options.outputs.empty()) {
    return print_outputs(document.value_or(ResultDocument()), options, global, console);
  }
  if (global.json) {
    console.print(to_json(result));
  } else if (!console.live() && !options.text) {
    console.write(result.result);  // a pipe gets the bytes
  } else {
    // A person gets what can be read; raw bytes could steer the terminal.
    for (const Line& line : lines_of(result)) console.print(line);
  }
  return code;
}

}  // namespace assay::cli
