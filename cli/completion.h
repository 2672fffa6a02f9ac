// Scripts that complete the command line in a shell.
#ifndef ASSAY_CLI_COMPLETION_H_
#define ASSAY_CLI_COMPLETION_H_

#include <string>
#include <vector>

#include "cli/command_description.h"

namespace assay::cli {

// To be sourced, or installed as share/bash-completion/completions/assay.
std::string bash_completion(const std::vector<CommandDescription>& commands);
// To be installed as _assay in a folder of $fpath.
std::string zsh_completion(const std::vector<CommandDescription>& commands);

}  // namespace assay::cli

#endif  // ASSAY_CLI_COMPLETION_H_
