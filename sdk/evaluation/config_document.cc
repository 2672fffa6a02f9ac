#include "sdk/evaluation/config_document.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sdk/config/strict_yaml.h"
#include "sdk/evaluation/evaluation_path.h"

namespace assay::evaluation {
namespace {

using assay::config::Map;
using assay::config::YamlNode;
using nlohmann::json;

constexpr double kPassScore = 0.5;
constexpr std::size_t kGroupCountMax = 200;
constexpr std::size_t kCaseCountMax = 100'000;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A template with the fields of a case put in; nothing, and `problem` says why, when it can't be.
std::optional<std::string> render(const std::string& text, const json& fields,
                                  std::string& problem) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' && text[i] != '}') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == text[i]) {
      out += text[i++];
    } else {
      const auto end = text.find('}', i);
      if (text[i] == '}' || end == std::string::npos) {
        problem = "a brace that does not close or open; {{ and }} are braces themselves";
        return std::nullopt;
      }
      const auto field = fields.find(text.substr(i + 1, end - i - 1));
      if (field == fields.end()) {
        problem = "a case has no field " + text.substr(i + 1, end - i - 1);
        return std::nullopt;
      }
      out += field->is_string() ? field->get<std::string>() : dump(*field);
      i = end;
    }
  }
  return out;
}

// Reads one document: the map `evaluation`, its tests, and the suites that they name.
class ConfigReader {
 public:
  ConfigReader(const ConfigSource& source, ConfigEvaluation& out) : source_(source), out_(out) {}

  void read_evaluation(Map& map);
  // What suite files are wrong about; each has its own name in front.
  const std::string& elsewhere() const { return elsewhere_; }
  bool complete() const { return complete_; }

 private:
  void read_parameters(Map& map);
  void read_group(Map& map, const std::string& folder, const std::string& name);
  void read_suite(Map& map, const std::string& name);
  void read_script(Map& map, const std::string& folder);
  void read_cases(Map& map, const std::string& folder, const std::string& name);
  json read_scorer(Map& map, const std::string& folder);
  json custom_scorer(Map& map, const std::string& text, const std::string& folder);
  void read_request(Map& map, json& group);
  void read_messages(Map& map, json& group);
  json read_inline_cases(Map& map);
  json read_data_set(Map& map, const std::string& key, const std::string& path);
  void add_audio(Map& map, const json& group, const json& cases, const std::string& folder);
  const std::string* fetch(Map& map, const std::string& key, const std::string& path);
  json free_object(Map& map, const std::string& key, const std::set<std::string>& but = {});
  std::string unique_name(std::string name);

  const ConfigSource& source_;
  ConfigEvaluation& out_;
  json groups_ = json::array();
  json parameters_ = json::object();
  std::uint32_t runs_ = 1;
  std::map<std::string, std::string> fetched_;
  std::set<std::string> names_;
  std::string elsewhere_;
  bool complete_ = true;
};

