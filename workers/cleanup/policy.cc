#include "workers/cleanup/policy.h"

#include <nlohmann/json.hpp>

#include "sdk/config/scalar.h"

namespace assay::cleanup {
namespace {

using nlohmann::json;

Status mistake(const std::string& key, const std::string& expected, const json& found) {
  std::string shown = found.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 60);
  return fix_input("invalid_cleanup", key + ": expected " + expected + ", found " + shown);
}

Status read_duration(const std::string& key, const json& value, Duration& out) {
  const Result<Duration> parsed =
      config::parse_duration(value.is_string() ? value.get<std::string>() : value.dump());
  if (!parsed.is_ok()) return mistake(key, "a duration such as 30d or 12h", value);
  out = *parsed;
  return Status::ok();
}

Status read_retention(const std::string& path, const json& value, Retention& out) {
  if (!value.is_object()) return mistake(path, "an object", value);
  for (const auto& [key, one] : value.items()) {
    const std::string where = path + "." + key;
    if (key == "keep_for") {
      Status status = read_duration(where, one, out.keep_for);
      if (!status.is_ok()) return status;
    } else if (key == "keep_count") {
      if (!one.is_number_unsigned()) return mistake(where, "a number", one);
      out.keep_count = one.get<std::uint64_t>();
    } else if (key == "keep_bytes") {
      const auto bytes = config::parse_bytes(one.is_string() ? one.get<std::string>() : one.dump());
      if (!bytes.is_ok()) return mistake(where, "a size such as 100GiB", one);
      out.keep_bytes = *bytes;
    } else {
      return fix_input("invalid_cleanup",
                       path + ": unknown key; expected keep_for, keep_count, keep_bytes");
    }
  }
  return Status::ok();
}

Status read_labels(const json& value, std::map<std::string, std::string>& out) {
  if (!value.is_object()) return mistake("keep_labels", "an object of texts", value);
  out.clear();
  for (const auto& [key, one] : value.items()) {
    if (!one.is_string()) return mistake("keep_labels", "an object of texts", value);
    out[key] = one.get<std::string>();
  }
  return Status::ok();
}

Status read_key(const std::string& key, const json& value, Policy& policy) {
  if (key == "dry_run") {
    if (!value.is_boolean()) return mistake(key, "true or false", value);
    policy.dry_run = value.get<bool>();
    return Status::ok();
  }
  if (key == "safety_delay") return read_duration(key, value, policy.safety_delay);
  if (key == "artifacts") return read_retention(key, value, policy.artifacts);
  if (key == "reports") return read_retention(key, value, policy.reports);
  if (key == "tasks") return read_retention(key, value, policy.tasks);
  if (key == "keep_labels") return read_labels(value, policy.keep_labels);
  if (key == "version") return value == 1 ? Status::ok() : mistake(key, "1", value);
  return fix_input("invalid_cleanup",
                   "unknown key; expected version, dry_run, safety_delay, "
                   "artifacts, reports, tasks, keep_labels");
}

}  // namespace

Result<Policy> read_policy(std::string_view body, Policy configured) {
  if (body.empty()) return configured;
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) {
    return fix_input("invalid_cleanup", "the body of a cleanup task: expected a JSON object");
  }
  for (const auto& [key, value] : parsed.items()) {
    Status status = read_key(key, value, configured);
    if (!status.is_ok()) return status;
  }
  return configured;
}

}  // namespace assay::cleanup
