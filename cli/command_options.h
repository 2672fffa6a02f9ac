// The flags and arguments of each command: their names, their help, what they check by themselves
// and where their values go.
#ifndef ASSAY_CLI_COMMAND_OPTIONS_H_
#define ASSAY_CLI_COMMAND_OPTIONS_H_

#include "cli/arguments.h"

namespace CLI {
class App;
}  // namespace CLI

namespace assay::cli {

void declare(CLI::App& app, UpOptions& options);
void declare(CLI::App& app, KeygenOptions& options);
void declare(CLI::App& app, EvalOptions& options);
void declare(CLI::App& app, BuildOptions& options);
void declare(CLI::App& app, RunOptions& options);
void declare(CLI::App& app, SubmitOptions& options);
void declare(CLI::App& app, BenchOptions& options);
void declare(CLI::App& app, WaitOptions& options);
void declare(CLI::App& app, ResultOptions& options);
void declare(CLI::App& app, StatusOptions& options);
void declare(CLI::App& app, ExplainOptions& options);
void declare(CLI::App& app, LogsOptions& options);
void declare(CLI::App& app, CancelOptions& options);
void declare(CLI::App& app, ListOptions& options);
void declare(CLI::App& app, PauseOptions& options);
void declare(CLI::App& app, ResumeOptions& options);
void declare(CLI::App& app, PurgeOptions& options);
void declare(CLI::App& app, DrainOptions& options);
void declare(CLI::App& app, DeadOptions& options);
void declare(CLI::App& app, QuarantineOptions& options);
void declare(CLI::App& app, QueuesOptions& options);
void declare(CLI::App& app, UsageOptions& options);
void declare(CLI::App& app, WorkersOptions& options);
inline void declare(CLI::App& /*app*/, SchedulesOptions& /*options*/) {}
void declare(CLI::App& app, ArtifactsOptions& options);
void declare(CLI::App& app, WatchOptions& options);
void declare(CLI::App& app, CompletionOptions& options);
void declare(CLI::App& app, ManualOptions& options);

// Those that every command takes.
void declare_global(CLI::App& app, GlobalOptions& global);

}  // namespace assay::cli

#endif  // ASSAY_CLI_COMMAND_OPTIONS_H_
