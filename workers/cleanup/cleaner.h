// A cleanup task from its body to its outcome. Each step may be the last: killed anywhere, the next
// run finds what is left and goes on.
#ifndef ASSAY_WORKERS_CLEANUP_CLEANER_H_
#define ASSAY_WORKERS_CLEANUP_CLEANER_H_

#include <functional>
#include <memory>
#include <string>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "workers/cleanup/broker_view.h"
#include "workers/cleanup/policy.h"

namespace assay::cleanup {

struct CleanerSettings {
  std::string data_folder;     // audit.jsonl lies there
  std::string reports_folder;  // empty: reports on disk are left alone
  Policy policy;
  std::function<std::unique_ptr<BrokerView>()> broker;
  std::function<Time()> now;
};

// Thread: run() one at a time.
class Cleaner {
 public:
  // `artifacts` may be null: then they are left alone.
  Cleaner(CleanerSettings settings, ArtifactStore* artifacts)
      : settings_(std::move(settings)), artifacts_(artifacts) {}

  // Its result: what went (or would go), with sizes (docs/cleanup.md).
  TaskOutcome run(const TaskAssignment& task, TaskContext& context) const;

 private:
  CleanerSettings settings_;
  ArtifactStore* artifacts_;
};

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_CLEANER_H_
