// What a sweep did with one kind of thing.
#ifndef ASSAY_WORKERS_CLEANUP_TALLY_H_
#define ASSAY_WORKERS_CLEANUP_TALLY_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "workers/cleanup/plan.h"

namespace assay::cleanup {

// One kind of thing, what went of it and what was spared.
struct Tally {
  std::uint64_t removed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t referenced = 0;  // spared: a task needs it
  std::uint64_t labelled = 0;    // spared: its task bears a label to keep it
  std::uint64_t young = 0;       // spared: it was stored again meanwhile
};

using Gone = std::pair<std::string, Doomed>;  // its kind, and what it was

// The result of a sweep (docs/cleanup.md).
std::string to_json(bool dry_run, const std::map<std::string, Tally>& tallies,
                    const std::vector<Gone>& gone);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_TALLY_H_
