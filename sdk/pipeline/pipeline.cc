// load_pipeline. First what the file declares (variables, steps, matrices, who waits for whom),
// then each combination of each step, filled in and read as if it had been written by hand.
#include "assay/pipeline.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "sdk/config/strict_yaml.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/pipeline/input_reference.h"
#include "sdk/pipeline/step.h"
#include "sdk/pipeline/step_reader.h"
#include "sdk/pipeline/template_text.h"

namespace assay {
namespace {

using config::Map;
using config::YamlEntry;
using config::YamlNode;
using pipeline::Combination;
using pipeline::Step;

constexpr std::size_t kTasksMax = 10'000;
constexpr std::size_t kBodyBytesMax = 16U << 20;  // of all tasks: they travel in one message
constexpr std::size_t kAfterMax = 1000;

// The run's time, so that the ids sort with it, and chance that follows from the run and the name.
TaskId id_of(const TaskId& run, const std::string& name) {
  std::string text(reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size());
  text += name;
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(text.data(), text.size()));
  TaskId id = run;
  std::memcpy(id.bytes.data() + 6, hash.digest, id.bytes.size() - 6);
  return id;
}

class Loader {
 public:
  Loader(const std::string& path, const PipelineOptions& options)
      : options_(options),
        mistakes_(path),
        reader_(std::filesystem::path(path).parent_path().string()) {
    out_.name = std::filesystem::path(path).stem().string();
  }

  Result<Pipeline> load(const YamlNode& tree) {
    if (tree.kind != YamlNode::Kind::kMap) {
      mistakes_.add(tree.line, "expected a map with 'steps'");
    } else {
      Map top(tree, "", mistakes_);
      read_top(top);
      top.refuse_unknown_keys();
    }
    if (mistakes_.empty()) make_tasks();
    if (!mistakes_.empty()) return fix_input("invalid_pipeline", mistakes_.text());
    return std::move(out_);
  }

 private:
  void read_top(Map& top) {
    top.text("name", out_.name);
    std::string owner = options_.owner.value;
    top.text("owner", owner);
    if (!valid_name(owner)) top.mistake("owner", "'" + owner + "' is no name of an owner");
    common_.owner = OwnerName(owner);
    top.integer("priority", common_.priority, {0, 9});
    top.texts("labels", common_.labels);
    for (const auto& [key, value] : options_.labels) common_.labels[key] = value;
    top.texts("variables", variables_);
    for (const auto& [key, value] : options_.variables) {
      const auto found = variables_.find(key);
      if (found == variables_.end()) {
        top.mistake("there is no variable '" + key + "' to set; " + known(variables_));
      } else {
        found->second = value;
      }
    }
    top.require("steps");
    const YamlNode* steps = top.node("steps");
    if (steps == nullptr) return;
    if (steps->kind != YamlNode::Kind::kMap || steps->entries.empty()) {
      top.mistake("steps", "expected a map of names to steps");
      return;
    }
    for (const YamlEntry& entry : steps->entries) declare(entry);
    for (const Step& step : steps_) check_after(step);
  }

  static std::string known(const std::map<std::string, std::string>& names) {
    if (names.empty()) return "the pipeline declares none";
    std::vector<std::string> words;
    words.reserve(names.size());
    for (const auto& [name, value] : names) words.push_back(name);
    return "there are " + config::join(words);
  }

  void declare(const YamlEntry& entry) {
    Step step{entry.key, entry.line, &entry.value, std::vector<Combination>(1), {}};
    if (!valid_name(entry.key)) {
      mistakes_.add(entry.line, "'" + entry.key.substr(0, 80) +
                                    "' is no name for a step: expected 1 to 64 of letters, "
                                    "digits, '.', '_', '-'");
    }
    if (entry.value.kind != YamlNode::Kind::kMap) {
      mistakes_.add(entry.line, "steps." + entry.key + ": expected a map");
      return;
    }
    Map map(entry.value, "steps." + entry.key + ".", mistakes_);
    map.texts("after", step.after);
    if (const YamlNode* matrix = map.node("matrix")) {
      step.combinations = pipeline::read_matrix(
          *matrix, [this](std::string_view name) { return variable(name); }, mistakes_);
    }
    for (std::string& name : pipeline::steps_referred_to(entry.value)) {
      if (std::find(step.after.begin(), step.after.end(), name) == step.after.end()) {
        step.after.push_back(std::move(name));
      }
    }
    steps_.push_back(std::move(step));
  }

  const Step* find(std::string_view name) const {
    const auto found = std::find_if(steps_.begin(), steps_.end(),
                                    [&](const Step& step) { return step.name == name; });
    return found == steps_.end() ? nullptr : &*found;
  }

