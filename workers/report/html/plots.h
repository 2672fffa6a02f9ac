// Plots as inline SVG. Colours come from the page's classes, so that they follow light and dark.
#ifndef ASSAY_WORKERS_REPORT_HTML_PLOTS_H_
#define ASSAY_WORKERS_REPORT_HTML_PLOTS_H_

#include <map>
#include <string>
#include <vector>

#include "workers/report/report.h"

namespace assay::report {

// In which outcomes stand in bars and legends.
inline constexpr const char* kBarOrder[] = {"passed",  "scored",  "failed", "error",
                                            "crashed", "timeout", "limit",  "not_run"};

// A bar of shares, one piece an outcome.
std::string outcome_bar(const std::map<std::string, std::uint64_t>& outcomes);

enum class Axis : bool { kLinear = false, kLogarithmic = true };
// How often which value comes; `sorted`. `unit` formats the ends of the axis.
std::string histogram(const std::vector<double>& sorted, Axis axis, const std::string& title,
                      std::string (*unit)(double));

// A dot with its interval on a scale from `low` to `high`.
std::string dot_with_interval(const Estimate& estimate, double low, double high, bool best);

// The metric over two settings.
std::string heat_map(const Comparison& comparison);
// A line a group through its settings to the metric, for three settings and more.
std::string parallel_coordinates(const Comparison& comparison);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_HTML_PLOTS_H_
