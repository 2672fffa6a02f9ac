// This run against another: tests that both have, paired by the names of run and test.
#include <map>
#include <utility>

#include "workers/report/report.h"

namespace assay::report {
namespace {

using Key = std::pair<std::string, std::string>;  // the run's name, the test's

bool counts(const Run& run) {
  return run.has_document && run.verdict() != Verdict::kInfrastructure &&
         run.verdict() != Verdict::kCancelled;
}

// Of several tests of one name the last, as a repeated run overrides the one before.
std::map<Key, const Test*> index(const std::vector<Run>& runs) {
  std::map<Key, const Test*> out;
  for (const Run& run : runs) {
    if (!counts(run)) continue;
    for (const Test& test : run.tests) {
      if (test.outcome != "not_run") out[{run.name, test.name}] = &test;
    }
  }
  return out;
}

std::optional<double> score_of(const Test& test) {
  if (test.score) return test.score;
  if (test.outcome == "passed") return 1;
  if (test.outcome == "failed") return 0;
  return std::nullopt;
}

std::string names_of(const std::vector<Run>& runs) {
  std::string out = runs.front().title();
  if (runs.size() > 1) out += " and " + std::to_string(runs.size() - 1) + " more";
  return out;
}

}  // namespace

Regression against(const std::vector<Run>& baseline, const std::vector<Run>& runs) {
  Regression out;
  out.baseline = names_of(baseline);
  const auto before = index(baseline);
  const auto now = index(runs);
  std::vector<double> score_changes;
  std::vector<double> second_changes;
  for (const auto& [key, test] : now) {
    const auto found = before.find(key);
    if (found == before.end()) {
      ++out.only_now;
      continue;
    }
    ++out.paired;
    const Test& old = *found->second;
    const auto score_now = score_of(*test);
    const auto score_before = score_of(old);
    if (score_now && score_before) score_changes.push_back(*score_now - *score_before);
    second_changes.push_back(test->seconds - old.seconds);
    if (is_bad(test->outcome) == is_bad(old.outcome)) continue;
    Change change{key.first, key.second, old.outcome, test->outcome, test->reason};
    (is_bad(test->outcome) ? out.worse : out.better).push_back(std::move(change));
  }
  out.only_before = before.size() - out.paired;
  out.score_change = estimate(score_changes);
  out.seconds_change = estimate(second_changes);
  out.chance = mcnemar(out.worse.size(), out.better.size());
  return out;
}

}  // namespace assay::report
