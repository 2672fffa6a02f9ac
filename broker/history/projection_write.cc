// What the projection has in memory goes into the tables, and what is old out of them.
#include <algorithm>

#include "broker/history/limits.h"
#include "broker/history/projection.h"

namespace assay::history {

void Projection::add_usage(const Work& work, Time at, const Usage& used) {
  if (!fresh_ || used == Usage()) return;
  UsageSum& sum = usage(work, at);
  sum.cpu_seconds += used.cpu_seconds;
  sum.memory_byte_seconds += used.memory_byte_seconds;
  sum.gpu_seconds += used.gpu_seconds;
}

bool Projection::is_full() const {
  return pending_records_ >= kTransactionRecordsMax || works_.size() >= kTransactionTasksMax ||
         pending_result_bytes_ >= kTransactionResultBytesMax;
}

Status Projection::write(const Work& work) {
  const std::int64_t key = work.task.key;
  Status status;
  if (work.supersedes) status = store_.erase(*work.supersedes);
  if (work.erased) return work.is_new || !status.is_ok() ? status : store_.erase(key);
  if (work.changed && status.is_ok()) {
    status = work.is_new ? store_.insert(work.task) : store_.update(work.task, work.stored_end);
  }
  for (const AttemptRow& attempt : work.attempts) {
    if (status.is_ok()) status = store_.save(key, attempt);
  }
  if (work.result && status.is_ok()) status = store_.save_result(key, *work.result);
  return status;
}

Status Projection::commit() {
  if (!dirty_) return Status::ok();
  // In the order of the table, each of its pages is looked for once.
  std::vector<const Work*> in_order;
  in_order.reserve(works_.size());
  for (const Work& work : works_) in_order.push_back(&work);
  std::sort(in_order.begin(), in_order.end(),
            [](const Work* a, const Work* b) { return a->task.key < b->task.key; });
  Transaction transaction(*database_);
  Status status = transaction.begin();
  for (const Work* work : in_order) {
    if (status.is_ok()) status = write(*work);
  }
  for (const auto& [key, sum] : usage_) {
    if (status.is_ok()) status = store_.add(key, sum);
  }
  for (const FeedEvent& event : events_) {
    if (status.is_ok()) status = store_.insert(event);
  }
  if (status.is_ok()) status = store_.save(meta_);
  if (status.is_ok()) status = transaction.commit();
  if (status.is_ok()) {
    committed_ = meta_;
    ++counters_.transactions;
    for (const Work& work : works_) {
      if (work.is_new) last_id_ = std::max(last_id_.value_or(work.task.row.id), work.task.row.id);
    }
  }
  discard();
  return status;
}

void Projection::discard() {
  meta_ = committed_;
  works_.clear();
  index_.clear();
  usage_.clear();
  events_.clear();
  pending_records_ = 0;
  pending_result_bytes_ = 0;
  dirty_ = false;
}

Result<std::size_t> Projection::erase_ended_before(Time before, std::size_t limit) {
  if (Status status = commit(); !status.is_ok()) return status;
  const auto keys = store_.ended_before(before, limit);
  if (!keys.is_ok()) return keys.status();
  if (keys.value().empty()) return std::size_t{0};
  Transaction transaction(*database_);
  Status status = transaction.begin();
  for (const std::int64_t key : keys.value()) {
    if (status.is_ok()) status = store_.erase(key);
  }
  Meta meta = committed_;
  meta.ended_tasks -= keys.value().size();
  if (status.is_ok()) status = store_.save(meta);
  if (status.is_ok()) status = transaction.commit();
  if (!status.is_ok()) return status;
  meta_ = committed_ = meta;
  return keys.value().size();
}

Result<std::size_t> Projection::erase_events_before(Time before, std::size_t limit) {
  if (Status status = commit(); !status.is_ok()) return status;
  Transaction transaction(*database_);
  if (Status status = transaction.begin(); !status.is_ok()) return status;
  const auto erased = store_.erase_events_before(before, limit);
  if (!erased.is_ok()) return erased.status();
  if (*erased == 0) return std::size_t{0};
  Meta meta = committed_;
  meta.events -= std::min(meta.events, *erased);
  Status status = store_.save(meta);
  if (status.is_ok()) status = transaction.commit();
  if (!status.is_ok()) return status;
  meta_ = committed_ = meta;
  return static_cast<std::size_t>(*erased);
}

}  // namespace assay::history
