// What the broker knows of tasks, for people: of one everything, of many a line each.
#ifndef ASSAY_CLI_TASK_VIEW_H_
#define ASSAY_CLI_TASK_VIEW_H_

#include <optional>
#include <vector>

#include "assay/task.h"
#include "cli/text/line.h"
#include "cli/text/table.h"

namespace assay::cli {

// `last`: the last progress event of the current attempt, if one is kept.
std::vector<Line> task_lines(const TaskInfo& task, const std::optional<FeedEvent>& last, Time now);

Table task_table(const std::vector<TaskInfo>& tasks, Time now);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TASK_VIEW_H_
