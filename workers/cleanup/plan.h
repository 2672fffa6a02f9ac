// What would go by age, count and size: pure.
#ifndef ASSAY_WORKERS_CLEANUP_PLAN_H_
#define ASSAY_WORKERS_CLEANUP_PLAN_H_

#include <string>
#include <vector>

#include "workers/cleanup/policy.h"

namespace assay::cleanup {

// Anything that is kept for a time: an artifact, an ended task, a report's folder.
struct Item {
  std::string id;
  Time at{};  // stored last, ended
  std::uint64_t bytes = 0;
};

struct Doomed {
  Item item;
  std::string reason;  // "older than 30d", "more than 1000", "over 10GiB"
};

// Those that go, the oldest first. An item is kept while it is within all bounds, and while it is
// younger than the safety delay.
std::vector<Doomed> plan(std::vector<Item> items, const Retention& retention, Duration safety_delay,
                         Time now);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_PLAN_H_
