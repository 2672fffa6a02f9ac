// For merge requests, chats and terminals: the summary, what failed, how runs compare. GitHub's
// dialect.
#include "workers/report/format/formats.h"
#include "workers/report/text/visible.h"

namespace assay::report {
namespace {

constexpr std::size_t kCellBytesMax = 200;
constexpr std::size_t kFailuresShown = 100;

// One line that is text and nothing else: no emphasis, link, image, HTML, mention or table cell.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : visible(text, kCellBytesMax)) {
    if (std::string_view("\\`*_{}[]()#+-.!|~>:").find(c) != std::string_view::npos) out += '\\';
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '@') {
      out += "&#64;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string estimate_text(const Estimate& in) {
  if (in.count == 0) return "–";
  std::string out = number_text(in.mean);
  if (in.interval) {
    out += " (" + number_text(in.interval->low) + " to " + number_text(in.interval->high) + ")";
  }
  return out;
}

std::string summary_of(const Report& report) {
  const Summary& in = report.summary;
  std::string out = "**" + std::string(to_string(report.verdict())) +
                    "**: " + std::to_string(report.runs.size()) + " runs, " +
                    number_text(static_cast<double>(in.tests)) + " tests, " +
                    number_text(static_cast<double>(in.passed)) + " passed or scored";
  if (in.score.count > 0) out += ", mean score " + estimate_text(in.score);
  out += ", " + seconds_text(in.run_seconds) + " of runs";
  if (report.rates.any()) out += ", " + number_text(in.cost) + " " + report.rates.currency;
  out += "\n\n";
  if (in.lost_tests > 0 || in.runs.contains(Verdict::kInfrastructure)) {
    out += "> The infrastructure failed " +
           std::to_string(in.runs.contains(Verdict::kInfrastructure)
                              ? in.runs.at(Verdict::kInfrastructure)
                              : 0) +
           " runs. They are in no score.\n\n";
  }
  return out;
}

std::string runs_of(const Report& report) {
  std::string out =
      "| run | verdict | tests | score | time | reason |\n| --- | --- | --: | --: | --: | --- |\n";
  for (const Run& run : report.runs) {
    out += "| " + plain(run.title()) + " | " + to_string(run.verdict()) + " | " +
           std::to_string(run.total) + " | " +
           (run.scores.count > 0 ? number_text(run.scores.mean) : "–") + " | " +
           seconds_text(run.seconds) + " | " + plain(run.reason) + " |\n";
  }
  return out + "\n";
}

std::string failures_of(const Report& report) {
  std::string out;
  std::size_t shown = 0;
  std::size_t all = 0;
  for (const Run& run : report.runs) {
    if (run.verdict() == Verdict::kInfrastructure) continue;
    for (const Test& test : run.tests) {
      if (!is_bad(test.outcome)) continue;
      if (++all > kFailuresShown) continue;
      ++shown;
      out += "- **" + plain(test.name) + "** (" + plain(run.title()) + "): " + test.outcome +
             (test.reason.empty() ? "" : ": " + plain(test.reason)) + "\n";
    }
  }
  if (all > shown) out += "\n" + std::to_string(all - shown) + " more are in the other formats.\n";
  return out.empty() ? out : "## What failed\n\n" + out + "\n";
}

std::string comparison_of(const Comparison& in) {
  std::string out = "## Comparison by " + plain(in.metric) + "\n\n| settings | runs | " +
                    plain(in.metric) + " | passed | time |\n| --- | --: | --: | --: | --: |\n";
  for (const Group& group : in.groups) {
    out += "| " + plain(group.title()) + " | " + std::to_string(group.runs.size()) + " | " +
           estimate_text(group.metric) + " | " + std::to_string(group.passed) + " of " +
           std::to_string(group.tests) + " | " + seconds_text(group.seconds.mean) + " |\n";
  }
  out += "\nBest: **" + plain(in.groups.front().title()) + "**";
  if (in.margin) {
    out += ", by " + estimate_text(*in.margin) +
           (in.margin->interval ? in.clear() ? "" : "; that is within the noise"
                                : "; one run each says nothing about noise");
  }
  return out + ".\n\n";
}

std::string regression_of(const Regression& in) {
  std::string out = "## Against " + plain(in.baseline) + "\n\n" + std::to_string(in.paired) +
                    " tests in both: " + std::to_string(in.worse.size()) + " got worse, " +
                    std::to_string(in.better.size()) + " better; score change " +
                    estimate_text(in.score_change) + ".\n\n";
  for (std::size_t i = 0; i < in.worse.size() && i < kFailuresShown; ++i) {
    const Change& change = in.worse[i];
    out += "- **" + plain(change.test) + "** (" + plain(change.run) + "): " + change.before +
           " → " + change.now + "\n";
  }
  return out + "\n";
}

}  // namespace

std::string to_markdown(const Report& report) {
  std::string out = "# " + plain(report.title) + "\n\n" + summary_of(report);
  out += runs_of(report) + failures_of(report);
  if (report.regression) out += regression_of(*report.regression);
  if (report.comparison) out += comparison_of(*report.comparison);
  for (const std::string& note : report.notes) out += "> " + plain(note) + "\n";
  return out + "\n" + time_text(report.generated_at) + "\n";
}

}  // namespace assay::report
