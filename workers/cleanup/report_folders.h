// The folders that assay-report writes, as things that are kept for a time.
#ifndef ASSAY_WORKERS_CLEANUP_REPORT_FOLDERS_H_
#define ASSAY_WORKERS_CLEANUP_REPORT_FOLDERS_H_

#include <string>
#include <vector>

#include "workers/cleanup/plan.h"

namespace assay::cleanup {

// Those below `folder` whose name is a task's id, each with its size. Others are not ours.
std::vector<Item> reports_in(const std::string& folder);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_REPORT_FOLDERS_H_
