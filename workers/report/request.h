// What a report task asks for: its body, a JSON object (docs/reports.md).
#ifndef ASSAY_WORKERS_REPORT_REQUEST_H_
#define ASSAY_WORKERS_REPORT_REQUEST_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay::report {

// Which ended tasks of the broker a report is about, the newest first.
struct Query {
  std::string queue = "eval";
  std::string owner;                          // empty: everybody's
  std::map<std::string, std::string> labels;  // all of these
  std::optional<Duration> since;              // submitted in the last so long
  std::uint32_t limit = 1000;
};

struct CompareRequest {
  std::vector<std::string> by;  // settings, labels; empty: what differs between the runs
  std::string metric = "score";
  bool larger_is_better = true;
};

struct SlaRequest {
  std::optional<double> expected_seconds;  // from the first attempt to the end
  std::optional<double> deadline_seconds;  // from submitted to the end
};

struct Request {
  std::string title = "Evaluation report";
  std::set<std::string> formats{"csv", "html", "json", "junit", "markdown"};
  std::optional<Query> query;    // without it: the tasks that it comes after
  std::vector<TaskId> baseline;  // to compare with; or
  bool baseline_last = false;    // the last run before with the same names
  CompareRequest compare;
  SlaRequest sla;
  std::vector<std::string> webhooks;  // names of the worker's configuration
};

// An empty body is a report of the tasks that it comes after. Errors: `invalid_report` (fix_input),
// which names the key, what was expected and what was found.
Result<Request> read_request(std::string_view body);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_REQUEST_H_
