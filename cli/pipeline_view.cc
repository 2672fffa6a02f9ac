#include "cli/pipeline_view.h"

#include <nlohmann/json.hpp>

#include "cli/json_forms.h"
#include "cli/result_document.h"
#include "cli/task_board.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kNameColumns = 60;
constexpr std::size_t kReasonColumns = 300;
constexpr std::size_t kAfterNamesMax = 4;

std::map<TaskId, std::string> names_of(const Pipeline& pipeline) {
  std::map<TaskId, std::string> names;
  for (const PipelineTask& task : pipeline.tasks) names[task.task.id] = task.name;
  return names;
}

// "3 passed, 1 failed": an evaluation's own words; nothing for other results.
std::string counts_of(const ResultDocument& document) {
  std::string text;
  for (const auto& [outcome, count] : document.counts) {
    if (count > 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + printable(outcome, 20);
    }
  }
  return text;
}

std::vector<Span> ended_row(const std::string& name, const TaskResult& result) {
  const auto document = parse_result_document(result.result);
  std::string what = result.reason;
  if (what.empty() && document) what = counts_of(*document);
  return {{printable(name, kNameColumns)},
          {std::string(to_string(result.state)), ink_of(result.state)},
          {result.id.text(), Ink::kDim},
          {printable(what, kReasonColumns)}};
}

}  // namespace

Table plan_table(const Pipeline& pipeline) {
  Table table{{{"STEP"}, {"QUEUE"}, {"AFTER"}}, {}};
  const std::map<TaskId, std::string> names = names_of(pipeline);
  for (const PipelineTask& task : pipeline.tasks) {
    std::string after;
    for (std::size_t i = 0; i < task.task.after.size(); ++i) {
      if (i == kAfterNamesMax) {
        after += " and " + std::to_string(task.task.after.size() - i) + " more";
        break;
      }
      after += (after.empty() ? "" : ", ") + names.at(task.task.after[i]);
    }
    table.rows.push_back({{printable(task.name, kNameColumns)},
                          {task.task.queue.value},
                          {printable(after, kReasonColumns)}});
  }
  return table;
}

Table ends_table(const Pipeline& pipeline, const std::map<TaskId, TaskResult>& ended) {
  Table table{{{"STEP"}, {"STATE"}, {"TASK"}, {"WHY"}}, {}};
  for (const PipelineTask& task : pipeline.tasks) {
    const auto found = ended.find(task.task.id);
    if (found != ended.end()) {
      table.rows.push_back(ended_row(task.name, found->second));
    } else {
      table.rows.push_back({{printable(task.name, kNameColumns)},
                            {"goes on", Ink::kBlue},
                            {task.task.id.text(), Ink::kDim},
                            {""}});
    }
  }
  return table;
}

std::string pipeline_to_json(const Pipeline& pipeline, const TaskId& run,
                             const std::map<TaskId, TaskResult>& ended) {
  ordered_json steps = ordered_json::array();
  for (const PipelineTask& task : pipeline.tasks) {
    ordered_json after = ordered_json::array();
    for (const TaskId& id : task.task.after) after.push_back(id.text());
    const auto found = ended.find(task.task.id);
    steps.push_back(
        {{"step", task.name},
         {"id", task.task.id.text()},
         {"queue", task.task.queue.value},
         {"after", std::move(after)},
         {"result",
          found == ended.end() ? ordered_json() : ordered_json::parse(to_json(found->second))}});
  }
  const ordered_json document = {
      {"run", run.text()}, {"name", pipeline.name}, {"steps", std::move(steps)}};
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace assay::cli
