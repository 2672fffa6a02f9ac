#include "workers/eval/harness/runner_line.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace assay::eval {
namespace {

using nlohmann::json;

// Reads fields of one line; the first that is of the wrong kind is kept as the error.
class Fields {
 public:
  Fields(const json& line, std::string& error) : line_(line), error_(error) {}

  const json* find(const char* key) const {
    const auto found = line_.find(key);
    return found == line_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(const char* key, std::size_t bytes_max) {
    const json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return fail(key, "a string"), std::string();
    return std::string(cut_text(value->get_ref<const std::string&>(), bytes_max));
  }
  std::string name(const char* key) {
    const json* value = find(key);
    const bool good = value != nullptr && value->is_string() &&
                      !value->get_ref<const std::string&>().empty() &&
                      value->get_ref<const std::string&>().size() <= kTestNameBytesMax;
    if (!good) return fail(key, "a name of 1 to 500 bytes"), std::string();
    return value->get<std::string>();
  }
  std::optional<double> number(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    const bool good = value->is_number() && std::isfinite(value->get<double>());
    if (!good) return fail(key, "a number"), std::nullopt;
    return value->get<double>();
  }
  std::optional<std::int64_t> integer(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) return fail(key, "a whole number"), std::nullopt;
    return value->get<std::int64_t>();
  }
  std::uint64_t count(const char* key) {
    const auto value = integer(key);
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
  }
  std::optional<bool> flag(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) return fail(key, "true or false"), std::nullopt;
    return value->get<bool>();
  }
  std::string metrics() {
    const json* value = find("metrics");
    if (value == nullptr) return "{}";
    if (!value->is_object()) return fail("metrics", "an object"), std::string("{}");
    std::string text = value->dump();
    if (text.size() > kMetricsBytesMax) return R"({"metrics_too_large":true})";
    return text;
  }
  void fail(const char* key, const char* expected) {
    if (error_.empty()) error_ = std::string("its \"") + key + "\" should be " + expected;
  }

 private:
  const json& line_;
  std::string& error_;
};

void read_tests(Fields& fields, RunnerLine& out) {
  const json* tests = fields.find("tests");
  if (tests == nullptr || !tests->is_array() || tests->size() > kTestCountMax) {
    return fields.fail("tests", "an array of at most 100000 tests");
  }
  std::unordered_set<std::string> seen;
  for (const json& test : *tests) {
    const auto name = test.find("name");
    const bool good = test.is_object() && name != test.end() && name->is_string() &&
                      !name->get_ref<const std::string&>().empty() &&
                      name->get_ref<const std::string&>().size() <= kTestNameBytesMax;
    if (!good || !seen.insert(name->get<std::string>()).second) {
      return fields.fail("tests", "objects with different names of 1 to 500 bytes");
    }
    const auto streams = test.find("streams");
    const bool does = streams != test.end() && streams->is_boolean() && streams->get<bool>();
    out.tests.push_back({name->get<std::string>(), does});
  }
}

void read_verdict(Fields& fields, RunnerLine& out) {
  out.passed = fields.flag("passed");
  out.score = fields.number("score");
  out.reason = fields.text("reason", kReasonBytesMax);
  out.metrics = fields.metrics();
}

bool read_fields(const std::string& type, Fields& fields, RunnerLine& out) {
  using Type = RunnerLine::Type;
  if (type == "loaded") {
    out.type = Type::kLoaded;
    read_tests(fields, out);
  } else if (type == "load_failed") {
    out.type = Type::kLoadFailed;
    out.reason = fields.text("reason", kReasonBytesMax);
    out.detail = fields.text("detail", kDetailBytesMax);
  } else if (type == "partial") {
    out.type = Type::kPartial;
    out.test = fields.name("test");
    out.name = fields.text("name", kTestNameBytesMax);
    read_verdict(fields, out);
    out.seconds = fields.number("seconds");
  } else if (type == "progress") {
    out.type = Type::kProgress;
    out.test = fields.name("test");
    out.done = fields.count("done");
    out.total = fields.count("total");
    out.text = fields.text("text", 500);
  } else if (type == "result") {
    out.type = Type::kResult;
    out.test = fields.name("test");
    read_verdict(fields, out);
    out.detail = fields.text("detail", kDetailBytesMax);
  } else if (type == "ended") {
    out.type = Type::kEnded;
    out.test = fields.name("test");
    out.exit_code = fields.integer("exit_code");
    out.signal = fields.integer("signal");
    out.limit = fields.text("limit", 40);
    out.detail = fields.text("detail", kDetailBytesMax);
  } else if (type == "output") {
    out.type = Type::kOutput;
    out.path = fields.text("path", 1000);
    out.content_base64 = fields.text("content_base64", std::string::npos);
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool nested_deeper(std::string_view text, std::size_t levels) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > levels) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::optional<RunnerLine> parse_runner_line(std::string_view line, std::string& error) {
  error.clear();
  if (nested_deeper(line, kLineNestingMax)) {
    error = "it is nested deeper than 32";
    return std::nullopt;
  }
  const json in = json::parse(line, nullptr, false);
  const auto type = in.is_object() ? in.find("type") : in.end();
  if (!in.is_object() || type == in.end() || !type->is_string()) {
    error = "it is not a JSON object with a \"type\"";
    return std::nullopt;
  }
  RunnerLine out;
  Fields fields(in, error);
  if (!read_fields(type->get_ref<const std::string&>(), fields, out)) {
    error = "its \"type\" is unknown";
  }
  if (!error.empty()) return std::nullopt;
  return out;
}

}  // namespace assay::eval
