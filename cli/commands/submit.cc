// assay submit: any task for any queue.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"

namespace assay::cli {
namespace {

constexpr std::size_t kBatch = 1000;            // tasks a message, so that one stays small
constexpr std::size_t kBatchBytes = 4'000'000;  // and no larger than that

Result<std::string> body_of(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return fix_input("unreadable_file", "cannot read the body from '" + path + "'");
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string body{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fix_input("unreadable_file", "reading the body from '" + path + "' failed");
  return body;
}

}  // namespace

ExitCode run(const SubmitOptions& options, const GlobalOptions& global, Console& console) {
  const Result<std::string> body = body_of(options.body);
  if (!body.is_ok()) return report(console, global, body.status());
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());

  TaskSpec task;
  task.queue = QueueName(options.queue);
  task.owner = OwnerName(options.owner.empty() ? default_owner() : options.owner);
  task.priority = options.priority;
  task.max_attempts = options.max_attempts;
  task.labels = options.labels;
  task.body = *body;
  const Result<std::vector<TaskId>> after = resolve(*client, options.after);
  if (!after.is_ok()) return report(console, global, after.status());
  task.after = *after;
  task.on_failure = options.on_failure;
  task.not_before = options.not_before.value_or(Time());
  task.deadline = options.deadline.value_or(Time());
  task.timeout = options.timeout.value_or(Duration(0));
  task.cost = options.cost;
  task.require = options.require;
  std::vector<TaskId> ids;
  const std::size_t batch = std::clamp<std::size_t>(kBatchBytes / (body->size() + 200), 1, kBatch);
  while (ids.size() < options.count) {
    std::vector<TaskSpec> tasks(std::min<std::size_t>(batch, options.count - ids.size()), task);
    for (TaskSpec& each : tasks) {
      each.id = options.id.empty() ? TaskId::make(now()) : *TaskId::parse(options.id);
      ids.push_back(each.id);
    }
    const std::size_t count = tasks.size();
    const Result<Submitted> submitted = client->submit(std::move(tasks));
    if (submitted.is_ok()) {
      if (!global.json) {
        for (std::size_t i = ids.size() - count; i < ids.size(); ++i) console.print(ids[i].text());
      }
      continue;
    }
    ids.resize(ids.size() - count);
    Status status = submitted.status();
    if (!ids.empty()) {
      status = std::move(status).with_context(std::to_string(ids.size()) + " were submitted, then");
    }
    return report(console, global, status);
  }
  if (global.json) console.print(to_json(ids));
  return ExitCode::kOk;
}

}  // namespace assay::cli
