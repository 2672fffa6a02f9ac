// A pipeline for people and programs: what it will do, and how it ended.
#ifndef ASSAY_CLI_PIPELINE_VIEW_H_
#define ASSAY_CLI_PIPELINE_VIEW_H_

#include <map>
#include <string>

#include "assay/pipeline.h"
#include "assay/task.h"
#include "cli/text/table.h"

namespace assay::cli {

// Each task, its queue, and the tasks it waits for.
Table plan_table(const Pipeline& pipeline);

// Each task, how it ended, in what time of its attempt where the result says so, and why. What has
// not ended is said to go on.
Table ends_table(const Pipeline& pipeline, const std::map<TaskId, TaskResult>& ended);

// {"run", "name", "steps": [{"step", "id", "queue", "after": [...], "result": {...} or null}]}
std::string pipeline_to_json(const Pipeline& pipeline, const TaskId& run,
                             const std::map<TaskId, TaskResult>& ended);

}  // namespace assay::cli

#endif  // ASSAY_CLI_PIPELINE_VIEW_H_
