// The manual page assay(1).
#ifndef ASSAY_CLI_MANUAL_H_
#define ASSAY_CLI_MANUAL_H_

#include <string>
#include <vector>

#include "cli/command_description.h"

namespace assay::cli {

// In the man macros of roff. `version`: "0.1.0".
std::string manual_page(const std::vector<CommandDescription>& commands,
                        const std::string& version);

}  // namespace assay::cli

#endif  // ASSAY_CLI_MANUAL_H_
