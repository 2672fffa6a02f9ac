// Which types of members travel as integers, for both directions of the codec.
#ifndef ASSAY_SDK_WIRE_VALUE_TYPES_H_
#define ASSAY_SDK_WIRE_VALUE_TYPES_H_

#include <concepts>
#include <type_traits>

#include "assay/message.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay::wire {

// The last number of each enumeration; the first is 0.
constexpr auto last_of(TaskState) {
  return TaskState::kCancelled;
}
constexpr auto last_of(Cause) {
  return Cause::kSafety;
}
constexpr auto last_of(Outcome) {
  return Outcome::kHandOver;
}
constexpr auto last_of(OnFailure) {
  return OnFailure::kRun;
}
constexpr auto last_of(Operation) {
  return Operation::kUnpin;
}
constexpr auto last_of(EventKind) {
  return EventKind::kDead;
}
constexpr auto last_of(UsageBy) {
  return UsageBy::kQueue;
}
constexpr auto last_of(Code) {
  return Code::kInternal;
}

template <typename T>
concept Enumeration = std::is_enum_v<T>;
template <typename T>
concept Number = std::unsigned_integral<T> && !std::same_as<T, bool>;

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_VALUE_TYPES_H_
