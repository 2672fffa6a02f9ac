// What failed, with its logs; the runs; the table of all tests.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "workers/report/html/escape.h"
#include "workers/report/html/plots.h"
#include "workers/report/html/sections.h"

namespace assay::report {
namespace {

constexpr std::size_t kFailuresShown = 100;
constexpr std::size_t kFailuresOpen = 15;  // the others are one click away
constexpr std::size_t kRunsShown = 500;
constexpr std::size_t kDetailBytesMax = 8'000;
constexpr std::size_t kLogBytesMax = 20'000;
// Of the whole page: beyond them, details and logs are left to the other formats.
constexpr std::size_t kLogBudget = 4U << 20;
constexpr std::size_t kDetailBudget = 4U << 20;
constexpr std::size_t kReasonBudget = 8U << 20;

constexpr const char* kMore = "<details class=\"more\"><summary>Show more of what failed</summary>";

std::string log_of(const Run& run, std::size_t& budget) {
  if (run.log.empty()) return "";
  if (budget < kLogBytesMax)
    return "<p class=\"note\">its log is in the JSON and in its artifacts</p>";
  budget -= std::min(run.log.size(), kLogBytesMax);
  return "<details class=\"log\"><summary>Log, " + bytes_text(static_cast<double>(run.log.size())) +
         "</summary><pre>" + html(run.log, kLogBytesMax, Lines::kMany) + "</pre></details>";
}

std::string failure(const Run& run, const Test& test, std::size_t number) {
  std::string out = "<details class=\"failure\"><summary>" + badge(test.outcome) +
                    "<span class=\"what\"><b>" + html(test.name, 300) + "</b>";
  if (!test.reason.empty()) out += "<span class=\"why\">" + html(test.reason, 300) + "</span>";
  out += "</span><span class=\"where\">" + html(run.title(), 120) + "</span></summary>";
  if (test.reason.size() > 300) {
    out += "<p>" + html(test.reason, 4000) + "</p>";
  }
  if (!test.detail.empty()) {
    out += "<pre>" + html(test.detail, kDetailBytesMax, Lines::kMany) + "</pre>";
  }
  out += "<p class=\"meta\">" + seconds_text(test.seconds) +
         (test.score ? ", score " + number_text(*test.score) : std::string());
  if (!run.log.empty() && number < kRunsShown) {
    out += " · <a href=\"#run-" + std::to_string(number) + "\">log of the run</a>";
  }
  return out + "</p></details>";
}

std::string numbers(const Run& run, const Rates& rates) {
  std::string out = "<td class=\"n\">" + std::to_string(run.total) + "</td><td class=\"n\">" +
                    (run.scores.count > 0 ? number_text(run.scores.mean) : "–") +
                    "</td><td class=\"n\">" + seconds_text(run.seconds) + "</td><td class=\"n\">" +
                    seconds_text(run.usage.cpu_seconds) + "</td><td class=\"n\">" +
                    bytes_text(run.usage.memory_bytes_peak) + "</td>";
  if (rates.any()) out += "<td class=\"n\">" + number_text(rates.cost(run.usage)) + "</td>";
  return out;
}

}  // namespace

std::string failures_section(const Report& report) {
  std::string items;
  std::size_t all = 0;
  std::size_t shown = 0;
  std::size_t budget = kDetailBudget;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const Run& run = report.runs[i];
    if (run.verdict() == Verdict::kInfrastructure) continue;
    const std::size_t before = all;
    for (const Test& test : run.tests) {
      if (!is_bad(test.outcome)) continue;
      ++all;
      if (shown >= kFailuresShown || budget < kDetailBytesMax) continue;
      ++shown;
      budget -= std::min(test.detail.size(), kDetailBytesMax);
      if (shown == kFailuresOpen + 1) items += kMore;
      items += failure(run, test, i);
    }
    // It failed as a whole: it could not be loaded, its time was over, its mean is too low.
    if (run.verdict() == Verdict::kFailed && all == before && shown < kFailuresShown) {
      ++all;
      ++shown;
      Test whole;
      whole.name = "The whole run";
      whole.outcome = run.status.empty() ? "failed" : run.status;
      whole.reason = run.reason;
      whole.seconds = run.seconds;
      if (shown == kFailuresOpen + 1) items += kMore;
      items += failure(run, whole, i);
    }
  }
  if (all == 0) return "";
  if (shown > kFailuresOpen) items += "</details>";
  std::string out = "<section id=\"failures\"><h2>What failed <small>" +
                    number_text(static_cast<double>(all)) + "</small></h2>" + items;
  if (all > shown) {
    out += "<p class=\"note\">The first " + std::to_string(shown) + " of " +
           number_text(static_cast<double>(all)) +
           "; the table of tests below has all of them, failures first.</p>";
  }
  return out + "</section>";
}

