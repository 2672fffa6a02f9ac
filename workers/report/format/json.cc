// The report as JSON, version 1 (docs/reports.md). Keys are added, never given another meaning.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "workers/report/format/formats.h"
#include "workers/report/text/visible.h"

namespace assay::report {
namespace {

using Json = nlohmann::ordered_json;

// As they come, cut; control characters are escaped by JSON itself.
constexpr std::size_t kReasonBytesMax = 2000;
constexpr std::size_t kDetailBytesMax = 16'000;

std::string cut(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  return text.substr(0, bytes_max) + "... [" +
         bytes_text(static_cast<double>(text.size() - bytes_max)) + " more]";
}

Json form_of(const Interval& interval) {
  return Json::array({interval.low, interval.high});
}

Json form_of(const Estimate& estimate) {
  return {{"count", estimate.count},
          {"mean", estimate.count > 0 ? Json(estimate.mean) : Json(nullptr)},
          {"deviation", estimate.deviation},
          {"ci95", estimate.interval ? form_of(*estimate.interval) : Json(nullptr)}};
}

Json form_of(const std::optional<Time>& time) {
  if (!time) return nullptr;
  return std::chrono::duration<double>(time->time_since_epoch()).count();
}

Json form_of(const Usage& usage, const Rates& rates) {
  Json out{{"cpu_seconds", usage.cpu_seconds},
           {"pod_seconds", usage.pod_seconds},
           {"gpu_seconds", usage.gpu_seconds},
           {"memory_bytes_peak", usage.memory_bytes_peak},
           {"requests", usage.requests}};
  out["cost"] = rates.any() ? Json(rates.cost(usage)) : Json(nullptr);
  return out;
}

Json form_of(const Run& run, const Rates& rates) {
  Json out{{"task", run.id.text()},
           {"name", run.title()},
           {"verdict", to_string(run.verdict())},
           {"state", to_string(run.state)},
           {"cause", to_string(run.cause)},
           {"status", run.status},
           {"reason", cut(run.reason, kReasonBytesMax)},
           {"queue", run.queue},
           {"owner", run.owner},
           {"labels", run.labels},
           {"settings", run.settings()},
           {"submitted_at", form_of(run.submitted_at)},
           {"started_at", form_of(run.started_at)},
           {"ended_at", form_of(run.ended_at)},
           {"attempts", run.attempts},
           {"seconds", run.seconds},
           {"total", run.total},
           {"counts", run.counts},
           {"scores", run.scores.count > 0 ? Json{{"count", run.scores.count},
                                                  {"mean", run.scores.mean},
                                                  {"min", run.scores.min},
                                                  {"max", run.scores.max}}
                                           : Json(nullptr)},
           {"usage", form_of(run.usage, rates)}};
  Json metrics = Json::object();
  for (const auto& [name, spread] : run.metrics) metrics[name] = spread.mean;
  out["metrics"] = std::move(metrics);
  Json artifacts = Json::object();
  for (const auto& [name, hash] : run.artifacts) artifacts[name] = hash;
  out["artifacts"] = std::move(artifacts);
  return out;
}

Json tests_of(const Run& run) {
  Json out = Json::array();
  for (const Test& test : run.tests) {
    out.push_back({{"name", cut(test.name, kReasonBytesMax)},
                   {"outcome", test.outcome},
                   {"score", test.score ? Json(*test.score) : Json(nullptr)},
                   {"seconds", test.seconds},
                   {"reason", cut(test.reason, kReasonBytesMax)},
                   {"detail", cut(test.detail, kDetailBytesMax)}});
  }
  return out;
}

Json summary_of(const Report& report) {
  const Summary& in = report.summary;
  Json runs = Json::object();
  for (const Verdict verdict :
       {Verdict::kPassed, Verdict::kFailed, Verdict::kCancelled, Verdict::kInfrastructure}) {
    const auto found = in.runs.find(verdict);
    runs[to_string(verdict)] = found == in.runs.end() ? 0 : found->second;
  }
  return {{"runs", runs},
          {"tests", in.tests},
          {"outcomes", in.outcomes},
          {"passed_share",
           in.tests > 0 ? Json(static_cast<double>(in.passed) / static_cast<double>(in.tests))
                        : Json(nullptr)},
          {"passed_share_ci95", form_of(in.passed_share)},
          {"lost_tests", in.lost_tests},
          {"score", form_of(in.score)},
          {"seconds", in.run_seconds},
          {"test_seconds",
           {{"p50", percentile(in.test_seconds, 0.5)},
            {"p90", percentile(in.test_seconds, 0.9)},
            {"p99", percentile(in.test_seconds, 0.99)}}},
          {"usage", form_of(in.usage, report.rates)}};
}

Json form_of(const Comparison& in) {
  Json groups = Json::array();
  for (const Group& group : in.groups) {
    groups.push_back({{"settings", group.settings},
                      {"runs", group.runs.size()},
                      {"metric", form_of(group.metric)},
                      {"seconds", form_of(group.seconds)},
                      {"passed", group.passed},
                      {"tests", group.tests},
                      {"cost", group.cost}});
  }
  return {{"of", in.of},
          {"keys", in.keys},
          {"metric", in.metric},
          {"goal", in.larger_is_better ? "max" : "min"},
          {"best", in.groups.front().settings},
          {"margin", in.margin ? form_of(*in.margin) : Json(nullptr)},
          {"clear", in.clear()},
          {"groups", groups}};
}

Json form_of(const std::vector<Change>& changes) {
  Json out = Json::array();
  for (const Change& change : changes) {
    out.push_back({{"run", change.run},
                   {"test", change.test},
                   {"before", change.before},
                   {"now", change.now},
                   {"reason", cut(change.reason, kReasonBytesMax)}});
  }
  return out;
}

Json form_of(const Regression& in, bool whole) {
  Json out{{"baseline", in.baseline},
           {"paired", in.paired},
           {"only_now", in.only_now},
           {"only_before", in.only_before},
           {"score_change", form_of(in.score_change)},
           {"seconds_change", form_of(in.seconds_change)},
           {"worse_count", in.worse.size()},
           {"better_count", in.better.size()},
           {"chance", in.chance}};
  if (!whole) return out;
  out["worse"] = form_of(in.worse);
  out["better"] = form_of(in.better);
  return out;
}

Json form_of(const Sla& in, const SlaRequest& asked) {
  Json durations = Json::array();
  for (const Durations& one : in.durations) {
    durations.push_back(
        {{"of", one.of},
         {"count", one.count},
         {"wait_seconds", {{"p50", one.wait_p50}, {"p90", one.wait_p90}, {"p99", one.wait_p99}}},
         {"run_seconds", {{"p50", one.run_p50}, {"p90", one.run_p90}, {"p99", one.run_p99}}}});
  }
  return {
      {"expected_seconds", asked.expected_seconds ? Json(*asked.expected_seconds) : Json(nullptr)},
      {"deadline_seconds", asked.deadline_seconds ? Json(*asked.deadline_seconds) : Json(nullptr)},
      {"measured", in.measured},
      {"slow", in.slow.size()},
      {"late", in.late.size()},
      {"durations", durations}};
}

Json head_of(const Report& report, bool whole) {
  Json out{
      {"kind", "assay.report"},       {"version", 1},
      {"title", report.title},        {"generated_at", form_of(std::optional(report.generated_at))},
      {"task", report.task.text()},   {"verdict", to_string(report.verdict())},
      {"summary", summary_of(report)}};
  out["comparison"] = report.comparison ? form_of(*report.comparison) : Json(nullptr);
  out["regression"] = report.regression ? form_of(*report.regression, whole) : Json(nullptr);
  out["sla"] = form_of(report.sla, report.sla_request);
  out["notes"] = report.notes;
  return out;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string summary_json(const Report& report) {
  return dump(head_of(report, false));
}

// The runs are written one after the other: the tests of all of them as JSON values at once would
// take several times the memory of their text.
std::string to_json(const Report& report) {
  std::string out = dump(head_of(report, true));
  out.back() = ',';  // the closing brace
  out += "\"runs\":[";
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    if (i > 0) out += ',';
    std::string run = dump(form_of(report.runs[i], report.rates));
    run.back() = ',';
    out += run + "\"tests\":" + dump(tests_of(report.runs[i])) + "}";
  }
  return out + "]}\n";
}

std::string time_text(Time time) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): dates read badly without
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

}  // namespace assay::report
