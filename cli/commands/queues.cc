// assay queues: what waits, what runs, and who could take it.
#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

Duration seconds(double count) {
  return Duration(static_cast<std::int64_t>(std::min(std::max(count, 0.0), 1e12) * 1000));
}

}  // namespace

ExitCode run(const QueuesOptions& /*options*/, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::vector<QueueInfo>> queues = client->queues();
  if (!queues.is_ok()) return report(console, global, queues.status());
  if (global.json) {
    console.print(to_json(*queues));
    return ExitCode::kOk;
  }
  Table table{{{"QUEUE"},
               {"QUEUED", true},
               {"RUNNING", true},
               {"WAITING", true},
               {"OLDEST", true},
               {"WORKERS", true},
               {"SLOTS", true},
               {"STATE"}},
              {}};
  for (const QueueInfo& queue : *queues) {
    // Work that nobody can take is what an operator must see.
    const bool stuck = queue.queued > 0 && queue.workers == 0;
    table.rows.push_back({{printable(queue.name.value, 64), Ink::kBold},
                          std::to_string(queue.queued),
                          std::to_string(queue.running),
                          std::to_string(queue.waiting),
                          queue.queued == 0 ? "-" : format_duration(seconds(queue.oldest_seconds)),
                          {std::to_string(queue.workers), stuck ? Ink::kRed : Ink::kPlain},
                          std::to_string(queue.capacity),
                          queue.paused ? Span("paused", Ink::kYellow) : Span("open")});
  }
  console.print(table);
  return ExitCode::kOk;
}

}  // namespace assay::cli
