// The only ways by which text gets into a page.
#ifndef ASSAY_WORKERS_REPORT_HTML_ESCAPE_H_
#define ASSAY_WORKERS_REPORT_HTML_ESCAPE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "workers/report/text/visible.h"

namespace assay::report {

// For content and for attribute values in double quotes: made visible, then & < > " ' escaped.
std::string html(std::string_view text, std::size_t bytes_max = 2000, Lines lines = Lines::kOne);

// A JSON string with its quotes that may stand in a script element: made visible, and no < > & in
// it.
std::string script_string(std::string_view text, std::size_t bytes_max);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_HTML_ESCAPE_H_
