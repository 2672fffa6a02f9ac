#include "workers/eval/executor/kubernetes/objects.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

int number(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_number_integer() ? value.get<int>() : 0;
}

std::uint32_t label_number(const json& labels, const char* key) {
  return static_cast<std::uint32_t>(std::strtoul(text(labels, key).c_str(), nullptr, 10));
}

ContainerState parse_container(const json& status) {
  ContainerState out;
  out.name = text(status, "name");
  out.restarts = static_cast<std::uint32_t>(number(status, "restartCount"));
  const json& state = member(status, "state");
  const json& waiting = member(state, "waiting");
  const json& terminated = member(state, "terminated");
  const json& running = member(state, "running");
  if (terminated.is_object()) {
    out.terminated = true;
    out.reason = text(terminated, "reason");
    out.message = text(terminated, "message");
    out.exit_code = number(terminated, "exitCode");
    out.signal = number(terminated, "signal");
    out.started_at = parse_time(text(terminated, "startedAt"));
    out.ended_at = parse_time(text(terminated, "finishedAt"));
  } else if (running.is_object()) {
    out.running = true;
    out.started_at = parse_time(text(running, "startedAt"));
  } else {
    out.waiting = true;
    out.reason = text(waiting, "reason");
    out.message = text(waiting, "message");
  }
  return out;
}

void parse_conditions(const json& status, PodState& out) {
  for (const json& condition : member(status, "conditions")) {
    const std::string type = text(condition, "type");
    const bool holds = text(condition, "status") == "True";
    if (type == "PodScheduled") {
      out.scheduled = holds;
      if (!holds) out.unschedulable = text(condition, "message");
    }
    if (type == "DisruptionTarget" && holds) out.disruption = text(condition, "reason");
  }
}

}  // namespace

const ContainerState* PodState::container(std::string_view wanted) const {
  for (const ContainerState& one : containers) {
    if (one.name == wanted) return &one;
  }
  return nullptr;
}

std::optional<PodState> parse_pod(std::string_view object) {
  const json in = json::parse(object, nullptr, false);
  const json& about = member(in, "metadata");
  const json& status = member(in, "status");
  PodState out;
  out.name = text(about, "name");
  if (out.name.empty()) return std::nullopt;
  out.uid = text(about, "uid");
  out.job = text(member(about, "labels"), "job-name");
  out.deleting = !text(about, "deletionTimestamp").empty();
  out.created_at = parse_time(text(about, "creationTimestamp"));
  out.phase = text(status, "phase");
  out.reason = text(status, "reason");
  out.message = text(status, "message");
  out.started_at = parse_time(text(status, "startTime"));
  out.node = text(member(in, "spec"), "nodeName");
  parse_conditions(status, out);
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const json& one : member(status, list)) out.containers.push_back(parse_container(one));
  }
  return out;
}

std::optional<JobState> parse_job(std::string_view object) {
  const json in = json::parse(object, nullptr, false);
  const json& about = member(in, "metadata");
  const json& labels = member(about, "labels");
  JobState out;
  out.name = text(about, "name");
  if (out.name.empty()) return std::nullopt;
  out.uid = text(about, "uid");
  out.task = text(labels, kTaskLabel);
  out.batch = text(labels, kBatchLabel);
  out.attempt = label_number(labels, kAttemptLabel);
  out.launch = label_number(labels, kLaunchLabel);
  out.spec = text(member(about, "annotations"), kSpecAnnotation);
  out.deleting = !text(about, "deletionTimestamp").empty();
  out.created_at = parse_time(text(about, "creationTimestamp"));
  for (const json& condition : member(member(in, "status"), "conditions")) {
    if (text(condition, "status") != "True") continue;
    const std::string type = text(condition, "type");
    if (type == "Complete" || type == "Failed") {
      out.finished = true;
      out.finished_at = parse_time(text(condition, "lastTransitionTime"));
    }
    if (type == "Failed") out.failure = text(condition, "reason");
  }
  return out;
}

double parse_time(std::string_view text) {
  const std::string copy(text);
  std::tm parts{};
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return 0;
  const double fraction = *end == '.' ? std::strtod(end, nullptr) : 0;
  return static_cast<double>(timegm(&parts)) + fraction;
}

}  // namespace assay::eval::kubernetes
