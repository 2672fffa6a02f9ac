// assay usage: what owners, or queues, have used, as the broker's history sums it.
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

std::string hours(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", seconds / 3600);
  return text;
}

}  // namespace

ExitCode run(const UsageOptions& options, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  UsageRequest request;
  request.by = options.by == "queue" ? UsageBy::kQueue : UsageBy::kOwner;
  if (options.since) request.since = now() - *options.since;
  const Result<std::vector<UsageRow>> usage = client->usage(request);
  if (!usage.is_ok()) return report(console, global, usage.status());
  if (global.json) {
    console.print(to_json(*usage));
    return ExitCode::kOk;
  }
  if (usage->empty()) {
    console.print("nothing was used");
    return ExitCode::kOk;
  }
  Table table{{{options.by == "queue" ? "QUEUE" : "OWNER"},
               {"TASKS", true},
               {"SUCCEEDED", true},
               {"FAILED", true},
               {"HOURS", true},
               {"CPU HOURS", true},
               {"GPU HOURS", true},
               {"GIB HOURS", true}},
              {}};
  for (const UsageRow& row : *usage) {
    table.rows.push_back({{printable(row.key, 64), Ink::kBold},
                          std::to_string(row.tasks),
                          std::to_string(row.succeeded),
                          std::to_string(row.failed),
                          hours(row.usage.wall_seconds),
                          hours(row.usage.cpu_seconds),
                          hours(row.usage.gpu_seconds),
                          hours(row.usage.memory_byte_seconds / (1 << 30))});
  }
  console.print(table);
  return ExitCode::kOk;
}

}  // namespace assay::cli