std::string runs_section(const Report& report) {
  std::size_t budget = kLogBudget;
  std::string out = "<section id=\"runs\"><h2>Runs <small>" +
                    number_text(static_cast<double>(report.runs.size())) +
                    "</small></h2>"
                    "<div class=\"scroll\"><table><thead><tr><th>run</th><th>verdict</th><th "
                    "class=\"w\">outcomes</th>"
                    "<th class=\"n\">tests</th><th class=\"n\">score</th><th class=\"n\">time</th>"
                    "<th class=\"n\">cpu</th><th class=\"n\">memory</th>";
  if (report.rates.any()) out += "<th class=\"n\">" + html(report.rates.currency, 12) + "</th>";
  out += "</tr></thead><tbody>";
  for (std::size_t i = 0; i < std::min(report.runs.size(), kRunsShown); ++i) {
    const Run& run = report.runs[i];
    const std::string columns = report.rates.any() ? "9" : "8";
    out += "<tr id=\"run-" + std::to_string(i) + "\"><td><b>" + html(run.title(), 200) +
           "</b></td><td>" + badge(to_string(run.verdict())) + "</td><td class=\"w\">" +
           outcome_bar(run.counts) + "</td>" + numbers(run, report.rates) + "</tr>";
    out += "<tr class=\"sub\"><td colspan=\"" + columns + "\">";
    if (!run.reason.empty()) out += "<p>" + html(run.reason, 600) + "</p>";
    out += "<p class=\"meta\"><code>" + run.id.text() + "</code>";
    for (const std::string& word : {run.model, run.kind, run.executor}) {
      if (!word.empty()) out += " · " + html(word, 100);
    }
    if (run.attempts > 1) out += " · " + std::to_string(run.attempts) + " attempts";
    for (const auto& [name, hash] : run.artifacts) {
      out += " · <span title=\"" + html(hash, 80) + "\">" + html(name, 100) + "</span>";
    }
    out += "</p>";
    for (const std::string& note : run.notes)
      out += "<p class=\"meta\">" + html(note, 300) + "</p>";
    out += log_of(run, budget) + "</td></tr>";
  }
  out += "</tbody></table></div>";
  if (report.runs.size() > kRunsShown) {
    out += "<p class=\"note\">The first " + std::to_string(kRunsShown) +
           "; all are in the other formats.</p>";
  }
  return out + "</section>";
}

std::string tests_section(const Report& report) {
  std::size_t tests = 0;
  for (const Run& run : report.runs) tests += run.tests.size();
  if (tests == 0) return "";
  return "<section id=\"tests\"><h2>Tests <small>" + number_text(static_cast<double>(tests)) +
         "</small></h2><noscript><p class=\"note\">This table needs JavaScript; the CSV has the "
         "same "
         "rows.</p></noscript><div id=\"table\" hidden><div class=\"tools\">"
         "<input id=\"find\" type=\"search\" placeholder=\"Find in names, runs, reasons\" "
         "aria-label=\"Find in names, runs and reasons\">"
         "<select id=\"run\" aria-label=\"Run\"><option value=\"\">all runs</option></select>"
         "<div id=\"chips\" role=\"group\" aria-label=\"Outcomes\"></div>"
         "<output id=\"count\"></output></div>"
         "<div id=\"grid\" role=\"table\" aria-label=\"Tests\"><div id=\"heads\" role=\"row\">"
         "<button type=\"button\" role=\"columnheader\" data-key=\"outcome\">outcome</button>"
         "<button type=\"button\" role=\"columnheader\" data-key=\"name\">test</button>"
         "<button type=\"button\" role=\"columnheader\" data-key=\"run\">run</button>"
         "<button type=\"button\" role=\"columnheader\" data-key=\"score\" "
         "class=\"n\">score</button>"
         "<button type=\"button\" role=\"columnheader\" data-key=\"seconds\" "
         "class=\"n\">time</button>"
         "</div><div id=\"scroller\" role=\"rowgroup\" tabindex=\"0\" aria-label=\"Rows\"><div "
         "id=\"rows\"></div></div></div>"
         "<div id=\"printed\"></div></div><dialog id=\"one\"><form method=\"dialog\"><button "
         "aria-label=\"Close\">×</button></form>"
         "<div id=\"one-body\"></div></dialog></section>";
}

std::string table_data(const Report& report) {
  std::string names;
  std::string runs;
  std::string outcomes;
  std::string scores;
  std::string seconds;
  std::string reasons;
  std::string details;
  std::string titles;
  std::size_t count = 0;
  std::size_t reason_budget = kReasonBudget;
  std::size_t detail_budget = kDetailBudget;
  const auto number = [](double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", std::isfinite(value) ? value : 0);
    return std::string(text);
  };
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const Run& run = report.runs[i];
    titles += (i == 0 ? "" : ",") + script_string(run.title(), 200);
    for (const Test& test : run.tests) {
      const std::string comma = count == 0 ? "" : ",";
      const auto* at = std::find(std::begin(kOutcomes), std::end(kOutcomes), test.outcome);
      const std::size_t reason_max = reason_budget > 400 ? 400 : 0;
      names += comma + script_string(test.name, 300);
      runs += comma + std::to_string(i);
      outcomes += comma + std::to_string(at - std::begin(kOutcomes));
      scores += comma + (test.score ? number(*test.score) : std::string("null"));
      seconds += comma + number(test.seconds);
      reasons += comma + (reason_max == 0 ? "\"\"" : script_string(test.reason, reason_max));
      reason_budget -= std::min(reason_budget, std::min(test.reason.size(), reason_max));
      if (!test.detail.empty() && detail_budget > 4000) {
        detail_budget -= std::min<std::size_t>(test.detail.size(), 4000);
        details += (details.empty() ? "\"" : ",\"") + std::to_string(count) +
                   "\":" + script_string(test.detail, 4000);
      }
      ++count;
    }
  }
  std::string words;
  for (const char* outcome : kOutcomes)
    words += (words.empty() ? "\"" : ",\"") + std::string(outcome) + "\"";
  return "{\"outcomes\":[" + words + ",\"unknown\"],\"runs\":[" + titles + "],\"name\":[" + names +
         "],\"run\":[" + runs + "],\"outcome\":[" + outcomes + "],\"score\":[" + scores +
         "],\"seconds\":[" + seconds + "],\"reason\":[" + reasons + "],\"detail\":{" + details +
         "}}";
}

}  // namespace assay::report
