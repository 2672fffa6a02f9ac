// Every bound of the wire, each with a name, its unit and a test. A message that breaks one is
// answered `malformed_message` with the field, the bound and what was found; it is never cut in
// silence. docs/protocol.md lists these for other languages: change both, and the tests hold them
// together.
#ifndef ASSAY_SDK_WIRE_LIMITS_H_
#define ASSAY_SDK_WIRE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace assay::wire {

// A task's body, and the result of one.
inline constexpr std::size_t kBodyBytesMax = std::size_t{16} << 20;
// Both frames. The slack lets one body of the greatest size travel with everything else about its
// task.
inline constexpr std::size_t kMessageBytesMax = kBodyBytesMax + (std::size_t{1} << 20);
// Any list: the tasks of a SUBMIT, the ids of an AWAIT, the events of an EVENT_LIST.
inline constexpr std::size_t kListItemsMax = 10'000;
// Text for people: a reason, a message, the lines of one log report. Longer is for the sender to
// split.
inline constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kNameBytesMax = 64;  // a queue, an owner, a worker: assay::valid_name
inline constexpr std::size_t kLabelCountMax = 64;
inline constexpr std::size_t kLabelKeyBytesMax = 128;
inline constexpr std::size_t kLabelValueBytesMax = 1024;
// How deep an unknown value may nest before its message is refused; ours need four.
inline constexpr int kNestingMax = 16;
// The last millisecond of the year 9999, and about 31 years: sums of the two stay far from
// overflow.
inline constexpr std::uint64_t kTimeMsMax = 253'402'300'799'999;
inline constexpr std::uint64_t kDurationMsMax = 1'000'000'000'000;

static_assert(kLabelCountMax * (kLabelKeyBytesMax + kLabelValueBytesMax) + kTextBytesMax <
                  kMessageBytesMax - kBodyBytesMax,
              "a task with the largest body, labels and reason must fit one message");
static_assert(kListItemsMax * kNameBytesMax < kMessageBytesMax);

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_LIMITS_H_
