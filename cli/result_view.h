// A result for people: what it means first, what went wrong next, then figures.
#ifndef ASSAY_CLI_RESULT_VIEW_H_
#define ASSAY_CLI_RESULT_VIEW_H_

#include <vector>

#include "assay/task.h"
#include "cli/result_document.h"
#include "cli/text/line.h"

namespace assay::cli {

// An evaluation's result as lines: verdict, tests that did not pass with their reasons, scores,
// usage, and where to see more. At most a few dozen tests are listed; the rest is counted.
std::vector<Line> result_lines(const TaskResult& task, const ResultDocument& document);

// The end of any other task: its state, reason, and the beginning of its result.
std::vector<Line> result_lines(const TaskResult& task);

// "01J... succeeded in attempt 1" for lists.
Line ended_line(const TaskResult& task);

}  // namespace assay::cli

#endif  // ASSAY_CLI_RESULT_VIEW_H_
