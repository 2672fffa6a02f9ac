#include "broker/core/transition.h"

#include <algorithm>
#include <array>

namespace assay::core {
namespace {

struct Row {
  TaskState from;
  Change change;
  TaskState to;
};

using enum TaskState;
constexpr std::array kTable{
    Row{kWaiting, Change::kEndedWell, kSucceeded}, Row{kWaiting, Change::kEndedBadly, kFailed},
    Row{kQueued, Change::kHeld, kWaiting},         Row{kWaiting, Change::kReady, kQueued},
    Row{kWaiting, Change::kCalledOff, kCancelled}, Row{kQueued, Change::kLeased, kRunning},
    Row{kQueued, Change::kCalledOff, kCancelled},  Row{kQueued, Change::kGivenUp, kDead},
    Row{kRunning, Change::kReturned, kQueued},     Row{kRunning, Change::kDelayed, kWaiting},
    Row{kRunning, Change::kEndedWell, kSucceeded}, Row{kRunning, Change::kEndedBadly, kFailed},
    Row{kRunning, Change::kGivenUp, kDead},        Row{kRunning, Change::kCalledOff, kCancelled},
    Row{kDead, Change::kRevived, kQueued},
};

}  // namespace

std::string_view to_string(Change change) {
  switch (change) {
    case Change::kLeased:
      return "leased";
    case Change::kReturned:
      return "returned";
    case Change::kDelayed:
      return "delayed";
    case Change::kReady:
      return "ready";
    case Change::kEndedWell:
      return "ended well";
    case Change::kEndedBadly:
      return "ended badly";
    case Change::kGivenUp:
      return "given up";
    case Change::kCalledOff:
      return "called off";
    case Change::kHeld:
      return "held";
    case Change::kRevived:
      return "revived";
  }
  return "unknown";
}

std::optional<TaskState> next_state(TaskState from, Change change) {
  const auto* row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& candidate) {
    return candidate.from == from && candidate.change == change;
  });
  if (row == kTable.end()) return std::nullopt;
  return row->to;
}

}  // namespace assay::core