  void check_after(const Step& step) {
    for (const std::string& name : step.after) {
      if (find(name) == nullptr) {
        mistakes_.add(step.line,
                      "steps." + step.name + " comes after '" + name + "', which is no step");
      }
    }
  }

  Result<std::string> variable(std::string_view name) const {
    const auto found = variables_.find(std::string(name));
    if (found != variables_.end()) return found->second;
    return fix_input("unknown_name", "there is no variable '" + std::string(name) + "'; " +
                                         known(variables_) + ". matrix.NAME and steps.NAME.FIELD " +
                                         "are the other forms");
  }

  Result<std::string> value(std::string_view name, const Combination& combination) const {
    constexpr std::string_view kMatrix = "matrix.";
    constexpr std::string_view kSteps = "steps.";
    if (name.starts_with(kMatrix)) {
      for (const auto& [key, value] : combination) {
        if (key == name.substr(kMatrix.size())) return value;
      }
      return fix_input("unknown_name",
                       "'" + std::string(name) + "': the step's matrix has no such key");
    }
    if (!name.starts_with(kSteps)) return variable(name);
    name.remove_prefix(kSteps.size());
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string step_name(name.substr(0, dot));
    const Step* step = find(step_name);
    if (step == nullptr) return fix_input("unknown_name", "there is no step '" + step_name + "'");
    if (step->combinations.size() != 1) {
      return fix_input("unknown_name", "step '" + step_name +
                                           "' is several tasks (matrix): which " +
                                           "of their results is meant can't be told");
    }
    if (dot + 1 >= name.size()) {
      return fix_input("unknown_name",
                       "expected steps." + step_name + ".FIELD, a field of its result");
    }
    const TaskId id = id_of(options_.run, name_of(*step, step->combinations.front()));
    return pipeline::input_reference(id, name.substr(dot + 1));
  }

  void make_tasks() {
    std::size_t count = 0;
    for (const Step& step : steps_) count += step.combinations.size();
    if (count > kTasksMax) {
      mistakes_.add(0, "the steps make " + std::to_string(count) + " tasks; expected at most " +
                           std::to_string(kTasksMax));
      return;
    }
    std::size_t bytes = 0;
    for (const Step* step : pipeline::in_order(steps_, mistakes_)) {
      for (const Combination& combination : step->combinations) {
        make_task(*step, combination);
        if (!mistakes_.empty()) break;  // the others would say the same again
        bytes += out_.tasks.back().task.body.size();
      }
    }
    if (bytes > kBodyBytesMax) {
      mistakes_.add(0, "the bodies of all tasks have " + std::to_string(bytes) +
                           " bytes; a pipeline is submitted as one message of at most " +
                           std::to_string(kBodyBytesMax));
    }
  }

  void make_task(const Step& step, const Combination& combination) {
    PipelineTask made{name_of(step, combination), common_};
    TaskSpec& task = made.task;
    YamlNode node = *step.node;
    std::erase_if(node.entries, [](const YamlEntry& entry) { return entry.key == "matrix"; });
    pipeline::fill_in(
        node, [&](std::string_view name) { return value(name, combination); }, mistakes_);
    if (!mistakes_.empty()) return;
    Map map(node, "steps." + step.name + ".", mistakes_);
    reader_.read(map, made.name, task);
    map.refuse_unknown_keys();
    task.id = id_of(options_.run, made.name);
    task.labels["pipeline"] = out_.name;
    task.labels["run"] = options_.run.text();
    task.labels["step"] = made.name;
    for (const std::string& name : step.after) {
      const Step& other = *find(name);
      for (const Combination& one : other.combinations) {
        task.after.push_back(id_of(options_.run, name_of(other, one)));
      }
    }
    if (task.after.size() > kAfterMax) {
      mistakes_.add(step.line, "steps." + step.name + " comes after " +
                                   std::to_string(task.after.size()) + " tasks; expected at most " +
                                   std::to_string(kAfterMax));
    }
    out_.tasks.push_back(std::move(made));
  }

  const PipelineOptions& options_;
  config::Mistakes mistakes_;
  pipeline::StepReader reader_;
  Pipeline out_;
  TaskSpec common_;
  std::map<std::string, std::string> variables_;
  std::vector<Step> steps_;
};

}  // namespace

Result<Pipeline> load_pipeline(const std::string& path, const PipelineOptions& options) {
  const Result<std::string> content = config::read_file(path);
  if (!content.is_ok()) return content.status();
  const Result<YamlNode> tree = config::parse_yaml_tree(*content, path);
  if (!tree.is_ok()) return fix_input("invalid_pipeline", tree.status().message());
  return Loader(path, options).load(*tree);
}

}  // namespace assay
