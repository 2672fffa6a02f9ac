// What a command line must hold as a whole, beyond what each option checks by itself.
#ifndef ASSAY_CLI_ARGUMENT_RULES_H_
#define ASSAY_CLI_ARGUMENT_RULES_H_

#include <optional>
#include <string>

#include "cli/arguments.h"

namespace assay::cli {

// What is missing or contradicts itself, in words; nothing when all is well.
std::optional<std::string> mistake_in(const CommandOptions& command);

}  // namespace assay::cli

#endif  // ASSAY_CLI_ARGUMENT_RULES_H_
