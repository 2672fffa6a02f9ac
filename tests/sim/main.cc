// simulation [--seed N] [--seeds COUNT] [--demand-marks]: runs COUNT seeds from N on; without
// --seed, fresh ones.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>

#include "tests/sim/simulation.h"

namespace {

// Every rare path that the fixed set of seeds must have taken.
constexpr const char* kMarks[] = {"broker crashed",
                                  "worker crashed",
                                  "worker paused",
                                  "worker cut off",
                                  "ended succeeded",
                                  "ended failed",
                                  "ended cancelled",
                                  "ended dead",
                                  "retried",
                                  "lost",
                                  "given back",
                                  "stale report",
                                  "told to drop",
                                  "a result travelled",
                                  "shared",
                                  "snoozed",
                                  "handed over",
                                  "resumed",
                                  "poisoned",
                                  "quarantined",
                                  "held",
                                  "refused quarantined",
                                  "refused owner_full",
                                  "refused client_full",
                                  "a write failed",
                                  "compacted",
                                  "partitioned",
                                  "clock jumped",
                                  "scheduled",
                                  "schedule made up",
                                  "wall clock jumped"};

int usage() {
  std::fprintf(stderr, "usage: simulation [--seed N] [--seeds COUNT] [--demand-marks]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = std::random_device()();
  std::uint64_t count = 1;
  bool demand_marks = false;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--demand-marks") == 0) {
      demand_marks = true;
    } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seeds") == 0 && has_value) {
      count = std::strtoull(argv[++i], nullptr, 10);
    } else {
      return usage();
    }
  }
  std::map<std::string, std::uint64_t> marks;
  std::size_t tasks = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const assay::sim::Options options = assay::sim::options_from_seed(seed);
    const assay::sim::Verdict verdict = assay::sim::simulate(options);
    for (const auto& [mark, hits] : verdict.marks) marks[mark] += hits;
    tasks += verdict.tasks;
    if (!verdict.wrong.empty()) {
      std::printf("FAILED: %s\n%s\nreplay: simulation --seed %llu\n", verdict.wrong.c_str(),
                  assay::sim::describe(options).c_str(), static_cast<unsigned long long>(seed));
      return 1;
    }
  }
  std::printf("%llu seeds from %llu: every promise kept, %zu tasks\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(first),
              tasks);
  int missing = 0;
  for (const char* mark : kMarks) {
    std::printf("  %-19s %llu\n", mark, static_cast<unsigned long long>(marks[mark]));
    if (marks[mark] == 0) ++missing;
  }
  if (demand_marks && missing > 0) {
    std::printf("FAILED: %d rare paths were never taken; these seeds test too little\n", missing);
    return 1;
  }
  return 0;
}