void read_common(Map& map, Evaluation& settings) {
  map.text("name", settings.name);
  map.text("endpoint", settings.endpoint);
  map.text("model", settings.model);
  map.text("profile", settings.profile);
  map.integer("danger", settings.danger, {0, 10});
  map.boolean("isolated", settings.isolated);
  map.integer("pods_max", settings.pods_max, {1, 100'000});
  map.number("seconds_per_test", settings.seconds_per_test, {0, 1e9});
  map.number("pass_threshold", settings.pass_threshold, {0, 1});
  map.duration("timeout", settings.timeout, {.min = Duration(1)});
  map.text("grader", settings.grader);
  if (const std::string problem = path_problem(settings.grader);
      !settings.grader.empty() && !problem.empty()) {
    map.mistake("grader", "\"" + settings.grader + "\": " + problem);
  }
  map.texts("outputs", settings.outputs);
  for (const std::string& path : settings.outputs) {
    const std::string problem = path_problem(path);
    if (!problem.empty()) map.mistake("outputs", "\"" + path + "\": " + problem);
  }
}

void ConfigReader::read_evaluation(Map& map) {
  read_common(map, out_.settings);
  map.integer("concurrency", out_.concurrency, {1, 256});
  map.integer("seed", out_.seed);
  std::uint32_t retries = 2;
  map.integer("retries", retries, {0, 20});
  Duration call_timeout(60'000);
  map.duration("call_timeout", call_timeout, {.min = Duration(1)});
  read_parameters(map);
  map.require("tests");
  map.each("tests", [&](Map& entry) { read_group(entry, "", ""); });
  if (groups_.empty() && complete_) map.mistake("tests", "expected at least one test, found none");
  out_.document = dump({{"version", 1},
                        {"name", out_.settings.name},
                        {"parameters", parameters_},
                        {"retries", retries},
                        {"call_timeout_seconds", static_cast<double>(call_timeout.count()) / 1000},
                        {"groups", groups_}});
}

// All but two go to the model as they are.
void ConfigReader::read_parameters(Map& map) {
  parameters_ = free_object(map, "parameters", {"runs_per_test", "timeout"});
  const YamlNode* node = map.node("parameters");
  if (node == nullptr || node->kind != YamlNode::Kind::kMap) return;
  for (const auto& entry : node->entries) {
    if (entry.key == "runs_per_test") {
      const auto runs = config::parse_integer(entry.value.text, {1, 10'000});
      if (!runs.is_ok()) {
        map.mistake("parameters", "runs_per_test: " + runs.status().message());
      } else {
        runs_ = static_cast<std::uint32_t>(*runs);
      }
    } else if (entry.key == "timeout") {
      const auto time = config::parse_duration(entry.value.text, {.min = Duration(1)});
      if (!time.is_ok()) {
        map.mistake("parameters", "timeout: " + time.status().message());
      } else {
        out_.settings.test_timeout = *time;
      }
    }
  }
}

json ConfigReader::free_object(Map& map, const std::string& key, const std::set<std::string>& but) {
  json out = json::object();
  const YamlNode* node = map.node(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kNothing) return out;
  if (node->kind != YamlNode::Kind::kMap) {
    map.mistake(key, "expected a map");
    return out;
  }
  for (const auto& entry : node->entries) {
    if (but.contains(entry.key)) continue;
    out[entry.key] = json::parse(config::to_json(entry.value), nullptr, false);
  }
  return out;
}

void ConfigReader::read_group(Map& map, const std::string& folder, const std::string& name) {
  if (groups_.size() >= kGroupCountMax) return map.mistake("more than 200 entries");
  int kinds = 0;
  for (const char* key : {"suite", "custom", "dataset", "cases"}) kinds += map.has(key) ? 1 : 0;
  if (kinds != 1) {
    // One mistake is enough: what else stands here depends on which of them it should be.
    for (const char* key :
         {"suite", "custom", "dataset", "cases", "name", "runs", "limit", "pass_score", "request",
          "system", "prompt", "messages", "audio", "target", "parameters", "scorer"}) {
      (void)map.node(key);
    }
    return map.mistake("expected one of suite, custom, dataset and cases, found " +
                       (kinds == 0 ? std::string("none") : std::to_string(kinds)));
  }
  if (map.has("suite")) return read_suite(map, name);
  if (map.has("custom")) return read_script(map, folder);
  read_cases(map, folder, name);
}

void ConfigReader::read_suite(Map& map, const std::string& inside) {
  std::string name;
  map.text("suite", name);
  if (!inside.empty()) return map.mistake("suite", "a suite can't hold another");
  if (name.empty() || !path_problem(name).empty() || name.find('/') != std::string::npos) {
    return map.mistake("suite", "expected a suite's name, found '" + name + "'");
  }
  const std::string path = "suites/" + name + ".yaml";
  const Result<std::string> yaml = source_.read(path);
  if (!yaml.is_ok() && yaml.status().code() != Code::kNotFound) {
    return map.mistake("suite", yaml.status().message());
  }
  if (!yaml.is_ok()) {
    complete_ = false;
    if (!source_.suites_must_be_there) return;
    return map.mistake("suite", "there is no suite '" + name + "'; expected " + path +
                                    " beside the evaluation, or one of the worker's own: " +
                                    config::join(source_.known_suites));
  }
  out_.files.push_back({path, *yaml});
  const Status status = config::read_yaml_text(*yaml, path, [&](Map& top) {
    top.require("suite");
    top.map("suite", [&](Map& suite) { read_group(suite, folder_of(path), name); });
  });
  if (!status.is_ok()) elsewhere_ += status.message() + "\n";
}

void ConfigReader::read_script(Map& map, const std::string& folder) {
  std::string path;
  std::string name;
  std::uint32_t runs = runs_;
  map.text("custom", path);
  map.text("name", name);
  map.integer("runs", runs, {1, 10'000});
  path = join_path(folder, path);
  if (!path.ends_with(".py"))
    return map.mistake("custom", "expected a .py file, found '" + path + "'");
  if (fetch(map, "custom", path) == nullptr) return;
  if (name.empty()) name = stem_of(path);
  groups_.push_back(
      {{"kind", "script"}, {"name", unique_name(name)}, {"file", path}, {"runs", runs}});
}

void ConfigReader::read_cases(Map& map, const std::string& folder, const std::string& given) {
  std::string file;
  std::string name = given;
  std::uint32_t runs = runs_;
  std::optional<std::uint32_t> limit;
  std::optional<double> pass_score;
  json group = {{"kind", "cases"}, {"file", nullptr}, {"cases", nullptr}};
  map.text("dataset", file);
  map.text("name", name);
  map.integer("runs", runs, {1, 10'000});
  map.integer("limit", limit, {1, 10'000'000});
  map.number("pass_score", pass_score, {0, 1});
  json cases;
  if (!file.empty()) {
    file = join_path(folder, file);
    group["file"] = file;
    cases = read_data_set(map, "dataset", file);
  } else {
    cases = read_inline_cases(map);
    group["cases"] = cases;
  }
  if (name.empty()) name = file.empty() ? "cases" : stem_of(file);
  group["name"] = unique_name(name);
  group["runs"] = runs;
  group["limit"] = limit ? json(*limit) : json(nullptr);
  read_request(map, group);
  group["parameters"] = free_object(map, "parameters");
  group["scorer"] = read_scorer(map, folder);
  // One's own scorer may need none.
  if (group["target"].is_null() && group["scorer"]["name"] != "custom")
    group["target"] = "{target}";
  if (!pass_score && !out_.settings.pass_threshold) pass_score = kPassScore;
  group["pass_score"] = pass_score ? json(*pass_score) : json(nullptr);
  if (!group["audio"].is_null()) {
    add_audio(map, group, cases, file.empty() ? folder : folder_of(file));
  }
  groups_.push_back(std::move(group));
}

void ConfigReader::read_request(Map& map, json& group) {
  std::string request = "chat";
  std::string system;
  std::optional<std::string> prompt;
  std::optional<std::string> audio;
  std::optional<std::string> target;
  map.choice("request", request, {"chat", "transcription"});
  map.text("system", system);
  map.text("prompt", prompt);
  map.text("audio", audio);
  map.text("target", target);
  const bool chat = request == "chat";
  if (chat && audio) map.mistake("audio", "only for `request: transcription`");
  if (!chat && !audio) audio = "{audio}";
  group["request"] = request;
  group["system"] = system;
  group["messages"] = nullptr;
  if (map.has("messages")) {
    if (prompt) map.mistake("messages", "expected either prompt or messages, found both");
    read_messages(map, group);
  } else if (!prompt && chat) {
    prompt = "{input}";
  }
  group["prompt"] = prompt ? json(*prompt) : json(nullptr);
  group["audio"] = audio ? json(*audio) : json(nullptr);
  group["target"] = target ? json(*target) : json(nullptr);
}

void ConfigReader::read_messages(Map& map, json& group) {
  json messages = json::array();
  map.each("messages", [&](Map& message) {
    std::string role = "user";
    std::string content;
    message.choice("role", role, {"system", "user", "assistant"});
    message.require("content");
    message.text("content", content);
    messages.push_back({{"role", role}, {"content", content}});
  });
  group["messages"] = messages;
}

json ConfigReader::read_scorer(Map& map, const std::string& folder) {
  const YamlNode* node = map.node("scorer");
  std::string name = "exact";
  json out;
  const auto read_options = [&](Map& options) {
    const auto flag = [&](const char* key, bool value) {
      options.boolean(key, value);
      out[key] = value;
    };
    if (name != "custom") flag("negate", false);
    if (name == "exact" || name == "includes") {
      flag("ignore_case", true);
      flag("ignore_space", true);
    } else if (name == "regex") {
      flag("ignore_case", false);
    } else if (name == "wer" || name == "cer") {
      flag("ignore_case", true);
      flag("ignore_punctuation", true);
    } else if (name == "numeric") {
      double tolerance = 1e-6;
      double relative = 0;
      options.number("tolerance", tolerance, {0, 1e300});
      options.number("relative", relative, {0, 1e300});
      out["tolerance"] = tolerance;
      out["relative"] = relative;
    }
  };
  const std::vector<std::string> names = {"exact", "includes", "regex", "numeric", "wer", "cer"};
  const auto read_name = [&](Map& at, const std::string& key) {
    at.text(key, name);
    out = {{"name", name}};
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    if (name.find(':') == std::string::npos) {
      at.mistake(key, "expected one of " + config::join(names) + " or file.py:function, found '" +
                          name + "'");
    } else {
      out = custom_scorer(at, name, folder);
    }
    name = "custom";
  };
  if (node != nullptr && node->kind == YamlNode::Kind::kMap) {
    map.map("scorer", [&](Map& scorer) {
      scorer.require("name");
      read_name(scorer, "name");
      read_options(scorer);
    });
  } else {
    read_name(map, "scorer");
    // Defaults only: there is nothing to read them from.
    static const YamlNode nothing{.kind = YamlNode::Kind::kMap};
    config::Mistakes none("");
    Map empty(nothing, "", none);
    read_options(empty);
  }
  return out;
}

json ConfigReader::custom_scorer(Map& map, const std::string& text, const std::string& folder) {
  const auto colon = text.rfind(':');
  const std::string path = join_path(folder, text.substr(0, colon));
  const std::string function = text.substr(colon + 1);
  if (!path.ends_with(".py") || function.empty()) {
    map.mistake("scorer", "expected file.py:function, found '" + text + "'");
  } else {
    fetch(map, "scorer", path);
  }
  return {{"name", "custom"}, {"file", path}, {"function", function}};
}

json ConfigReader::read_inline_cases(Map& map) {
  const YamlNode* node = map.node("cases");
  json cases = json::array();
  if (node == nullptr || node->kind != YamlNode::Kind::kList || node->items.empty()) {
    map.mistake("cases", "expected a list of maps, such as - {input: \"2 + 2?\", target: 4}");
    return cases;
  }
  for (const YamlNode& item : node->items) {
    if (item.kind != YamlNode::Kind::kMap) {
      map.mistake("cases",
                  "line " + std::to_string(item.line) + ": expected a map of a case's fields");
      continue;
    }
    cases.push_back(json::parse(config::to_json(item), nullptr, false));
  }
  return cases;
}

json ConfigReader::read_data_set(Map& map, const std::string& key, const std::string& path) {
  json cases = json::array();
  const bool lines = path.ends_with(".jsonl");
  if (!lines && !path.ends_with(".json")) {
    map.mistake(key, "expected a .jsonl or .json file, found '" + path + "'");
    return cases;
  }
  const std::string* content = fetch(map, key, path);
  if (content == nullptr) return cases;
  if (!lines) {
    cases = json::parse(*content, nullptr, false);
    const bool good =
        cases.is_array() &&
        std::all_of(cases.begin(), cases.end(), [](const json& one) { return one.is_object(); });
    if (!good) map.mistake(key, path + ": expected a JSON array of objects");
    return good ? cases : json::array();
  }
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < content->size();) {
    const std::size_t end = std::min(content->find('\n', begin), content->size());
    const std::string_view line = std::string_view(*content).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    json one = json::parse(line, nullptr, false);
    if (!one.is_object()) {
      map.mistake(key, path + ":" + std::to_string(number) + ": expected a JSON object");
      return json::array();
    }
    cases.push_back(std::move(one));
  }
  if (cases.empty()) map.mistake(key, path + " has no case");
  if (cases.size() > kCaseCountMax) map.mistake(key, path + " has more than 100000 cases");
  return cases;
}

void ConfigReader::add_audio(Map& map, const json& group, const json& cases,
                             const std::string& folder) {
  std::size_t left = group["limit"].is_null() ? cases.size() : group["limit"].get<std::size_t>();
  for (const json& one : cases) {
    if (left-- == 0) return;
    std::string problem;
    const auto path = render(group["audio"].get<std::string>(), one, problem);
    if (!path) return map.mistake("audio", problem);
    if (fetch(map, "audio", join_path(folder, *path)) == nullptr) return;
  }
}

// The content of a file that goes along, or null after a mistake.
const std::string* ConfigReader::fetch(Map& map, const std::string& key, const std::string& path) {
  const auto found = fetched_.find(path);
  if (found != fetched_.end()) return &found->second;
  const std::string problem = path_problem(path);
  if (!problem.empty()) {
    map.mistake(key, "\"" + path + "\": " + problem);
    return nullptr;
  }
  Result<std::string> content = source_.read(path);
  if (!content.is_ok()) {
    map.mistake(key, content.status().message());
    return nullptr;
  }
  out_.files.push_back({path, *content});
  return &fetched_.emplace(path, std::move(content).value()).first->second;
}

std::string ConfigReader::unique_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  std::string out = name;
  for (int number = 2; !names_.insert(out).second; ++number) {
    out = name + "-" + std::to_string(number);
  }
  return out;
}

Status as_evaluation_error(const Status& status, const std::string& more) {
  std::string text = status.is_ok() ? "" : status.message();
  if (!text.empty() && !more.empty()) text += "\n";
  text += more;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return fix_input("invalid_evaluation", text);
}

}  // namespace

Result<ConfigEvaluation> read_config_evaluation(const std::string& yaml, const std::string& path,
                                                const ConfigSource& source) {
  ConfigEvaluation out;
  out.settings.name = stem_of(path);
  ConfigReader reader(source, out);
  const Status status = config::read_yaml_text(yaml, path, [&](Map& top) {
    top.require("evaluation");
    top.map("evaluation", [&](Map& map) { reader.read_evaluation(map); });
  });
  if (!status.is_ok() || !reader.elsewhere().empty()) {
    return as_evaluation_error(status, reader.elsewhere());
  }
  if (!reader.complete()) out.document.clear();
  return out;
}

void read_settings(Map& map, Evaluation& settings) {
  read_common(map, settings);
  map.duration("test_timeout", settings.test_timeout, {.min = Duration(1)});
  map.integer("tests", settings.tests, {0, 10'000'000});
  map.texts("arguments", settings.arguments);
}

Status read_settings_block(const std::string& yaml, const std::string& file, Evaluation& settings,
                           std::vector<std::string>& files) {
  const Status status = config::read_yaml_text(yaml, file, [&](Map& map) {
    read_settings(map, settings);
    map.texts("files", files);
    for (const std::string& path : files) {
      const std::string problem = path_problem(path);
      if (!problem.empty()) map.mistake("files", "\"" + path + "\": " + problem);
    }
  });
  return status.is_ok() ? status : as_evaluation_error(status, "");
}

}  // namespace assay::evaluation
