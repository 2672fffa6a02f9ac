#include "broker/history/task_columns.h"

#include "broker/history/labels_json.h"

namespace assay::history {

TaskRow task_in(const Statement& row) {
  TaskRow task;
  task.id = TaskId::parse(row.text(1)).value_or(TaskId());
  task.queue = QueueName(row.text(2));
  task.owner = OwnerName(row.text(3));
  task.priority = static_cast<std::uint8_t>(row.integer(4));
  task.state = static_cast<TaskState>(row.integer(5));
  task.cause = static_cast<Cause>(row.integer(6));
  task.reason = row.text(7);
  task.submitted_at = row.time(8);
  task.started_at = row.optional_time(9);
  task.ended_at = row.optional_time(10);
  task.cancel_requested_at = row.optional_time(11);
  task.attempts = static_cast<std::uint32_t>(row.integer(12));
  task.max_attempts = static_cast<std::uint32_t>(row.integer(13));
  if (!row.is_null(14)) task.labels = labels_from_json(row.text(14));
  task.result_bytes = row.natural(15);
  return task;
}

AttemptRow attempt_in(const Statement& row) {
  AttemptRow attempt;
  attempt.attempt = Attempt{static_cast<std::uint32_t>(row.integer(0))};
  attempt.worker = WorkerName(row.text(1));
  attempt.started_at = row.time(2);
  attempt.ended_at = row.optional_time(3);
  attempt.cause = static_cast<Cause>(row.integer(4));
  attempt.ended_because = row.text(5);
  attempt.ready_at = row.optional_time(6);
  return attempt;
}

}  // namespace assay::history
