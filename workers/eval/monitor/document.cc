// The result document (docs/results.md), and what is left out of it when it is too long.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "workers/eval/harness/runner_line.h"
#include "workers/eval/monitor/log_window.h"
#include "workers/eval/monitor/record.h"

namespace assay::eval {
namespace {

using nlohmann::json;

constexpr std::size_t kLogBytesMax = 512U << 10;

std::string time_text(Time time) {
  const auto milliseconds = time.time_since_epoch().count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t end = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + end, sizeof text - end, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text;
}

double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}
double milliseconds_only(double seconds) {
  return rounded(seconds, 0.001);
}

json optional_number(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

// Mean, least, greatest and count of numbers.
class Spread {
 public:
  void add(double value) {
    least_ = count_ == 0 ? value : std::min(least_, value);
    greatest_ = count_ == 0 ? value : std::max(greatest_, value);
    sum_ += value;
    ++count_;
  }
  json as_json() const {
    if (count_ == 0) return {{"count", 0}, {"mean", nullptr}, {"min", nullptr}, {"max", nullptr}};
    return {{"count", count_},
            {"mean", sum_ / static_cast<double>(count_)},
            {"min", least_},
            {"max", greatest_}};
  }

 private:
  double sum_ = 0;
  double least_ = 0;
  double greatest_ = 0;
  std::uint64_t count_ = 0;
};

json scores(const EvaluationRecord& record) {
  Spread spread;
  for (const TestRecord& test : record.tests()) {
    if (test.score) {
      spread.add(*test.score);
    } else if (test.outcome == "passed" || test.outcome == "failed") {
      spread.add(test.outcome == "passed" ? 1 : 0);
    }
  }
  return spread.as_json();
}

json metrics(const EvaluationRecord& record) {
  constexpr std::size_t kNamesMax = 200;
  std::map<std::string, Spread> spreads;
  for (const TestRecord& test : record.tests()) {
    const json all = json::parse(test.metrics, nullptr, false);
    if (!all.is_object()) continue;
    for (const auto& [name, value] : all.items()) {
      if (!value.is_number()) continue;
      if (spreads.size() >= kNamesMax && !spreads.contains(name)) continue;
      spreads[name].add(value.get<double>());
    }
  }
  json out = json::object();
  for (const auto& [name, spread] : spreads) out[name] = spread.as_json();
  return out;
}

json tests(const EvaluationRecord& record) {
  json out = json::array();
  for (const TestRecord& test : record.tests()) {
    json one = {{"name", test.name},
                {"outcome", test.outcome},
                {"score", optional_number(test.score)},
                {"seconds", milliseconds_only(test.seconds)},
                {"reason", test.reason},
                {"metrics", json::parse(test.metrics, nullptr, false)},
                {"detail", test.detail},
                {"pod", test.pod}};
    if (!test.of.empty()) one["of"] = test.of;
    out.push_back(std::move(one));
  }
  for (const auto& [number, pod] : record.pods()) {
    for (const std::string& name : pod.not_run) {
      if (record.has_result(name)) continue;
      out.push_back({{"name", name},
                     {"outcome", "not_run"},
                     {"score", nullptr},
                     {"seconds", 0},
                     {"reason", "the pod ended before"},
                     {"metrics", json::object()},
                     {"detail", ""},
                     {"pod", number}});
    }
  }
  return out;
}

json pods(const EvaluationRecord& record) {
  json out = json::array();
  for (const auto& [number, pod] : record.pods()) {
    json canary = json::parse(pod.canary, nullptr, false);
    if (canary.is_discarded()) canary = nullptr;
    out.push_back({{"number", number},
                   {"isolation", pod.isolation.empty() ? json(nullptr) : json(pod.isolation)},
                   {"canary", std::move(canary)},
                   {"tests", pod.tests},
                   {"launches", pod.launches},
                   {"starts", pod.starts},
                   {"ended", pod.ended.empty() ? "stopped" : pod.ended},
                   {"reason", pod.failure.empty() ? pod.text : pod.failure},
                   {"detail", pod.detail},
                   {"limit", pod.limit},
                   {"seconds", milliseconds_only(pod.usage.wall_seconds)},
                   {"cpu_seconds", milliseconds_only(pod.usage.cpu_seconds)},
                   {"memory_bytes_peak", pod.usage.memory_bytes_peak}});
  }
  return out;
}

json usage(const EvaluationRecord& record, const DocumentFacts& facts) {
  PodUsage sum;
  for (const auto& [number, pod] : record.pods()) {
    sum.cpu_seconds += pod.usage.cpu_seconds;
    sum.wall_seconds += pod.usage.wall_seconds;
    sum.gpu_seconds += pod.usage.gpu_seconds;
    sum.memory_byte_seconds += pod.usage.memory_byte_seconds;
    sum.memory_bytes_peak = std::max(sum.memory_bytes_peak, pod.usage.memory_bytes_peak);
  }
  return {{"cpu_seconds", milliseconds_only(sum.cpu_seconds)},
          {"pod_seconds", milliseconds_only(sum.wall_seconds)},
          {"memory_bytes_peak", sum.memory_bytes_peak},
          {"gpu_seconds", milliseconds_only(sum.gpu_seconds)},
          {"memory_byte_seconds", std::round(sum.memory_byte_seconds)},
          {"requests", facts.requests}};
}

std::string logs(const EvaluationRecord& record, std::size_t bytes_max) {
  const bool many = record.pods().size() > 1;
  const std::size_t each = bytes_max / std::max<std::size_t>(record.pods().size(), 1);
  std::string out;
  for (const auto& [number, pod] : record.pods()) {
    if (pod.log.empty()) continue;
    if (many) out += "--- pod " + std::to_string(number) + "\n";
    LogWindow window(std::max<std::size_t>(each, 256));
    window.add(pod.log);
    out += window.text();
    if (many && !out.empty() && out.back() != '\n') out += '\n';
  }
  return out;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void cut_details(json& document, std::size_t bytes_max) {
  for (json& test : document["tests"]) {
    const auto& detail = test["detail"].get_ref<const std::string&>();
    if (detail.size() > bytes_max) test["detail"] = std::string(cut_text(detail, bytes_max));
  }
}

// Leaves out what is missed least, one thing after the other, until the rest fits.
std::string fit(json document, const EvaluationRecord& record) {
  using Step = std::pair<const char*, void (*)(json&, const EvaluationRecord&)>;
  const Step steps[] = {
      {"details longer than 1000 bytes", [](json& in, const auto&) { cut_details(in, 1000); }},
      {"details", [](json& in, const auto&) { cut_details(in, 0); }},
      {"the middle of the log",
       [](json& in, const auto& all) { in["log"] = logs(all, 64U << 10); }},
      {"the contents of outputs",
       [](json& in, const auto&) {
         for (json& output : in["outputs"]) output["content_base64"] = nullptr;
       }},
      {"metrics of single tests",
       [](json& in, const auto&) {
         for (json& test : in["tests"]) test["metrics"] = json::object();
       }},
      {"reasons of single tests",
       [](json& in, const auto&) {
         for (json& test : in["tests"]) test["reason"] = "";
       }},
      {"all but the first 10000 tests",
       [](json& in, const auto&) {
         auto& all = in["tests"].get_ref<json::array_t&>();
         if (all.size() > 10'000) all.resize(10'000);
       }},
  };
  std::string text = dump(document);
  for (const auto& [what, step] : steps) {
    if (text.size() <= kDocumentBytesMax) break;
    step(document, record);
    document["notes"].push_back(std::string("left out: ") + what);
    text = dump(document);
  }
  return text;
}

}  // namespace

std::string make_document(const EvaluationRecord& record, const Verdict& verdict,
                          const DocumentFacts& facts) {
  const Evaluation& evaluation = *facts.evaluation;
  const Counts counts = count_tests(record);
  json by_outcome = json::object();
  for (const char* outcome :
       {"passed", "failed", "scored", "error", "timeout", "crashed", "limit", "not_run"}) {
    const auto found = counts.by_outcome.find(outcome);
    by_outcome[outcome] = found == counts.by_outcome.end() ? 0 : found->second;
  }
  json outputs = json::array();
  json notes = json::array();
  for (const OutputFile& output : record.outputs()) {
    const json content = output.left_out ? json(nullptr) : json(output.content_base64);
    outputs.push_back({{"path", output.path}, {"pod", output.pod}, {"content_base64", content}});
    if (output.left_out) notes.push_back("left out: the content of " + output.path);
  }
  if (record.details_dropped()) notes.push_back("left out: details and metrics of later tests");
  if (record.not_kept() > 0) {
    notes.push_back("left out: " + std::to_string(record.not_kept()) +
                    " results beyond the first 200000");
  }
  const double seconds = static_cast<double>((facts.ended_at - facts.started_at).count()) / 1000;
  json document = {{"version", 1},
                   {"name", evaluation.name},
                   {"status", verdict.status},
                   {"reason", verdict.reason},
                   {"evaluation",
                    {{"kind", to_string(evaluation.kind)},
                     {"entry", evaluation.entry},
                     {"model", facts.model},
                     {"endpoint", facts.endpoint},
                     {"danger", evaluation.danger},
                     {"pass_threshold", optional_number(evaluation.pass_threshold)}}},
                   {"started_at", time_text(facts.started_at)},
                   {"ended_at", time_text(facts.ended_at)},
                   {"seconds", seconds},
                   {"total", counts.total},
                   {"counts", by_outcome},
                   {"scores", scores(record)},
                   {"metrics", metrics(record)},
                   {"tests", tests(record)},
                   {"executor", facts.executor},
                   {"plan", facts.plan},
                   {"pods", pods(record)},
                   {"usage", usage(record, facts)},
                   {"log", logs(record, kLogBytesMax)},
                   {"outputs", outputs},
                   {"notes", notes}};
  return fit(std::move(document), record);
}

}  // namespace assay::eval
