// assay completion, assay manual: what a package installs beside the program.
#include "cli/completion.h"

#include "cli/command_description.h"
#include "cli/commands/commands.h"
#include "cli/manual.h"

namespace assay::cli {

ExitCode run(const CompletionOptions& options, const GlobalOptions& /*global*/, Console& console) {
  const auto commands = describe_commands();
  console.write(options.shell == "zsh" ? zsh_completion(commands) : bash_completion(commands));
  return ExitCode::kOk;
}

ExitCode run(const ManualOptions& /*options*/, const GlobalOptions& /*global*/, Console& console) {
  console.write(manual_page(describe_commands(), ASSAY_VERSION));
  return ExitCode::kOk;
}

}  // namespace assay::cli
