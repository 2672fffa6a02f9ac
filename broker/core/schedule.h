// Schedules: tasks that the broker submits by the clock.
#ifndef ASSAY_BROKER_CORE_SCHEDULE_H_
#define ASSAY_BROKER_CORE_SCHEDULE_H_

#include <string>

#include "assay/ids.h"
#include "assay/task.h"
#include "broker/core/cron.h"

namespace assay::core {

// As configured.
struct Schedule {
  std::string line;  // the cron line as it was written
  Cron cron;
  std::string zone = "UTC";
  ZoneOffsets offsets;  // of that zone
  TaskSpec task;        // what is submitted each time, but for its id
};

// What is remembered of a schedule over restarts. A due time is settled when the task that it asks
// for and this are durable, in one batch: it is submitted once.
struct ScheduleState {
  std::string line;  // what `settled` was counted by; another line or zone begins anew
  std::string zone;
  Time settled{};   // no due time up to here is submitted any more
  Time last_due{};  // the latest that was; the epoch: none yet
  TaskId last_task;

  friend bool operator==(const ScheduleState&, const ScheduleState&) = default;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_SCHEDULE_H_
