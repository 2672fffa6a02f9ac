// Files of the tree that are part of the program, by their names without extension.
#ifndef ASSAY_WORKERS_EVAL_EMBEDDED_H_
#define ASSAY_WORKERS_EVAL_EMBEDDED_H_

#include <map>
#include <string>

namespace assay::eval {

std::map<std::string, std::string> embedded_runner();  // "runner"
std::map<std::string, std::string> embedded_suites();

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EMBEDDED_H_
