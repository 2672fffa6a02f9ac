// What is kept, and for how long. A task may narrow or widen it for one run (docs/cleanup.md).
#ifndef ASSAY_WORKERS_CLEANUP_POLICY_H_
#define ASSAY_WORKERS_CLEANUP_POLICY_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::cleanup {

// A bound of zero is none.
struct Retention {
  Duration keep_for{0};
  std::uint64_t keep_count = 0;
  std::uint64_t keep_bytes = 0;
};

struct Policy {
  bool dry_run = false;
  // Nothing younger goes, whatever the bounds say: somebody may be about to refer to it.
  Duration safety_delay{24 * 3600 * 1000};
  Retention artifacts{.keep_for = Duration(std::int64_t{30} * 24 * 3600 * 1000)};
  Retention reports{.keep_for = Duration(std::int64_t{90} * 24 * 3600 * 1000)};  // files on disk
  Retention tasks{.keep_for = Duration(std::int64_t{30} * 24 * 3600 * 1000)};    // ended ones
  // Tasks that bear one of these labels with this value are kept, and what is named under them.
  std::map<std::string, std::string> keep_labels{{"keep", "true"}};
};

// The policy with what a task's body (a JSON object) says instead. Errors: `invalid_cleanup`
// (fix_input), which names the key.
Result<Policy> read_policy(std::string_view body, Policy configured);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_POLICY_H_
