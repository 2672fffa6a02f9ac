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
  const auto schedule = schedules_.find(record.name);
  if (schedule == schedules_.end() || record.due <= schedule->second.settled) {
    return Status(Code::kDataLoss, "impossible_record",
                  "the schedule " + record.name + " made " + record.id.text() +
                      " for a time that was settled");
  }
  schedule->second.settled = schedule->second.last_due = record.due;
  schedule->second.last_task = record.id;
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

Result<Applied> State::on(const ScheduleRemoved& record, Location) {
  schedules_.erase(record.name);
  last_sequence_ = std::max(last_sequence_, record.sequence);
  return Applied();
}

}  // namespace assay::core
