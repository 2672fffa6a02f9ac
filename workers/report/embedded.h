// Files of the tree that are part of the program, by their names without extension.
#ifndef ASSAY_WORKERS_REPORT_EMBEDDED_H_
#define ASSAY_WORKERS_REPORT_EMBEDDED_H_

#include <map>
#include <string>

namespace assay::report {

std::map<std::string, std::string> embedded_page();  // "style", "script"

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_EMBEDDED_H_
