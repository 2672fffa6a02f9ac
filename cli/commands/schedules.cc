// assay schedules: what the broker submits by the clock.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {

ExitCode run(const SchedulesOptions& /*options*/, const GlobalOptions& global, Console& console) {
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  const Result<std::vector<ScheduleInfo>> schedules = client->schedules();
  if (!schedules.is_ok()) return report(console, global, schedules.status());
  if (global.json) {
    console.print(to_json(*schedules));
    return ExitCode::kOk;
  }
  if (schedules->empty()) {
    console.print("the broker has no schedules; they stand in its configuration");
    return ExitCode::kOk;
  }
  Table table{{{"SCHEDULE"}, {"CRON"}, {"QUEUE"}, {"NEXT"}, {"LAST"}, {"LAST TASK"}}, {}};
  for (const ScheduleInfo& schedule : *schedules) {
    const auto when = [](const std::optional<Time>& time) {
      return time ? format_relative(*time, now()) : std::string("-");
    };
    table.rows.push_back({{printable(schedule.name, 64), Ink::kBold},
                          printable(schedule.cron, 64),
                          printable(schedule.queue.value, 64),
                          when(schedule.next_at),
                          when(schedule.last_at),
                          schedule.last_task == TaskId() ? "-" : schedule.last_task.text()});
  }
  console.print(table);
  return ExitCode::kOk;
}

}  // namespace assay::cli
