// Runs beside each other and against the run before.
#include <algorithm>
#include <cmath>

#include "workers/report/html/escape.h"
#include "workers/report/html/plots.h"
#include "workers/report/html/sections.h"

namespace assay::report {
namespace {

constexpr std::size_t kChangesShown = 200;
constexpr std::size_t kGroupsShown = 200;

std::string estimate_text(const Estimate& in) {
  if (in.count == 0) return "–";
  std::string out = number_text(in.mean);
  if (in.interval) {
    out += " <small>" + number_text(in.interval->low) + " – " + number_text(in.interval->high) +
           "</small>";
  }
  return out;
}

std::string changes(const std::vector<Change>& list, const std::string& title, bool open) {
  if (list.empty()) return "";
  std::string out = "<details" + std::string(open ? " open" : "") + "><summary>" + title +
                    " <small>" + std::to_string(list.size()) +
                    "</small></summary><div class=\"scroll\"><table><thead><tr><th>test</th>"
                    "<th>run</th><th>before</th><th>now</th><th>reason</th></tr></thead><tbody>";
  for (std::size_t i = 0; i < std::min(list.size(), kChangesShown); ++i) {
    const Change& one = list[i];
    out += "<tr><td><b>" + html(one.test, 200) + "</b></td><td>" + html(one.run, 120) +
           "</td><td>" + badge(one.before) + "</td><td>" + badge(one.now) + "</td><td>" +
           html(one.reason, 200) + "</td></tr>";
  }
  out += "</tbody></table></div>";
  if (list.size() > kChangesShown) {
    out += "<p class=\"note\">The first " + std::to_string(kChangesShown) +
           "; all are in the JSON.</p>";
  }
  return out + "</details>";
}

std::string verdict_on(const Comparison& in) {
  const std::string best = "<b>" + html(in.groups.front().title(), 300) + "</b>";
  if (!in.margin) return "Best: " + best + ".";
  const std::string by = number_text(std::fabs(in.margin->mean));
  std::string out =
      "Best: " + best + ", " + by + " " + (in.larger_is_better ? "above" : "below") + " the next. ";
  if (!in.margin->interval) return out + "With one run each, chance can't be told from difference.";
  const std::string interval =
      number_text(in.margin->interval->low) + " to " + number_text(in.margin->interval->high);
  return out + (in.clear() ? "The difference is clear (95 % CI " + interval + ")."
                           : "The difference is within the noise (95 % CI " + interval + ").");
}

}  // namespace

std::string regression_section(const Report& report) {
  if (!report.regression) return "";
  const Regression& in = *report.regression;
  std::string out = "<section id=\"regression\"><h2>Against " + html(in.baseline, 200) + "</h2>";
  if (in.paired == 0) {
    return out + "<p class=\"note\">No test of that name was in both.</p></section>";
  }
  const bool worse = in.score_change.interval && in.score_change.interval->high < 0;
  const bool better = in.score_change.interval && in.score_change.interval->low > 0;
  out += "<p class=\"lead\">" +
         badge(worse || in.worse.size() > in.better.size() ? "failed" : "passed") + " " +
         std::to_string(in.worse.size()) + " of " + std::to_string(in.paired) +
         " paired tests got worse, " + std::to_string(in.better.size()) + " better" +
         (in.worse.size() + in.better.size() > 0 ? " (a split so uneven comes by chance in " +
                                                       number_text(in.chance * 100) + " % of cases)"
                                                 : "") +
         ". ";
  if (in.score_change.count > 0) {
    out += "Scores changed by " + estimate_text(in.score_change) + " on average: " +
           (worse    ? "worse."
            : better ? "better."
                     : "no clear change.") +
           " ";
  }
  out += "A test took " + seconds_text(std::fabs(in.seconds_change.mean)) +
         (in.seconds_change.mean > 0 ? " longer" : " less") + " on average.</p>";
  out += changes(in.worse, "Got worse", true) + changes(in.better, "Got better", false);
  if (in.only_now + in.only_before > 0) {
    out += "<p class=\"meta\">" + std::to_string(in.only_now) + " tests are new, " +
           std::to_string(in.only_before) + " are gone.</p>";
  }
  return out + "</section>";
}

std::string comparison_section(const Report& report) {
  if (!report.comparison) return "";
  const Comparison& in = *report.comparison;
  double low = INFINITY;
  double high = -INFINITY;
  for (const Group& group : in.groups) {
    if (group.metric.count == 0) continue;
    const Interval reach =
        group.metric.interval.value_or(Interval{group.metric.mean, group.metric.mean});
    low = std::min(low, reach.low);
    high = std::max(high, reach.high);
  }
  std::string out = "<section id=\"comparison\"><h2>Comparison" +
                    (in.of.empty() ? "" : " of " + html(in.of, 120)) + " by " +
                    html(in.metric, 80) + "</h2>";
  if (in.groups.front().metric.count == 0) {
    return out + "<p class=\"note\">No run has a metric of that name.</p></section>";
  }
  out += "<p class=\"lead\">" + verdict_on(in) + "</p>";
  if (in.keys.size() == 2) out += heat_map(in);
  if (in.keys.size() > 2) out += parallel_coordinates(in);
  out += "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& key : in.keys) out += "<th>" + html(key, 60) + "</th>";
  out +=
      "<th class=\"n\">runs</th><th class=\"n\">" + html(in.metric, 60) +
      "</th><th class=\"w\">95 % CI</th><th class=\"n\">passed</th><th class=\"n\">time</th>" +
      (report.rates.any() ? "<th class=\"n\">" + html(report.rates.currency, 12) + "</th>" : "") +
      "</tr></thead><tbody>";
  for (std::size_t i = 0; i < std::min(in.groups.size(), kGroupsShown); ++i) {
    const Group& group = in.groups[i];
    out += i == 0 ? "<tr class=\"best\">" : "<tr>";
    for (const std::string& key : in.keys) {
      out += "<td>" + html(group.settings.at(key), 100) + "</td>";
    }
    out += "<td class=\"n\">" + std::to_string(group.runs.size()) + "</td><td class=\"n\">" +
           estimate_text(group.metric) + "</td><td class=\"w\">" +
           dot_with_interval(group.metric, low, high, i == 0) + "</td><td class=\"n\">" +
           std::to_string(group.passed) + " / " + std::to_string(group.tests) +
           "</td><td class=\"n\">" + seconds_text(group.seconds.mean) + "</td>" +
           (report.rates.any() ? "<td class=\"n\">" + number_text(group.cost) + "</td>" : "") +
           "</tr>";
  }
  out += "</tbody></table></div>";
  if (in.groups.size() > kGroupsShown) {
    out += "<p class=\"note\">The best " + std::to_string(kGroupsShown) + " of " +
           std::to_string(in.groups.size()) + "; all are in the JSON.</p>";
  }
  return out + "</section>";
}

}  // namespace assay::report
