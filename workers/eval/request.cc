#include "workers/eval/request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/config/scalar.h"
#include "sdk/evaluation/config_document.h"
#include "sdk/evaluation/evaluation_path.h"
#include "sdk/pipeline/input_reference.h"

namespace assay::eval {
namespace {

using nlohmann::json;

constexpr std::size_t kOutputBytesMax = 1U << 20;  // of what one test prints

// What a producer that cannot read YAML has left as it was is taken from the file.
void take_over(const Evaluation& from, Evaluation& to) {
  const Evaluation initial;
  const auto take = [&](auto member) {
    if (to.*member == initial.*member) to.*member = from.*member;
  };
  take(&Evaluation::name);
  take(&Evaluation::timeout);
  take(&Evaluation::test_timeout);
  take(&Evaluation::seconds_per_test);
  take(&Evaluation::danger);
  take(&Evaluation::isolated);
  take(&Evaluation::pods_max);
  take(&Evaluation::profile);
  take(&Evaluation::endpoint);
  take(&Evaluation::model);
  take(&Evaluation::pass_threshold);
  take(&Evaluation::outputs);
  take(&Evaluation::grader);
}

Status read_config(Evaluation& evaluation, const EvaluationSettings& settings,
                   EvaluationRequest& out, json& job) {
  const auto& files = evaluation.files;
  evaluation::ConfigSource source;
  source.suites_must_be_there = true;
  for (const auto& [name, text] : settings.suites) source.known_suites.push_back(name);
  const std::string folder = evaluation::folder_of(evaluation.entry);
  source.read = [&](const std::string& path) -> Result<std::string> {
    const std::string full = evaluation::join_path(folder, path);
    for (const EvaluationFile& file : files) {
      if (file.path == full) return file.content;
    }
    if (path.starts_with("suites/")) {
      const auto suite = settings.suites.find(evaluation::stem_of(path));
      if (suite != settings.suites.end()) return suite->second;
    }
    return not_found("unreadable_file", "there is no file " + full + " in the submission");
  };
  const auto entry = source.read(evaluation.entry.substr(folder.empty() ? 0 : folder.size() + 1));
  if (!entry.is_ok()) return entry.status();
  auto config = evaluation::read_config_evaluation(*entry, evaluation.entry, source);
  if (!config.is_ok()) return config.status();
  take_over(config->settings, evaluation);
  // Suites of the worker's own, with their data, join the submission.
  for (EvaluationFile& file : config->files) {
    const std::string full = evaluation::join_path(folder, file.path);
    const bool there = std::any_of(files.begin(), files.end(),
                                   [&](const EvaluationFile& one) { return one.path == full; });
    if (!there) evaluation.files.push_back({full, std::move(file.content)});
  }
  out.concurrency = config->concurrency;
  job["seed"] = config->seed;
  job["config"] = json::parse(config->document, nullptr, false);
  if (folder.empty()) return Status::ok();
  return fix_input("invalid_evaluation",
                   "entry: a YAML should stand at the top of its files, found " + evaluation.entry);
}

std::string granted_names(const EvaluationSettings& settings) {
  std::vector<std::string> names;
  for (const Endpoint& endpoint : settings.endpoints) names.push_back(endpoint.name);
  if (names.empty()) return "this worker grants none (endpoints: in its configuration)";
  return "this worker grants " + config::join(names);
}

bool serves(const Endpoint& endpoint, const std::string& model) {
  return std::find(endpoint.models.begin(), endpoint.models.end(), model) != endpoint.models.end();
}

// The endpoint asked for, or else the one that can be meant: the one that lists the model, or the
// only one.
Result<const Endpoint*> choose_endpoint(const Evaluation& evaluation,
                                        const EvaluationSettings& settings, bool needed) {
  const Endpoint* chosen = nullptr;
  for (const Endpoint& endpoint : settings.endpoints) {
    if (endpoint.name == evaluation.endpoint) return &endpoint;
    if (!evaluation.endpoint.empty() || evaluation.model.empty()) continue;
    if (chosen == nullptr && serves(endpoint, evaluation.model)) chosen = &endpoint;
  }
  if (!evaluation.endpoint.empty()) {
    return fix_input("endpoint_not_granted", "the model endpoint '" + evaluation.endpoint +
                                                 "' is not granted; " + granted_names(settings));
  }
  if (chosen == nullptr && settings.endpoints.size() == 1) {
    const Endpoint& only = settings.endpoints.front();
    if (only.models.empty() || evaluation.model.empty()) chosen = &only;
  }
  if (chosen == nullptr && needed) {
    const std::string model =
        evaluation.model.empty() ? "a model" : "the model '" + evaluation.model + "'";
    return fix_input("endpoint_not_granted",
                     "no endpoint was named (endpoint:), and none is known to serve " + model +
                         "; " + granted_names(settings));
  }
  return chosen;
}

Status choose_profile(const Evaluation& evaluation, const EvaluationSettings& settings,
                      PodLimits& limits) {
  const auto profile = settings.profiles.find(evaluation.profile);
  if (profile != settings.profiles.end()) {
    limits = profile->second;
    return Status::ok();
  }
  std::vector<std::string> names;
  for (const auto& [name, unused] : settings.profiles) names.push_back(name);
  return fix_input("unknown_profile", "there is no profile '" + evaluation.profile +
                                          "'; this worker has " + config::join(names));
}

// What stands there as a reference to the result of a task that this one comes after.
Status take_inputs(Evaluation& evaluation, const std::vector<TaskInput>& inputs) {
  std::vector<std::string*> texts{&evaluation.name, &evaluation.endpoint, &evaluation.model,
                                  &evaluation.profile};
  if (evaluation.kind == EvaluationKind::kImage) texts.push_back(&evaluation.entry);
  for (std::string& argument : evaluation.arguments) texts.push_back(&argument);
  for (std::string* text : texts) {
    const Status status = pipeline::resolve_inputs(*text, inputs);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

bool asks_a_model(const json& job) {
  const auto config = job.find("config");
  if (config == job.end() || !config->is_object()) return false;
  for (const json& group : (*config)["groups"]) {
    if (group["kind"] == "cases") return true;
  }
  return false;
}

// The grader gets the submission as it was sent; the subject gets nothing of the grader.
void set_grader_apart(Evaluation& evaluation, json job, EvaluationRequest& out) {
  auto all = evaluation.files;
  std::erase_if(all, [](const auto& file) { return file.path.starts_with("outputs/"); });
  out.grader_files = std::make_shared<const std::vector<EvaluationFile>>(std::move(all));
  const std::string folder = evaluation::folder_of(evaluation.grader);
  std::erase_if(evaluation.files, [&](const EvaluationFile& file) {
    return file.path == evaluation.grader ||
           (!folder.empty() && file.path.starts_with(folder + "/"));
  });
  job["mode"] = "script";
  job["entry"] = evaluation.grader;
  job["endpoint"] = job["model"] = "";
  job["arguments"] = json::array();
  job.erase("config");
  out.grader_job = job.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Result<EvaluationRequest> make_request(std::string_view body, const EvaluationSettings& settings,
                                       const std::vector<TaskInput>& inputs) {
  Result<Evaluation> decoded = decode_evaluation(body);
  if (!decoded.is_ok()) return decoded.status();
  Evaluation evaluation = std::move(decoded).value();
  if (const Status taken = take_inputs(evaluation, inputs); !taken.is_ok()) return taken;
  EvaluationRequest out;
  json job = {{"mode", to_string(evaluation.kind)}, {"entry", evaluation.entry}, {"seed", 0}};
  if (evaluation.kind == EvaluationKind::kConfig) {
    const Status status = read_config(evaluation, settings, out, job);
    if (!status.is_ok()) return status;
  }
  const Status profile = choose_profile(evaluation, settings, out.limits);
  if (!profile.is_ok()) return profile;
  out.profile = evaluation.profile;
  const auto endpoint = choose_endpoint(evaluation, settings, asks_a_model(job));
  if (!endpoint.is_ok()) return endpoint.status();
  const bool reachable = settings.executor != "kubernetes";
  if (!reachable && (!evaluation.endpoint.empty() || asks_a_model(job))) {
    return fix_input("endpoint_not_granted",
                     "pods in a cluster reach no model endpoint yet; submit to a worker with the "
                     "local executor");
  }
  if (*endpoint != nullptr && reachable) {
    out.endpoint = (*endpoint)->name;
    out.model = evaluation.model;
    if (out.model.empty() && !(*endpoint)->models.empty()) out.model = (*endpoint)->models.front();
    const bool allowed =
        (*endpoint)->models.empty() || out.model.empty() || serves(**endpoint, out.model);
    if (!allowed) {
      return fix_input("endpoint_not_granted",
                       "the endpoint '" + out.endpoint + "' does not grant the model '" +
                           out.model + "'; it grants " + config::join((*endpoint)->models));
    }
  }
  if (evaluation.kind == EvaluationKind::kNotebook) {
    // With all that its cells printed and drew; the runner makes it.
    auto& outputs = evaluation.outputs;
    if (std::find(outputs.begin(), outputs.end(), "executed.ipynb") == outputs.end()) {
      outputs.emplace_back("executed.ipynb");
    }
  }
  evaluation.timeout = std::min(evaluation.timeout, settings.timeout_max);
  evaluation.test_timeout =
      std::min({evaluation.test_timeout, settings.test_timeout_max, evaluation.timeout});
  // An image is one test.
  if (evaluation.kind == EvaluationKind::kImage) evaluation.test_timeout = evaluation.timeout;
  job["endpoint"] = out.endpoint;
  job["model"] = out.model;
  job["arguments"] = evaluation.arguments;
  job["output_bytes_max"] = kOutputBytesMax;
  out.job = job.dump(-1, ' ', false, json::error_handler_t::replace);
  if (!evaluation.grader.empty()) set_grader_apart(evaluation, job, out);
  out.files = std::make_shared<const std::vector<EvaluationFile>>(std::move(evaluation.files));
  evaluation.files.clear();
  out.evaluation = std::move(evaluation);
  return out;
}

}  // namespace assay::eval
