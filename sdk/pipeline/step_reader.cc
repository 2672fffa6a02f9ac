#include "sdk/pipeline/step_reader.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "assay/build.h"
#include "sdk/build/context_folder.h"
#include "sdk/build/request_reader.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/evaluation/config_document.h"

namespace assay::pipeline {
namespace {

using config::Map;
using config::YamlNode;

constexpr std::size_t kBodyBytesMax = 16U << 20;

void read_queue(Map& map, TaskSpec& task) {
  std::string queue = task.queue.value;
  map.text("queue", queue);
  if (valid_name(queue)) {
    task.queue = QueueName(queue);
  } else {
    map.mistake("queue", "'" + queue + "' is no name of a queue");
  }
}

// What every kind of step may say of how its task is run.
void read_common(Map& step, TaskSpec& task) {
  step.integer("priority", task.priority, {0, 9});
  step.choice("on_failure", task.on_failure, {"cancel", "run"});
  step.integer("max_attempts", task.max_attempts, {1, 100});
  step.integer("cost", task.cost, {1, 10'000});
  step.duration("attempt_timeout", task.timeout, {.min = Duration(1)});
  step.texts("require", task.require);
  std::map<std::string, std::string> labels;
  step.texts("labels", labels);
  for (auto& [key, value] : labels) task.labels[key] = std::move(value);
}

}  // namespace

void StepReader::read(Map& step, const std::string& name, TaskSpec& task) {
  (void)step.node("after");  // read before anything was filled in
  (void)step.node("matrix");
  read_common(step, task);
  static const std::vector<std::string> kinds{"eval", "build", "task"};
  std::vector<std::string> found;
  for (const std::string& kind : kinds) {
    if (step.node(kind) != nullptr) found.push_back(kind);
  }
  if (found.size() != 1) {
    step.mistake("expected exactly one of " + config::join(kinds) + ", found " +
                 (found.empty() ? "none" : config::join(found)));
    return;
  }
  if (found.front() == "eval") read_evaluation(step, name, task);
  if (found.front() == "build") read_build(step, task);
  if (found.front() == "task") read_task(step, task);
}

std::string StepReader::beside(const std::string& path) const {
  return (std::filesystem::path(folder_) / path).lexically_normal().string();
}

const Result<Evaluation>& StepReader::loaded(const std::string& path) {
  const auto found = loaded_.find(path);
  if (found != loaded_.end()) return found->second;
  return loaded_.emplace(path, load_evaluation(beside(path))).first->second;
}

// `eval: FILE`, or a map with `file` or `image` and what is to differ from the file's own settings.
void StepReader::read_evaluation(Map& step, const std::string& name, TaskSpec& task) {
  Evaluation evaluation;
  const auto take_file = [&](Map& map, const std::string& key, const std::string& path) {
    const Result<Evaluation>& from = loaded(path);
    if (from.is_ok()) {
      evaluation = *from;
    } else {
      map.mistake(key, from.status().message());
    }
  };
  task.queue = QueueName("eval");
  if (step.node("eval")->kind == YamlNode::Kind::kMap) {
    step.map("eval", [&](Map& map) {
      std::string file;
      std::string image;
      map.text("file", file);
      map.text("image", image);
      if (file.empty() == image.empty()) map.mistake("expected either 'file' or 'image'");
      if (!file.empty()) take_file(map, "file", file);
      if (!image.empty()) {
        evaluation.kind = EvaluationKind::kImage;
        evaluation.entry = image;
      }
      evaluation.name = name;
      evaluation::read_settings(map, evaluation);
      read_queue(map, task);
    });
  } else {
    std::string file;
    step.text("eval", file);
    if (!file.empty()) take_file(step, "eval", file);
    evaluation.name = name;
  }
  task.labels.emplace("name", evaluation.name);
  task.labels.emplace("kind", to_string(evaluation.kind));
  task.body = encode_evaluation(evaluation);
}

// A build request, with `directory` in the place of `source` for files beside the pipeline.
void StepReader::read_build(Map& step, TaskSpec& task) {
  task.queue = QueueName("build");
  BuildRequest request;
  step.map("build", [&](Map& map) {
    std::string directory;
    map.text("directory", directory);
    build::read_request(map, request);
    read_queue(map, task);
    if (!directory.empty()) {
      build::ContextOptions options;
      options.subdirectory = request.subdirectory;
      options.dockerfile = request.dockerfile;
      options.dockerfile_text = request.dockerfile_text;
      const auto folder = build::ContextFolder::open(beside(directory), options);
      const auto packed =
          folder.is_ok()
              ? build::pack(*folder, build::ContextArchive::Form::kTarGzip, kInlineContextBytesMax)
              : Result<std::string>(folder.status());
      if (packed.is_ok()) {
        request.context_archive = *packed;
        request.subdirectory.clear();  // what is sent begins there
      } else {
        map.mistake("directory", packed.status().message());
        return;
      }
    }
    build::tell_problems(map, request);
  });
  if (!request.tags.empty()) task.labels.emplace("image", request.tags.front());
  task.body = encode_build(request);
}

// Any task for any queue.
void StepReader::read_task(Map& step, TaskSpec& task) {
  step.map("task", [&](Map& map) {
    map.require("queue");
    if (map.has("queue")) read_queue(map, task);
    std::string file;
    map.text("body", task.body);
    map.text("body_file", file);
    const YamlNode* json = map.node("json");
    if (!file.empty() + (json != nullptr) + map.has("body") > 1) {
      map.mistake("expected one of body, body_file and json");
    }
    if (json != nullptr) task.body = config::to_json(*json);
    if (file.empty()) return;
    Result<std::string> content = config::read_file(beside(file), kBodyBytesMax);
    if (content.is_ok()) {
      task.body = std::move(*content);
    } else {
      map.mistake("body_file", content.status().message());
    }
  });
}

}  // namespace assay::pipeline
