// Which runs a report is about, and with which it compares them.
#ifndef ASSAY_WORKERS_REPORT_GATHER_H_
#define ASSAY_WORKERS_REPORT_GATHER_H_

#include <string>
#include <vector>

#include "workers/report/request.h"
#include "workers/report/run.h"
#include "workers/report/task_source.h"

namespace assay::report {

struct Gathered {
  std::vector<Run> runs;
  std::vector<Run> baseline;
  std::vector<std::string> notes;  // what could not be had
};

// The tasks that `task` comes after, or those that match the query. `source` may be null: then only
// inputs can be reported on, without their times and labels. Errors: `nothing_to_report`
// (fix_input), `broker_needed` (fix_input: a query or baseline without `clients`), and those of the
// source.
Result<Gathered> gather(const Request& request, const TaskAssignment& task, TaskSource* source,
                        Time now);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_GATHER_H_
