// What the projection makes of a checkpoint, and of tasks that are to be forgotten for good.
#include "broker/history/labels_json.h"
#include "broker/history/limits.h"
#include "broker/history/projection.h"

namespace assay::history {

// A dropped dead task stays: history is about those. What retention forgets goes from here too.
Status Projection::on(const core::TaskForgotten& record, const EntryBytes&) {
  if (!record.from_history) return Status::ok();
  const auto found = find(record.id);
  if (!found.is_ok() || *found == nullptr) return found.status();
  Work& work = **found;
  if (!work.task.row.ended_at) return Status::ok();
  --meta_.ended_tasks;
  work.task.row.ended_at.reset();
  work.erased = true;
  return Status::ok();
}

// Known already, unless the history is made anew from a journal that begins with a checkpoint: then
// it is all that is known of the task.
Status Projection::on(const core::TaskCarried& record, const EntryBytes& entry) {
  const core::TaskSubmitted& submitted = record.submitted;
  const auto found = find(submitted.id);
  if (!found.is_ok()) return found.status();
  if (*found != nullptr) {
    ++counters_.repeats;
    return Status::ok();
  }
  index_.emplace(submitted.id, works_.size());
  Work& work = works_.emplace_back();
  work.is_new = work.changed = true;
  work.task.key = ++last_key_;
  work.task.last_sequence = record.sequence;
  TaskRow& row = work.task.row;
  row.id = submitted.id;
  row.queue = submitted.queue;
  row.owner = submitted.owner;
  row.priority = submitted.priority;
  row.max_attempts = submitted.max_attempts;
  row.state = record.state;
  row.cause = record.cause;
  row.reason = record.reason;
  row.submitted_at = submitted.at;
  row.attempts = record.attempt;
  row.labels = readable_labels(submitted.labels);
  for (const AttemptInfo& attempt : record.attempts) {
    if (!row.started_at) row.started_at = attempt.started_at;
    work.attempts.push_back({.attempt = attempt.attempt,
                             .worker = attempt.worker,
                             .started_at = attempt.started_at,
                             .ended_at = attempt.ended_at,
                             .cause = attempt.cause,
                             .ended_because = attempt.ended_because,
                             .ready_at = std::nullopt});
  }
  if (!is_ended(record.state)) return Status::ok();
  row.ended_at = record.changed_at;
  ++meta_.ended_tasks;
  if (record.state == TaskState::kDead) return Status::ok();  // its blob is its body
  row.result_bytes = entry.blob_bytes;
  if (!entry.blob.empty() && entry.blob.size() <= kResultBytesKeptMax) {
    work.result = entry.blob;
    pending_result_bytes_ += entry.blob.size();
  }
  return Status::ok();
}

}  // namespace assay::history
