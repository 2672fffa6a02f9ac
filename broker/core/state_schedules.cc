// What the state remembers of schedules.
#include <algorithm>

#include "broker/core/state.h"

namespace assay::core {

Result<Applied> State::on(const ScheduleSet& record, Location) {
  schedules_[record.name] = record.state;
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const ScheduleFired& record, Location) {
  // One whose ScheduleSet was compacted away is known by this alone; the start completes it.
  ScheduleState& schedule = schedules_[record.name];
  if (record.due <= schedule.settled) {
    return Status(Code::kDataLoss, "impossible_record",
                  "the schedule " + record.name + " made " + record.id.text() +
                      " for a time that was settled");
  }
  schedule.settled = schedule.last_due = record.due;
  schedule.last_task = record.id;
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const ScheduleRemoved& record, Location) {
  schedules_.erase(record.name);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

}  // namespace assay::core
