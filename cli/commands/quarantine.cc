// assay quarantine: what kept killing workers, and its release.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kKeyColumns = 120;
constexpr std::size_t kReasonColumns = 60;

ExitCode list(Client& client, const GlobalOptions& global, Console& console) {
  const Result<std::vector<QuarantineInfo>> quarantines = client.quarantines();
  if (!quarantines.is_ok()) return report(console, global, quarantines.status());
  if (global.json) {
    console.print(to_json(*quarantines));
    return ExitCode::kOk;
  }
  if (quarantines->empty()) {
    console.print("nothing is quarantined");
    return ExitCode::kOk;
  }
  Table table{{{"KEY"}, {"SINCE"}, {"LOST", true}, {"HELD", true}, {"LAST"}}, {}};
  for (const QuarantineInfo& quarantine : *quarantines) {
    table.rows.push_back({{printable(quarantine.key, kKeyColumns), Ink::kBold},
                          format_relative(quarantine.since, now()),
                          std::to_string(quarantine.losses),
                          std::to_string(quarantine.held),
                          printable(quarantine.reason, kReasonColumns)});
  }
  console.print(table);
  return ExitCode::kOk;
}

}  // namespace

ExitCode run(const QuarantineOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  if (options.action == "list") return list(*client, global, console);
  const Result<std::uint64_t> affected =
      operate(*client, Operation::kReleaseQuarantine, options.key);
  if (!affected.is_ok()) return report(console, global, affected.status());
  console.print(global.json ? affected_to_json(*affected)
                            : printable(options.key, kKeyColumns) +
                                  " is released; what it held is queued again");
  return ExitCode::kOk;
}

}  // namespace assay::cli
