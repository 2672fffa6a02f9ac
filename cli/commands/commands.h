// The commands, each in a file of its own: what it was asked for in, its exit status out.
#ifndef ASSAY_CLI_COMMANDS_COMMANDS_H_
#define ASSAY_CLI_COMMANDS_COMMANDS_H_

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/exit_code.h"

namespace assay::cli {

ExitCode run(const UpOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const KeygenOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const EvalOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const BuildOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const RunOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const SubmitOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const BenchOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const WaitOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ResultOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const StatusOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ExplainOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const LogsOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const CancelOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ListOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const QueuesOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const SchedulesOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const UsageOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const WorkersOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const PauseOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ResumeOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const PurgeOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const DrainOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const DeadOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const QuarantineOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ArtifactsOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const WatchOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const CompletionOptions& options, const GlobalOptions& global, Console& console);
ExitCode run(const ManualOptions& options, const GlobalOptions& global, Console& console);

}  // namespace assay::cli

#endif  // ASSAY_CLI_COMMANDS_COMMANDS_H_
