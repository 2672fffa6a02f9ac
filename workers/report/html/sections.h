// The parts of the page, each HTML that stands by itself; empty when there is nothing to say.
#ifndef ASSAY_WORKERS_REPORT_HTML_SECTIONS_H_
#define ASSAY_WORKERS_REPORT_HTML_SECTIONS_H_

#include <string>

#include "workers/report/report.h"

namespace assay::report {

std::string head_section(const Report& report);
std::string infrastructure_section(const Report& report);
std::string failures_section(const Report& report);
std::string regression_section(const Report& report);
std::string comparison_section(const Report& report);
std::string distribution_section(const Report& report);
std::string runs_section(const Report& report);
std::string sla_section(const Report& report);
// The table's frame; the page's script fills it from table_data.
std::string tests_section(const Report& report);
// All tests as columns, JSON for a script element.
std::string table_data(const Report& report);

std::string badge(const std::string& word);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_HTML_SECTIONS_H_
