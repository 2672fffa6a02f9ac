// A build request as a JSON document and back. It is read as strict YAML, so that one may be
// written by hand, and every mistake is named with its line.
#include <nlohmann/json.hpp>

#include "assay/build.h"
#include "sdk/build/build_problems.h"
#include "sdk/build/request_reader.h"
#include "sdk/config/strict_yaml.h"
#include "sdk/wire/base64.h"

namespace assay {
namespace {

using config::Map;
using Json = nlohmann::ordered_json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMebibyte = 1ULL << 20;
constexpr config::Sizes kMemory{16 * kMebibyte, 1ULL << 50};
constexpr config::Numbers kCpus{0.01, 4096};

std::string milliseconds_text(Duration duration) {
  return std::to_string(duration.count()) + "ms";
}

void read_archive(Map& map, BuildRequest& out) {
  std::string text;
  map.text("archive", text);
  if (text.empty()) return;
  std::optional<std::string> bytes = wire::decode_base64(text);
  if (bytes) {
    out.context_archive = std::move(*bytes);
  } else {
    map.mistake("archive", "expected base 64");
  }
}

void read_validation(Map& map, BuildRequest& out) {
  BuildValidation& to = out.validation.emplace();
  map.texts("command", to.command);
  map.texts("environment", to.environment);
  map.integer("port", to.port, {1, 65'535});
  map.bytes("memory", to.memory_bytes, kMemory);
  map.number("cpus", to.cpus, kCpus);
  map.map("health", [&](Map& health) {
    health.require("path");
    health.text("path", to.health_path);
    health.duration("timeout", to.health_timeout, {seconds(1), hours(2)});
  });
  map.map("inference", [&](Map& inference) {
    inference.require("path");
    inference.text("path", to.inference_path);
    inference.choice("method", to.inference_method, {"POST", "GET", "PUT"});
    inference.text("body", to.inference_body);
    inference.text("content_type", to.inference_content_type);
    inference.integer("status", to.inference_status, {100, 599});
    inference.texts("fields", to.inference_fields);
    inference.text("text", to.inference_text);
    inference.duration("timeout", to.inference_timeout, {seconds(1), hours(2)});
  });
}

}  // namespace

void build::read_request(Map& map, BuildRequest& out) {
  map.map("source", [&](Map& source) {
    source.text("git", out.git_url);
    source.text("ref", out.git_ref);
    source.boolean("submodules", out.submodules);
    source.text("artifact", out.context_artifact);
    read_archive(source, out);
  });
  map.text("subdirectory", out.subdirectory);
  map.text("dockerfile", out.dockerfile);
  map.text("dockerfile_text", out.dockerfile_text);
  map.texts("tags", out.tags);
  map.texts("args", out.arguments);
  map.texts("labels", out.labels);
  map.text("target", out.target);
  map.texts("platforms", out.platforms);
  map.texts("cache_from", out.cache_from);
  map.boolean("cache", out.cache);
  map.boolean("pull", out.pull);
  map.boolean("network", out.network);
  map.bytes("memory", out.memory_bytes, kMemory);
  map.number("cpus", out.cpus, kCpus);
  map.duration("timeout", out.timeout, {seconds(1), hours(48)});
  map.map("validate", [&](Map& validate) { read_validation(validate, out); });
  map.map("scan", [&](Map& scan) { scan.text("fail_at", out.scan_fail_at); });
}

void build::tell_problems(Map& map, const BuildRequest& request) {
  for (const Problem& problem : find_problems(request)) map.mistake(problem.key, problem.text);
}

namespace {

Json validation_json(const BuildValidation& from) {
  Json json{{"port", from.port}, {"memory", from.memory_bytes}, {"cpus", from.cpus}};
  if (!from.command.empty()) json["command"] = from.command;
  if (!from.environment.empty()) json["environment"] = from.environment;
  if (!from.health_path.empty()) {
    json["health"] = {{"path", from.health_path},
                      {"timeout", milliseconds_text(from.health_timeout)}};
  }
  if (from.inference_path.empty()) return json;
  Json& inference = json["inference"];
  inference = {
      {"path", from.inference_path},     {"method", from.inference_method},
      {"body", from.inference_body},     {"content_type", from.inference_content_type},
      {"status", from.inference_status}, {"timeout", milliseconds_text(from.inference_timeout)}};
  if (!from.inference_fields.empty()) inference["fields"] = from.inference_fields;
  if (!from.inference_text.empty()) inference["text"] = from.inference_text;
  return json;
}

Json source_json(const BuildRequest& from) {
  Json source = Json::object();
  if (!from.git_url.empty()) source["git"] = from.git_url;
  if (!from.git_ref.empty()) source["ref"] = from.git_ref;
  if (from.submodules) source["submodules"] = true;
  if (!from.context_artifact.empty()) source["artifact"] = from.context_artifact;
  if (!from.context_archive.empty()) {
    source["archive"] = wire::encode_base64(from.context_archive);
  }
  return source;
}

}  // namespace

std::string encode_build(const BuildRequest& from) {
  Json json{{"version", 1}};
  if (Json source = source_json(from); !source.empty()) json["source"] = std::move(source);
  const auto add = [&json](const char* key, const auto& value) {
    if (!value.empty()) json[key] = value;
  };
  add("subdirectory", from.subdirectory);
  json["dockerfile"] = from.dockerfile;
  add("dockerfile_text", from.dockerfile_text);
  json["tags"] = from.tags;
  add("args", from.arguments);
  add("labels", from.labels);
  add("target", from.target);
  add("platforms", from.platforms);
  add("cache_from", from.cache_from);
  json["cache"] = from.cache;
  json["pull"] = from.pull;
  json["network"] = from.network;
  json["memory"] = from.memory_bytes;
  json["cpus"] = from.cpus;
  json["timeout"] = milliseconds_text(from.timeout);
  if (from.validation) json["validate"] = validation_json(*from.validation);
  if (!from.scan_fail_at.empty()) json["scan"] = {{"fail_at", from.scan_fail_at}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<BuildRequest> decode_build(std::string_view bytes) {
  BuildRequest out;
  const Status status = config::read_yaml_text(bytes, "build", [&](Map& map) {
    int version = 0;
    map.require("version");
    map.integer("version", version, {1, 1});
    build::read_request(map, out);
    build::tell_problems(map, out);
  });
  if (!status.is_ok()) return fix_input("invalid_build", status.message());
  return out;
}

}  // namespace assay
