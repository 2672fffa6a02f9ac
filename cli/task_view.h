// Everything that the broker knows of a task, for people.
#ifndef ASSAY_CLI_TASK_VIEW_H_
#define ASSAY_CLI_TASK_VIEW_H_

#include <optional>
#include <vector>

#include "assay/task.h"
#include "cli/text/line.h"

namespace assay::cli {

// `last`: the last progress event of the current attempt, if one is kept.
std::vector<Line> task_lines(const TaskInfo& task, const std::optional<FeedEvent>& last, Time now);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TASK_VIEW_H_
