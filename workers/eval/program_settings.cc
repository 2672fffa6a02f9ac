#include "workers/eval/program_settings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>

#include "sdk/config/yaml_tree.h"
#include "workers/eval/embedded.h"
#include "workers/eval/executor/kubernetes/read_settings.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using config::Map;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMebibyte = 1ULL << 20;

Status invalid(const std::string& message) {
  return fix_input("invalid_setting", message);
}

void read_profile(Map& map, PodLimits& limits) {
  const config::Sizes sizes{kMebibyte, 1ULL << 50};
  map.bytes("memory", limits.memory_bytes, {32 * kMebibyte, 1ULL << 50});
  map.bytes("work", limits.work_bytes, sizes);
  map.bytes("tmp", limits.tmp_bytes, sizes);
  map.bytes("shm", limits.shm_bytes, sizes);
  map.bytes("file", limits.file_bytes, sizes);
  map.bytes("log", limits.log_bytes, {4096, 4 * kMebibyte});
  map.integer("processes", limits.processes, {16, 100'000});
  map.integer("open_files", limits.open_files, {64, 1'000'000});
  map.number("cpu_seconds", limits.cpu_seconds, {0, 1e9});
}

std::string problem_of(const Endpoint& endpoint) {
  if (!valid_name(endpoint.name)) {
    return "expected a name of 1 to 64 of letters, digits, '.', '_', '-', found '" + endpoint.name +
           "'";
  }
  const bool web = endpoint.url.starts_with("http://") || endpoint.url.starts_with("https://");
  if (!web) return "url: expected http://... or https://..., found '" + endpoint.url + "'";
  return {};
}

void read_endpoint(const std::string& name, Map& map, std::vector<Endpoint>& out) {
  Endpoint endpoint;
  endpoint.name = name;
  Duration timeout = endpoint.timeout;
  map.require("url");
  map.text("url", endpoint.url);
  map.text("api_key_file", endpoint.api_key_file);
  map.text("api_key_env", endpoint.api_key_environment);
  map.texts("models", endpoint.models);
  map.integer("requests_max", endpoint.requests_max, {1, 1'000'000'000});
  map.duration("timeout", timeout, {milliseconds(1000), hours(1)});
  endpoint.timeout = std::chrono::ceil<seconds>(timeout);
  if (!endpoint.api_key_file.empty() && !endpoint.api_key_environment.empty()) {
    map.mistake("expected either api_key_file or api_key_env, found both");
  }
  if (!endpoint.api_key_file.empty() && access(endpoint.api_key_file.c_str(), R_OK) != 0) {
    map.mistake("api_key_file", "cannot read '" + endpoint.api_key_file + "'");
  }
  const char* variable = endpoint.api_key_environment.c_str();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
  if (!endpoint.api_key_environment.empty() && std::getenv(variable) == nullptr) {
    map.mistake("api_key_env", "the environment has no " + endpoint.api_key_environment);
  }
  const std::string problem = problem_of(endpoint);
  if (!problem.empty() && !endpoint.url.empty()) map.mistake(problem);
  out.push_back(std::move(endpoint));
}

void read_safety_rule(const std::string& name, Map& map, std::vector<SafetyRule>& out) {
  SafetyRule rule{.name = name};
  std::string action = "flag";
  map.require("contains");
  map.texts("contains", rule.contains);
  map.choice("action", action, {"flag", "stop"});
  rule.stops = action == "stop";
  const auto empty = [](const std::string& words) { return words.empty(); };
  if (map.has("contains") && (rule.contains.empty() || std::ranges::any_of(rule.contains, empty))) {
    map.mistake("contains", "expected a list of texts to look for, none of them empty");
  }
  out.push_back(std::move(rule));
}

// What NAME=URL on the command line grants; it takes the place of one of that name in the file.
Status add_endpoint(const std::string& text, std::vector<Endpoint>& endpoints) {
  const auto equals = text.find('=');
  Endpoint endpoint;
  endpoint.name = text.substr(0, equals);
  if (equals != std::string::npos) endpoint.url = text.substr(equals + 1);
  const std::string problem = problem_of(endpoint);
  if (!problem.empty()) {
    return invalid("endpoint: expected NAME=URL, found '" + text + "': " + problem);
  }
  std::erase_if(endpoints, [&](const Endpoint& one) { return one.name == endpoint.name; });
  endpoints.push_back(std::move(endpoint));
  return Status::ok();
}

void describe_local(ProgramSettings& settings, config::Options& options) {
  LocalOptions& local = settings.local;
  options.text("data_dir", local.data_folder, "where pods live while they run");
  options.text("python", local.python, "the Python that runs subjects, as seen in the sandbox");
  options.text("bubblewrap", local.bubblewrap, "bwrap: a path, or a name in PATH");
  options.texts("read_only", local.read_only, "more folders of this machine for subjects to see");
  options.text("harness", local.harness, "path of assay-harness; empty: beside this program");
  options.text("runner", settings.runner_file, "another runner.py; empty: the built-in one");
}

}  // namespace

void describe(ProgramSettings& settings, config::Options& options) {
  EvaluationSettings& evaluation = settings.evaluation;
  evaluation.rules.pods_max = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  options.text("broker", settings.broker, "where the broker's workers connect");
  options.text("key", settings.key, "this worker's key file, where the broker demands one");
  options.text("server_key", settings.server_key, "the broker's .pub file, or its 64 digits");
  options.text("name", settings.name, "this worker's name; empty: host and process");
  options.integer("slots", settings.slots, "evaluations at once", {1, 1000});
  options.duration("drain_timeout", settings.drain_timeout,
                   "after SIGTERM: how long running evaluations may go on",
                   {milliseconds(0), hours(24 * 7)});
  options.text("metrics", settings.metrics, "HOST:PORT to serve /metrics at; empty: nowhere");
  describe_local(settings, options);
  options.text("executor", evaluation.executor,
               "local: sandboxes here; kubernetes: Jobs in a cluster");
  options.text("artifacts", settings.artifacts,
               "where logs, outputs and result documents are kept; empty: in results only");
  options.integer("pods_max", evaluation.rules.pods_max, "pods of one evaluation at once",
                  {1, 10'000});
  options.texts("endpoint", settings.endpoint,
                "model endpoints without a key that evaluations may use: NAME=URL");
  options.text("suites_dir", settings.suites_folder, "a folder with more suites: NAME.yaml");
  options.duration("timeout_max", evaluation.timeout_max, "no evaluation may take longer",
                   {milliseconds(1000), hours(24 * 365)});
  options.duration("test_timeout_max", evaluation.test_timeout_max, "no test may take longer",
                   {milliseconds(100), hours(24 * 365)});
  options.duration("load_timeout", evaluation.load_timeout, "for loading a subject",
                   {milliseconds(1000), hours(24)});
  options.in_file([&settings](Map& map) {
    map.texts("labels", settings.labels);
    map.named("safety", [&](const std::string& name, Map& rule) {
      read_safety_rule(name, rule, settings.evaluation.safety);
    });
    map.named("endpoints", [&](const std::string& name, Map& endpoint) {
      read_endpoint(name, endpoint, settings.evaluation.endpoints);
    });
    map.named("profiles", [&](const std::string& name, Map& profile) {
      read_profile(profile, settings.evaluation.profiles[name]);
      kubernetes::read_profile(profile, settings.kubernetes.profiles[name]);
    });
    map.map("kubernetes",
            [&](Map& cluster) { kubernetes::read_settings(cluster, settings.kubernetes); });
  });
  options.check([&settings] {
    for (const std::string& text : settings.endpoint) {
      Status status = add_endpoint(text, settings.evaluation.endpoints);
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  });
  options.check([&settings] {
    const std::string& executor = settings.evaluation.executor;
    if (executor != "local" && executor != "kubernetes") {
      return invalid("executor: expected local or kubernetes, found '" + executor + "'");
    }
    if (executor == "local") return Status::ok();
    // What the file says of this worker itself goes before what follows from its clusters.
    settings.labels.merge(kubernetes::common_labels(settings.kubernetes));
    return kubernetes::check_settings(settings.kubernetes);
  });
  options.check([&settings] { return complete(settings); });
}

Status complete(ProgramSettings& settings) {
  LocalOptions& local = settings.local;
  settings.evaluation.suites = embedded_suites();
  if (!settings.suites_folder.empty()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(settings.suites_folder, error)) {
      if (entry.path().extension() != ".yaml") continue;
      Result<std::string> text = config::read_file(entry.path().string());
      if (!text.is_ok()) return text.status();
      settings.evaluation.suites[entry.path().stem().string()] = std::move(text).value();
    }
    if (error) {
      return invalid("suites_dir: cannot read '" + settings.suites_folder +
                     "': " + error.message());
    }
  }
  local.runner = embedded_runner().at("runner");
  if (!settings.runner_file.empty()) {
    Result<std::string> text = config::read_file(settings.runner_file);
    if (!text.is_ok()) return text.status();
    local.runner = std::move(text).value();
  }
  if (local.harness.empty()) {
    std::error_code error;
    local.harness = fs::read_symlink("/proc/self/exe", error).parent_path() / "assay-harness";
  }
  std::error_code error;
  local.data_folder = fs::absolute(local.data_folder, error).lexically_normal().string();
  local.endpoints = settings.evaluation.endpoints;
  return Status::ok();
}

std::vector<std::string> join_endpoint_flags(int argc, const char* const* argv) {
  constexpr std::string_view kFlag = "--endpoint";
  std::vector<std::string> out;
  std::string joined;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    std::string_view value;
    if (i > 0 && argument == kFlag && i + 1 < argc) {
      value = argv[++i];
    } else if (i > 0 && argument.starts_with(std::string(kFlag) + "=")) {
      value = argument.substr(kFlag.size() + 1);
    } else {
      out.emplace_back(argument);
      continue;
    }
    joined += (joined.empty() ? "" : ",") + std::string(value);
  }
  if (!joined.empty()) out.insert(out.end(), {std::string(kFlag), joined});
  return out;
}

}  // namespace assay::eval
