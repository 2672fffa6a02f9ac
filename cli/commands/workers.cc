// assay workers: who is there, and what each has in its hands.
#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

std::string joined(std::vector<QueueName> queues) {
  std::sort(queues.begin(), queues.end());
  std::string text;
  for (const QueueName& queue : queues) {
    text += (text.empty() ? "" : ",") + printable(queue.value, 64);
  }
  return text;
}

std::string joined(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [label, value] : labels) {
    text += (text.empty() ? "" : ",") + printable(label, 64) + "=" + printable(value, 64);
  }
  return text.empty() ? "-" : text;
}

}  // namespace

ExitCode run(const WorkersOptions& /*options*/, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::vector<WorkerInfo>> workers = client->workers();
  if (!workers.is_ok()) return report(console, global, workers.status());
  if (global.json) {
    console.print(to_json(*workers));
    return ExitCode::kOk;
  }
  if (workers->empty()) {
    console.print("no worker is connected");
    return ExitCode::kOk;
  }
  Table table{{{"WORKER"},
               {"QUEUES"},
               {"RUNNING", true},
               {"SLOTS", true},
               {"HEARD"},
               {"JOINED"},
               {"STATE"},
               {"LABELS"}},
              {}};
  for (const WorkerInfo& worker : *workers) {
    const Duration silent(
        static_cast<std::int64_t>(std::clamp(worker.silent_seconds, 0.0, 1e12) * 1000));
    table.rows.push_back({{printable(worker.name.value, 64), Ink::kBold},
                          joined(worker.queues),
                          std::to_string(worker.running),
                          std::to_string(worker.slots),
                          format_relative(now() - silent, now()),
                          format_relative(worker.joined_at, now()),
                          worker.draining ? Span("draining", Ink::kYellow) : Span("open"),
                          joined(worker.labels)});
  }
  console.print(table);
  return ExitCode::kOk;
}

}  // namespace assay::cli
