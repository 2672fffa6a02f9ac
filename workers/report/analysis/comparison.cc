// Runs side by side: what differs between them, which settings did best, and by how much.
#include <algorithm>
#include <set>

#include "workers/report/report.h"

namespace assay::report {
namespace {

// Runs that differ only in these are repetitions of each other.
bool is_repetition(const std::string& key) {
  return key == "seed" || key == "repeat" || key == "repetition";
}

std::map<std::string, std::string> settings_of(const Run& run) {
  auto settings = run.settings();
  settings["evaluation"] = run.base_name();
  return settings;
}

// The evaluation with the most runs: scores of different evaluations say nothing about each other.
std::string most_frequent(const std::vector<Run>& runs) {
  std::map<std::string, std::size_t> counts;
  std::string most;
  for (const Run& run : runs) {
    if (run.has_document && ++counts[run.base_name()] > counts[most]) most = run.base_name();
  }
  return most;
}

std::vector<std::string> varying_keys(const std::vector<Run>& runs, const std::string& of) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::size_t> present;
  std::size_t counted = 0;
  for (const Run& run : runs) {
    if (!run.has_document || run.base_name() != of) continue;
    ++counted;
    for (const auto& [key, value] : settings_of(run)) {
      values[key].insert(value);
      ++present[key];
    }
  }
  std::vector<std::string> keys;
  for (const auto& [key, found] : values) {
    const bool varies = found.size() > 1 || (!found.empty() && present[key] < counted);
    if (varies && !is_repetition(key)) keys.push_back(key);
  }
  return keys;
}

// Nothing when the run does not have it.
std::optional<double> value_of(const std::string& metric, const Run& run, const Rates& rates) {
  if (metric == "score") {
    return run.scores.count > 0 ? std::optional(run.scores.mean) : std::nullopt;
  }
  if (metric == "seconds") return run.seconds;
  if (metric == "cost") return rates.cost(run.usage);
  if (metric == "pass_rate") {
    std::uint64_t good = 0;
    for (const auto& [outcome, count] : run.counts) {
      if (outcome == "passed" || outcome == "scored") good += count;
    }
    if (run.total == 0) return std::nullopt;
    return static_cast<double>(good) / static_cast<double>(run.total);
  }
  const auto found = run.metrics.find(metric);
  if (found == run.metrics.end() || found->second.count == 0) return std::nullopt;
  return found->second.mean;
}

void fill(Group& group, const std::string& metric, const std::vector<Run>& runs,
          const Rates& rates) {
  std::vector<double> values;
  std::vector<double> seconds;
  for (const std::size_t index : group.runs) {
    const Run& run = runs[index];
    if (const auto value = value_of(metric, run, rates)) values.push_back(*value);
    seconds.push_back(run.seconds);
    group.tests += run.total;
    for (const auto& [outcome, count] : run.counts) {
      if (outcome == "passed" || outcome == "scored") group.passed += count;
    }
    group.cost += rates.cost(run.usage);
  }
  group.metric = estimate(values);
  group.seconds = estimate(seconds);
}

}  // namespace

std::string Group::title() const {
  std::string out;
  for (const auto& [key, value] : settings) {
    out += (out.empty() ? "" : ", ") + key + "=" + (value.empty() ? "-" : value);
  }
  return out;
}

bool Comparison::clear() const {
  return margin && margin->interval && (margin->interval->low > 0 || margin->interval->high < 0);
}

std::optional<Comparison> compare(const CompareRequest& request, const std::vector<Run>& runs,
                                  const Rates& rates) {
  Comparison out;
  const bool by_itself = request.by.empty();
  if (by_itself) out.of = most_frequent(runs);
  out.keys = by_itself ? varying_keys(runs, out.of) : request.by;
  out.metric = request.metric;
  out.larger_is_better = request.larger_is_better;
  if (out.keys.empty()) return std::nullopt;
  std::map<std::map<std::string, std::string>, Group> groups;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    // A run that says nothing about its subject is compared with nothing.
    const bool counts = run.has_document && run.verdict() != Verdict::kInfrastructure &&
                        run.verdict() != Verdict::kCancelled;
    if (!counts || (by_itself && run.base_name() != out.of)) continue;
    const auto all = settings_of(run);
    std::map<std::string, std::string> key;
    for (const std::string& name : out.keys) {
      const auto found = all.find(name);
      key[name] = found == all.end() ? "" : found->second;
    }
    Group& group = groups[key];
    group.settings = key;
    group.runs.push_back(i);
  }
  for (auto& [key, group] : groups) {
    fill(group, out.metric, runs, rates);
    out.groups.push_back(std::move(group));
  }
  if (out.groups.size() < 2) return std::nullopt;
  std::stable_sort(out.groups.begin(), out.groups.end(), [&](const Group& a, const Group& b) {
    if ((a.metric.count > 0) != (b.metric.count > 0)) return a.metric.count > 0;
    return out.larger_is_better ? a.metric.mean > b.metric.mean : a.metric.mean < b.metric.mean;
  });
  if (out.groups[1].metric.count > 0) {
    out.margin = difference(out.groups[0].metric, out.groups[1].metric);
  }
  return out;
}

}  // namespace assay::report
