// The life of a task as a table: which change is possible in which state, and where it leads. A
// missing entry is refused. docs/lifecycle.md draws it.
#ifndef ASSAY_BROKER_CORE_TRANSITION_H_
#define ASSAY_BROKER_CORE_TRANSITION_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "assay/task.h"

namespace assay::core {

enum class Change : std::uint8_t {
  kLeased,      // given to a worker
  kReturned,    // its attempt is over, it runs again
  kDelayed,     // the same, but not yet
  kReady,       // its time has come
  kHeld,        // it is quarantined
  kEndedWell,   // succeeded; while it waits: as the task whose run it shares
  kEndedBadly,  // failed; the same
  kGivenUp,     // dead
  kCalledOff,   // cancelled
  kRevived,     // dead, and given another life
};
std::string_view to_string(Change change);

// The state after `change`, or nothing when it can't happen in `from`.
std::optional<TaskState> next_state(TaskState from, Change change);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_TRANSITION_H_
