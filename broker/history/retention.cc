// What is too old, or too much, goes.
#include <algorithm>

#include "broker/history/history.h"
#include "broker/history/limits.h"

namespace assay::history {

// One small step; the next one follows when there was more, after whatever was offered meanwhile.
Status History::retain() {
  if (!retention_goes_on_ && std::chrono::steady_clock::now() < next_retention_)
    return Status::ok();
  const Retention& rules = options_.retention;
  const Time now = options_.now();
  const auto oldest_day = std::chrono::floor<std::chrono::days>(now - rules.usage_kept_for);
  Status status = projection_.erase_usage_before(oldest_day);
  if (!status.is_ok()) return status;
  const auto tasks = retain_tasks();
  if (!tasks.is_ok()) return tasks.status();
  const auto events = retain_events();
  if (!events.is_ok()) return events.status();
  retention_goes_on_ = *tasks + *events > 0;
  if (!retention_goes_on_) next_retention_ = std::chrono::steady_clock::now() + rules.every;
  const std::lock_guard lock(mutex_);
  counters_.erased_tasks += *tasks;
  counters_.ended_tasks = projection_.ended_tasks();
  return Status::ok();
}

Result<std::size_t> History::retain_tasks() {
  const Retention& rules = options_.retention;
  const auto by_age =
      projection_.erase_ended_before(options_.now() - rules.ended_kept_for, kRetentionStepTasks);
  if (!by_age.is_ok()) return by_age;
  std::size_t erased = by_age.value();
  if (projection_.ended_tasks() > rules.ended_kept_max) {
    const auto excess = projection_.ended_tasks() - rules.ended_kept_max;
    const auto by_count = projection_.erase_ended_before(
        Time::max(), std::min<std::size_t>(excess, kRetentionStepTasks));
    if (!by_count.is_ok()) return by_count;
    erased += by_count.value();
  }
  return erased;
}

Result<std::size_t> History::retain_events() {
  const Retention& rules = options_.retention;
  const auto by_age =
      projection_.erase_events_before(options_.now() - rules.events_kept_for, kRetentionStepEvents);
  if (!by_age.is_ok()) return by_age;
  std::size_t erased = by_age.value();
  if (projection_.events() > rules.events_kept_max) {
    const auto excess = projection_.events() - rules.events_kept_max;
    const auto by_count = projection_.erase_events_before(
        Time::max(), std::min<std::size_t>(excess, kRetentionStepEvents));
    if (!by_count.is_ok()) return by_count;
    erased += by_count.value();
  }
  return erased;
}

}  // namespace assay::history
