#include "workers/report/request.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "sdk/config/scalar.h"

namespace assay::report {
namespace {

using nlohmann::json;

constexpr std::size_t kBodyBytesMax = 1U << 20;
constexpr std::size_t kTitleBytesMax = 200;

// One object of the body; it remembers the first mistake.
class Object {
 public:
  Object(const json& value, std::string path, Status& status)
      : value_(value), path_(std::move(path)), status_(status) {}

  void text(const char* key, std::string& out) {
    if (const json* found = find(key, "a text", &json::is_string)) out = found->get<std::string>();
  }
  void boolean(const char* key, bool& out) {
    if (const json* found = find(key, "true or false", &json::is_boolean)) out = found->get<bool>();
  }
  void seconds(const char* key, std::optional<double>& out) {
    const json* found = find(key, "a number of seconds", &json::is_number);
    if (found == nullptr) return;
    out = found->get<double>();
    if (!(*out > 0)) fail(key, "a number of seconds over 0", *found);
  }
  void texts(const char* key, std::vector<std::string>& out) {
    const json* found = find(key, "a list of texts", &json::is_array);
    if (found == nullptr) return;
    out.clear();
    for (const json& one : *found) {
      if (!one.is_string()) return fail(key, "a list of texts", *found);
      out.push_back(one.get<std::string>());
    }
  }
  void object(const char* key, const std::function<void(Object&)>& read) {
    const json* found = find(key, "an object", &json::is_object);
    if (found == nullptr) return;
    Object inner(*found, path_ + key + ".", status_);
    read(inner);
    inner.refuse_unknown();
  }
  const json* any(const char* key) {
    known_.insert(key);
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  void fail(const std::string& key, const std::string& expected, const json& found) {
    if (!status_.is_ok()) return;
    std::string shown = found.dump(-1, ' ', true, json::error_handler_t::replace);
    if (shown.size() > 60) shown = shown.substr(0, 60) + "...";
    status_ =
        fix_input("invalid_report", path_ + key + ": expected " + expected + ", found " + shown);
  }
  void refuse_unknown() {
    for (const auto& [key, value] : value_.items()) {
      if (known_.contains(key) || !status_.is_ok()) continue;
      std::string all;
      for (const std::string& name : known_) all += (all.empty() ? "" : ", ") + name;
      status_ = fix_input("invalid_report",
                          path_ + key.substr(0, 60) + ": unknown key; expected one of " + all);
    }
  }

 private:
  const json* find(const char* key, const char* expected, bool (json::*is)() const noexcept) {
    const json* found = any(key);
    if (found == nullptr) return nullptr;
    if ((found->*is)()) return found;
    fail(key, expected, *found);
    return nullptr;
  }

  const json& value_;
  std::string path_;
  Status& status_;
  std::set<std::string> known_;
};

void read_query(Object& in, Query& query) {
  in.text("queue", query.queue);
  in.text("owner", query.owner);
  if (const json* labels = in.any("labels")) {
    if (!labels->is_object()) return in.fail("labels", "an object of texts", *labels);
    for (const auto& [key, value] : labels->items()) {
      if (!value.is_string()) return in.fail("labels", "an object of texts", *labels);
      query.labels[key] = value.get<std::string>();
    }
  }
  if (const json* since = in.any("since")) {
    const Result<Duration> parsed =
        config::parse_duration(since->is_string() ? since->get<std::string>() : since->dump());
    if (!parsed.is_ok()) return in.fail("since", "a duration such as 24h", *since);
    query.since = *parsed;
  }
  if (const json* limit = in.any("limit")) {
    const bool good = limit->is_number_unsigned() && *limit >= 1 && *limit <= 1000;
    if (!good) return in.fail("limit", "a number from 1 to 1000", *limit);
    query.limit = limit->get<std::uint32_t>();
  }
}

void read_baseline(Object& in, Request& request) {
  const json* found = in.any("baseline");
  if (found == nullptr) return;
  const char* expected = "\"last\", a task's id, or a list of ids";
  if (*found == "last") {
    request.baseline_last = true;
    return;
  }
  const json list = found->is_array() ? *found : json::array({*found});
  for (const json& one : list) {
    const auto id = one.is_string() ? TaskId::parse(one.get<std::string>()) : std::nullopt;
    if (!id) return in.fail("baseline", expected, *found);
    request.baseline.push_back(*id);
  }
}

void read_formats(Object& in, Request& request) {
  std::vector<std::string> formats;
  in.texts("formats", formats);
  if (in.any("formats") == nullptr) return;
  const std::set<std::string> known = request.formats;
  request.formats.clear();
  for (const std::string& format : formats) {
    if (!known.contains(format)) {
      return in.fail("formats", "csv, html, json, junit, markdown", *in.any("formats"));
    }
    request.formats.insert(format);
  }
}

void read_all(Object& in, Request& request) {
  int version = 1;
  if (const json* found = in.any("version")) {
    if (*found != version) return in.fail("version", "1", *found);
  }
  in.text("title", request.title);
  request.title = request.title.substr(0, kTitleBytesMax);
  read_formats(in, request);
  if (in.any("query") != nullptr) request.query.emplace();
  if (const json* query = in.any("query"); query != nullptr && !query->is_object()) {
    return in.fail("query", "an object", *query);
  }
  in.object("query", [&](Object& query) { read_query(query, *request.query); });
  read_baseline(in, request);
  in.object("compare", [&](Object& compare) {
    std::string goal = "max";
    compare.texts("by", request.compare.by);
    compare.text("metric", request.compare.metric);
    compare.text("goal", goal);
    if (goal != "max" && goal != "min") compare.fail("goal", "max or min", json(goal));
    request.compare.larger_is_better = goal == "max";
  });
  in.object("sla", [&](Object& sla) {
    sla.seconds("expected_seconds", request.sla.expected_seconds);
    sla.seconds("deadline_seconds", request.sla.deadline_seconds);
  });
  in.texts("webhooks", request.webhooks);
}

}  // namespace

Result<Request> read_request(std::string_view body) {
  Request request;
  if (body.empty()) return request;
  const json parsed = body.size() > kBodyBytesMax ? json() : json::parse(body, nullptr, false);
  if (!parsed.is_object()) {
    return fix_input("invalid_report",
                     "the body of a report task: expected a JSON object of at most 1 MiB");
  }
  Status status;
  Object top(parsed, "", status);
  read_all(top, request);
  if (status.is_ok()) top.refuse_unknown();
  if (!status.is_ok()) return status;
  return request;
}

}  // namespace assay::report
