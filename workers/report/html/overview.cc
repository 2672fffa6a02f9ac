// What one sees first: the verdict, the figures, what the infrastructure failed, how values spread.
#include <algorithm>
#include <cmath>

#include "workers/report/format/formats.h"
#include "workers/report/html/escape.h"
#include "workers/report/html/plots.h"
#include "workers/report/html/sections.h"

namespace assay::report {
namespace {

// Fewer say so little that their interval would leave the scale.
constexpr std::size_t kScoresForAnInterval = 8;

std::string tile(const std::string& title, const std::string& value, const std::string& below) {
  return "<div class=\"tile\"><h3>" + title + "</h3><p class=\"value\">" + value +
         "</p><p class=\"below\">" + below + "</p></div>";
}

std::string percent(double share) {
  const double whole = std::clamp(share, 0.0, 1.0) * 100;
  // Never 100 % when something is missing.
  const double tenths = whole < 100 ? std::min(std::round(whole * 10) / 10, 99.9) : 100;
  return number_text(tenths) + " %";
}

std::size_t runs_that(const Summary& summary, Verdict verdict) {
  const auto found = summary.runs.find(verdict);
  return found == summary.runs.end() ? 0 : found->second;
}

std::string tiles(const Report& report) {
  const Summary& in = report.summary;
  std::string runs_below;
  for (const Verdict verdict : {Verdict::kFailed, Verdict::kInfrastructure, Verdict::kCancelled}) {
    const std::size_t count = runs_that(in, verdict);
    if (count == 0) continue;
    runs_below +=
        (runs_below.empty() ? "" : ", ") + std::to_string(count) + " " +
        (verdict == Verdict::kInfrastructure ? "lost to infrastructure" : to_string(verdict));
  }
  const std::uint64_t ran =
      in.tests - (in.outcomes.contains("not_run") ? in.outcomes.at("not_run") : 0);
  std::string out = "<div class=\"tiles\">";
  out += tile("Runs",
              std::to_string(runs_that(in, Verdict::kPassed)) + "<small> / " +
                  std::to_string(report.runs.size()) + "</small>",
              runs_below.empty() ? "all passed" : runs_below);
  out += tile("Tests",
              number_text(static_cast<double>(in.passed)) + "<small> / " +
                  number_text(static_cast<double>(in.tests)) + "</small>",
              ran == 0 ? "none ran"
                       : percent(static_cast<double>(in.passed) / static_cast<double>(ran)) +
                             ", 95 % CI " + percent(in.passed_share.low) + " – " +
                             percent(in.passed_share.high));
  if (in.score.count > 0) {
    out += tile("Mean score", number_text(in.score.mean),
                in.score.count >= kScoresForAnInterval
                    ? "95 % CI " + number_text(in.score.interval->low) + " – " +
                          number_text(in.score.interval->high)
                    : "of " + std::to_string(in.score.count) + ", too few for an interval");
  }
  out += tile("Time", seconds_text(in.run_seconds),
              in.test_seconds.empty()
                  ? "of all runs"
                  : "test median " + seconds_text(percentile(in.test_seconds, 0.5)) + ", p99 " +
                        seconds_text(percentile(in.test_seconds, 0.99)));
  double requests = 0;
  for (const auto& [endpoint, count] : in.usage.requests) requests += count;
  out += tile("Processor", seconds_text(in.usage.cpu_seconds),
              "peak " + bytes_text(in.usage.memory_bytes_peak) +
                  (requests > 0 ? ", " + number_text(requests) + " model requests" : ""));
  if (in.usage.gpu_seconds > 0) {
    out += tile("GPU", seconds_text(in.usage.gpu_seconds), "all runs together");
  }
  if (report.rates.any()) {
    out += tile(
        "Cost", number_text(in.cost) + "<small> " + html(report.rates.currency, 12) + "</small>",
        in.passed > 0 ? number_text(in.cost / static_cast<double>(in.passed)) + " a passed test"
                      : "nothing passed");
  }
  return out + "</div>";
}

std::string legend(const std::map<std::string, std::uint64_t>& outcomes) {
  std::string out = "<p class=\"legend\">";
  for (const char* outcome : kBarOrder) {
    const auto found = outcomes.find(outcome);
    if (found == outcomes.end() || found->second == 0) continue;
    out += "<span><i class=\"f-" + std::string(outcome) + "\"></i>" +
           number_text(static_cast<double>(found->second)) + " " +
           (std::string(outcome) == "not_run" ? "not run" : outcome) + "</span>";
  }
  return out + "</p>";
}

}  // namespace

std::string badge(const std::string& word) {
  return "<span class=\"badge b-" + html(word, 20) + "\">" +
         (word == "not_run" ? "not run" : html(word, 20)) + "</span>";
}

std::string head_section(const Report& report) {
  std::string out = "<header><div class=\"title\"><h1>" + html(report.title, 200) + "</h1>" +
                    badge(to_string(report.verdict())) + "</div><p class=\"meta\">" +
                    time_text(report.generated_at) + " · report <code>" + report.task.text() +
                    "</code></p></header>";
  out += tiles(report);
  if (report.summary.tests > 0) {
    out += outcome_bar(report.summary.outcomes) + legend(report.summary.outcomes);
  }
  for (const std::string& note : report.notes) {
    out += "<p class=\"note\">" + html(note, 500) + "</p>";
  }
  return out;
}

std::string infrastructure_section(const Report& report) {
  std::string rows;
  std::size_t shown = 0;
  for (const Run& run : report.runs) {
    if (run.verdict() != Verdict::kInfrastructure || ++shown > 50) continue;
    rows += "<li><b>" + html(run.title(), 200) + "</b> " + html(run.reason, 400) + "</li>";
  }
  if (rows.empty()) return "";
  const std::size_t count = runs_that(report.summary, Verdict::kInfrastructure);
  return "<section id=\"infrastructure\" class=\"notice\"><h2>The infrastructure failed " +
         std::to_string(count) + (count == 1 ? " run" : " runs") + "</h2><p>" +
         (count == 1 ? "It is in no score, rate or comparison below"
                     : "They are in no score, rate or comparison below") +
         (report.summary.lost_tests > 0
              ? "; " + std::to_string(report.summary.lost_tests) + " tests are missing"
              : "") +
         ". Run " + (count == 1 ? "it" : "them") + " again.</p><ul>" + rows + "</ul></section>";
}

std::string distribution_section(const Report& report) {
  const Summary& in = report.summary;
  if (in.test_seconds.size() < 2) return "";
  std::string out = "<section id=\"distributions\"><h2>Distributions</h2><div class=\"plots\">";
  if (in.scores.size() > 1) out += histogram(in.scores, Axis::kLinear, "Scores", number_text);
  out += histogram(in.test_seconds, Axis::kLogarithmic, "Seconds of a test (logarithmic)",
                   seconds_text);
  return out + "</div></section>";
}

std::string sla_section(const Report& report) {
  const Sla& in = report.sla;
  if (in.measured == 0) return "";
  std::string out = "<section id=\"times\"><h2>Waiting and running</h2>";
  const SlaRequest& asked = report.sla_request;
  const auto said = [&](const char* what, double limit, std::size_t over) {
    return "<li>" + badge(over == 0 ? "passed" : "failed") + " " + what + " " +
           seconds_text(limit) + ": " + std::to_string(in.measured - over) + " of " +
           std::to_string(in.measured) + " runs kept it</li>";
  };
  if (asked.expected_seconds || asked.deadline_seconds) {
    out += "<ul class=\"plain\">";
    if (asked.expected_seconds) {
      out += said("expected to run at most", *asked.expected_seconds, in.slow.size());
    }
    if (asked.deadline_seconds) {
      out += said("to end after submission within", *asked.deadline_seconds, in.late.size());
    }
    out += "</ul>";
  }
  out +=
      "<div class=\"scroll\"><table><thead><tr><th>of</th><th class=\"n\">runs</th><th "
      "class=\"n\">wait p50</th>"
      "<th class=\"n\">p90</th><th class=\"n\">p99</th><th class=\"n\">run p50</th>"
      "<th class=\"n\">p90</th><th class=\"n\">p99</th></tr></thead><tbody>";
  for (const Durations& one : in.durations) {
    out += "<tr><td>" + html(one.of, 100) + "</td><td class=\"n\">" + std::to_string(one.count);
    for (const double seconds :
         {one.wait_p50, one.wait_p90, one.wait_p99, one.run_p50, one.run_p90, one.run_p99}) {
      out += "</td><td class=\"n\">" + seconds_text(seconds);
    }
    out += "</td></tr>";
  }
  return out + "</tbody></table></div></section>";
}

}  // namespace assay::report
