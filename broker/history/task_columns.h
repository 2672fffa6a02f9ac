// The columns of tasks and attempts in the order in which all statements ask for them, and the rows
// made of them.
#ifndef ASSAY_BROKER_HISTORY_TASK_COLUMNS_H_
#define ASSAY_BROKER_HISTORY_TASK_COLUMNS_H_

#include <string_view>

#include "broker/history/rows.h"
#include "broker/history/sqlite.h"

namespace assay::history {

inline constexpr std::string_view kTaskColumns =
    "t.key, t.id, t.queue, t.owner, t.priority, t.state, t.cause, t.reason, t.submitted_at, "
    "t.started_at, t.ended_at, t.cancel_requested_at, t.attempts, t.max_attempts, t.labels, "
    "t.result_bytes";
inline constexpr int kKeyColumn = 0;
inline constexpr int kTaskColumnCount = 16;

inline constexpr std::string_view kAttemptColumns =
    "number, worker, started_at, ended_at, cause, ended_because, ready_at";

// The statement stands on a row with these columns first.
TaskRow task_in(const Statement& row);
AttemptRow attempt_in(const Statement& row);

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_TASK_COLUMNS_H_
