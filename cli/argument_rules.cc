#include "cli/argument_rules.h"

#include <charconv>

#include "assay/task.h"

namespace assay::cli {
namespace {

bool is_nameless(const KeygenOptions* keygen) {
  return keygen != nullptr && keygen->name.empty();
}

std::optional<std::string> mistake_in(const ArtifactsOptions& options) {
  if (options.action.empty()) return "list, get or put is needed";
  if (options.action == "get" && options.what.empty()) return "a hash or TASK/NAME is needed";
  if (options.action == "put" && options.what.empty()) return "a FILE is needed";
  return std::nullopt;
}

std::optional<std::string> mistake_in(const BuildOptions& options) {
  if (options.source.empty()) return "a DIR or a GIT-URL is needed";
  if (options.tags.empty()) return "--tag IMAGE is needed, such as registry.example/team/bench:v1";
  return std::nullopt;
}

std::optional<std::string> lack_of_ids(const CommandOptions& command) {
  const auto lacks_id = [](const auto* options) {
    return options != nullptr && options->id.empty();
  };
  const auto lacks_ids = [](const auto* options) {
    return options != nullptr && options->ids.empty();
  };
  if (lacks_id(std::get_if<ResultOptions>(&command)) ||
      lacks_id(std::get_if<StatusOptions>(&command)) ||
      lacks_id(std::get_if<ExplainOptions>(&command)) ||
      lacks_id(std::get_if<LogsOptions>(&command))) {
    return "a task's ID is needed";
  }
  if (lacks_ids(std::get_if<WaitOptions>(&command)) ||
      lacks_ids(std::get_if<CancelOptions>(&command))) {
    return "at least one task's ID is needed";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> mistake_in(const CommandOptions& command) {
  if (const auto* eval = std::get_if<EvalOptions>(&command)) {
    if (eval->file.empty() && eval->image.empty()) return "a FILE or --image IMAGE is needed";
    if (!eval->file.empty() && !eval->image.empty()) {
      return "either a FILE or --image is evaluated, not both";
    }
  }
  if (const auto* build = std::get_if<BuildOptions>(&command)) return mistake_in(*build);
  if (const auto* run = std::get_if<RunOptions>(&command)) {
    if (run->file.empty()) return "a FILE is needed: a pipeline in YAML";
    if (!run->run.empty() && !TaskId::parse(run->run)) {
      return "'" + run->run + "' is no ULID (26 characters); leave --run away to begin a new run";
    }
  }
  if (const auto* submit = std::get_if<SubmitOptions>(&command)) {
    if (submit->queue.empty()) return "--queue NAME is needed";
    if (!submit->id.empty() && !TaskId::parse(submit->id)) {
      return "'" + submit->id + "' is no ULID (26 characters); leave --id away to get a new one";
    }
    if (!submit->id.empty() && submit->count > 1) return "--id names one task, --count wants more";
  }
  if (is_nameless(std::get_if<KeygenOptions>(&command))) return "a NAME is needed";
  if (const auto lack = lack_of_ids(command)) return lack;
  if (const auto* dead = std::get_if<DeadOptions>(&command)) {
    if (dead->action.empty()) return "list, retry or drop is needed";
    if (dead->action == "list" && !dead->ids.empty()) {
      return "'dead list' takes no IDs; see one task with 'assay status ID'";
    }
    if (dead->action != "list" && dead->ids.empty()) return "at least one task's ID is needed";
  }
  if (const auto* quarantine = std::get_if<QuarantineOptions>(&command)) {
    if (quarantine->action.empty()) return "list or release is needed";
    if ((quarantine->action == "release") == quarantine->key.empty()) {
      return "'quarantine release' takes a KEY, 'quarantine list' takes none";
    }
  }
  if (const auto* artifacts = std::get_if<ArtifactsOptions>(&command)) {
    return mistake_in(*artifacts);
  }
  const auto lacks_queue = [](const auto* options) {
    return options != nullptr && options->queue.empty();
  };
  if (lacks_queue(std::get_if<PauseOptions>(&command)) ||
      lacks_queue(std::get_if<ResumeOptions>(&command)) ||
      lacks_queue(std::get_if<PurgeOptions>(&command))) {
    return "a QUEUE is needed; 'assay queues' lists them";
  }
  const auto* drain = std::get_if<DrainOptions>(&command);
  if (drain != nullptr && drain->worker.empty()) {
    return "a WORKER is needed; 'assay workers' lists them";
  }
  const auto* up = std::get_if<UpOptions>(&command);
  if (up != nullptr && up->port_base > 61'535) {
    return "--port-base is at most 61535, since HTTP takes the port 4000 above it";
  }
  for (const std::string& endpoint : up != nullptr ? up->endpoints : std::vector<std::string>()) {
    const std::size_t equals = endpoint.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return "--endpoint '" + endpoint + "' has not the form NAME=URL";
    }
  }
  return std::nullopt;
}

namespace {

// The address with its port raised by `above`.
std::optional<std::string> port_above(const std::string& broker, std::uint32_t above) {
  const std::size_t colon = broker.rfind(':');
  if (!broker.starts_with("tcp://") || colon <= 5) return std::nullopt;
  std::uint32_t port = 0;
  const char* const end = broker.data() + broker.size();
  const auto [stop, error] = std::from_chars(broker.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end || port == 0 || port > 65'533) return std::nullopt;
  return broker.substr(0, colon + 1) + std::to_string(port + above);
}

}  // namespace

std::optional<std::string> default_feed(const std::string& broker) {
  return port_above(broker, 2);
}

std::optional<std::string> default_workers(const std::string& broker) {
  return port_above(broker, 1);
}

}  // namespace assay::cli
