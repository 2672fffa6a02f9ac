// What the processes of a sandbox use, read from /proc. Knows nothing of sandboxes.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_TREE_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_TREE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace assay::eval {

struct TreeUsage {
  std::size_t processes = 0;
  std::uint64_t resident_bytes = 0;  // shared pages counted for each process
  double cpu_seconds = 0;            // of the living and of those they waited for
};

// The process and all that descend from it. A process that comes or goes meanwhile may be missed.
TreeUsage measure_tree(pid_t root);
// Resident bytes with shared pages counted once. Slower: asked only when resident_bytes is too
// much.
std::uint64_t proportional_bytes(pid_t root);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_TREE_H_
