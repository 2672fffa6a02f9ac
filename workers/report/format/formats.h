// A report in each of its formats. docs/reports.md describes them; the JSON is versioned.
#ifndef ASSAY_WORKERS_REPORT_FORMAT_FORMATS_H_
#define ASSAY_WORKERS_REPORT_FORMAT_FORMATS_H_

#include <string>

#include "workers/report/report.h"

namespace assay::report {

std::string to_json(const Report& report);
std::string to_markdown(const Report& report);
std::string to_junit(const Report& report);
std::string to_csv(const Report& report);
// One page that needs nothing beside it and asks for nothing.
std::string to_html(const Report& report);

// The part of the JSON that fits into a task's result and a webhook: no tests, no logs.
std::string summary_json(const Report& report);

// "2026-07-01 12:30:05 UTC"
std::string time_text(Time time);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_FORMAT_FORMATS_H_
