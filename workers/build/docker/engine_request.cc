#include "workers/build/docker/engine_request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/wire/base64.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kCpuPeriod = 100'000;  // microseconds, the kernel's own default

// Base 64 with the two digits that URLs allow, as the engine wants it in its headers.
std::string base64_url(std::string_view bytes) {
  std::string text = wire::encode_base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::string label_filter(const std::string& label) {
  return url_encoded(dumped({{"label", {label}}}));
}

std::string build_path(const ImageBuild& build) {
  std::string path = "/build?rm=1&forcerm=1&dockerfile=" + url_encoded(build.dockerfile);
  const auto add = [&path](const char* name, const std::string& value) {
    path += "&" + std::string(name) + "=" + url_encoded(value);
  };
  if (!build.arguments.empty()) add("buildargs", dumped(build.arguments));
  if (!build.labels.empty()) add("labels", dumped(build.labels));
  if (!build.target.empty()) add("target", build.target);
  if (!build.platform.empty()) add("platform", build.platform);
  if (!build.cache_from.empty()) add("cachefrom", dumped(build.cache_from));
  if (!build.cache) add("nocache", "1");
  if (build.pull) add("pull", "1");
  if (!build.network) add("networkmode", "none");
  if (build.memory_bytes > 0) {
    add("memory", std::to_string(build.memory_bytes));
    add("memswap", std::to_string(build.memory_bytes));  // no swap beside it
  }
  if (build.cpus > 0) {
    add("cpuperiod", std::to_string(kCpuPeriod));
    add("cpuquota", std::to_string(static_cast<std::int64_t>(build.cpus * kCpuPeriod)));
  }
  return path;
}

std::string registry_auth(const RegistryCredential& credential) {
  Json json = Json::object();
  if (!credential.username.empty()) {
    json = {{"username", credential.username}, {"password", credential.password}};
  }
  return base64_url(dumped(json));
}

std::string registry_config(const RegistryCredentials& credentials) {
  Json json = Json::object();
  for (const auto& [host, credential] : credentials) {
    // The engine knows Docker Hub by an address of its own.
    const std::string key = host == "docker.io" ? "https://index.docker.io/v1/" : host;
    json[key] = {{"username", credential.username}, {"password", credential.password}};
  }
  return base64_url(dumped(json));
}

std::string container_json(const ContainerSpec& spec) {
  Json json{{"Image", spec.image}, {"Labels", spec.labels}, {"Tty", false}};
  if (!spec.command.empty()) json["Cmd"] = spec.command;
  Json environment = Json::array();
  for (const auto& [name, value] : spec.environment) environment.push_back(name + "=" + value);
  json["Env"] = std::move(environment);
  json["HostConfig"] = {
      {"NetworkMode", spec.network},
      {"Memory", spec.memory_bytes},
      {"MemorySwap", spec.memory_bytes},
      {"NanoCpus", static_cast<std::int64_t>(spec.cpus * 1e9)},
      {"PidsLimit", spec.processes_max},
      {"CapDrop", {"NET_RAW", "MKNOD", "AUDIT_WRITE", "SYS_CHROOT"}},
      {"SecurityOpt", {"no-new-privileges"}},
      {"RestartPolicy", {{"Name", "no"}}},
      {"LogConfig", {{"Type", "json-file"}, {"Config", {{"max-size", "8m"}, {"max-file", "1"}}}}}};
  return dumped(json);
}

std::string network_json(const std::string& name,
                         const std::map<std::string, std::string>& labels) {
  return dumped({{"Name", name},
                 {"CheckDuplicate", true},
                 {"Driver", "bridge"},
                 {"Internal", true},
                 {"Labels", labels}});
}

}  // namespace assay::image_build
