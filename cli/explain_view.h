// Why a task stands where it does, for people and programs.
#ifndef ASSAY_CLI_EXPLAIN_VIEW_H_
#define ASSAY_CLI_EXPLAIN_VIEW_H_

#include <string>
#include <vector>

#include "assay/inspect.h"
#include "cli/text/line.h"

namespace assay::cli {

// The state, the reasons in the order of their weight, the estimate, then the figures.
std::vector<Line> explanation_lines(const Explanation& task, Time now);

// Every field of the Explanation under its own name; times in UTC, what is absent null.
std::string to_json(const Explanation& task);

}  // namespace assay::cli

#endif  // ASSAY_CLI_EXPLAIN_VIEW_H_
