#include "workers/report/run_reader.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace assay::report {
namespace {

using nlohmann::json;

std::string text_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number() ? found->get<double>() : 0;
}

std::uint64_t count_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

const json& part(const json& from, const char* key) {
  static const json kNothing = json::object();
  const auto found = from.find(key);
  return found != from.end() && found->is_object() ? *found : kNothing;
}

Spread spread_of(const json& from) {
  return {count_of(from, "count"), number_of(from, "mean"), number_of(from, "min"),
          number_of(from, "max")};
}

Test test_of(const json& from) {
  Test test;
  test.name = text_of(from, "name");
  test.outcome = text_of(from, "outcome");
  const bool known = std::any_of(std::begin(kOutcomes), std::end(kOutcomes),
                                 [&](const char* one) { return test.outcome == one; });
  if (!known) test.outcome = "unknown";
  if (from.contains("score") && from["score"].is_number()) test.score = from["score"].get<double>();
  test.seconds = number_of(from, "seconds");
  test.reason = text_of(from, "reason");
  test.detail = text_of(from, "detail");
  return test;
}

void read_usage(const json& from, Usage& usage) {
  usage.cpu_seconds = number_of(from, "cpu_seconds");
  usage.pod_seconds = number_of(from, "pod_seconds");
  usage.memory_bytes_peak = number_of(from, "memory_bytes_peak");
  usage.gpu_seconds = number_of(from, "gpu_seconds");
  for (const auto& [endpoint, count] : part(from, "requests").items()) {
    if (count.is_number()) usage.requests[endpoint] = count.get<double>();
  }
}

void read_lists(const json& document, Run& run) {
  const auto notes = document.find("notes");
  if (notes != document.end() && notes->is_array()) {
    for (const json& note : *notes) {
      if (note.is_string()) run.notes.push_back(note.get<std::string>());
    }
  }
  const auto kept = document.find("artifacts");
  if (kept != document.end() && kept->is_array()) {
    for (const json& one : *kept) {
      if (one.is_object()) run.artifacts.emplace_back(text_of(one, "name"), text_of(one, "sha256"));
    }
  }
}

}  // namespace

bool read_document(std::string_view text, Run& run) {
  bool in_tests = false;
  bool in_outputs = false;
  const json document = json::parse(
      text.begin(), text.end(),
      [&](int depth, json::parse_event_t event, json& value) {
        if (depth == 1 && event == json::parse_event_t::key) {
          in_tests = value == "tests";
          in_outputs = value == "outputs";
        }
        if (depth != 2 || event != json::parse_event_t::object_end) return true;
        if (in_tests) run.tests.push_back(test_of(value));
        return !in_tests && !in_outputs;  // taken, or not wanted: it need not be kept
      },
      false);
  if (!document.is_object() || !document.contains("status") || !document.contains("counts")) {
    run.tests.clear();
    return false;
  }
  run.has_document = true;
  run.name = text_of(document, "name");
  run.status = text_of(document, "status");
  run.reason = text_of(document, "reason");
  run.model = text_of(part(document, "evaluation"), "model");
  run.kind = text_of(part(document, "evaluation"), "kind");
  run.executor = text_of(document, "executor");
  run.seconds = number_of(document, "seconds");
  run.total = count_of(document, "total");
  for (const auto& [outcome, count] : part(document, "counts").items()) {
    if (count.is_number_unsigned()) run.counts[outcome] = count.get<std::uint64_t>();
  }
  run.scores = spread_of(part(document, "scores"));
  for (const auto& [name, spread] : part(document, "metrics").items()) {
    if (spread.is_object()) run.metrics[name] = spread_of(spread);
  }
  read_usage(part(document, "usage"), run.usage);
  run.log = text_of(document, "log");
  if (text_of(document, "cause") == "infrastructure") run.cause = Cause::kInfrastructure;
  read_lists(document, run);
  return true;
}

}  // namespace assay::report
