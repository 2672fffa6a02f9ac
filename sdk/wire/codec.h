// Bytes to Message and back. It does not know sockets, roles or state: any peer may encode and
// decode any message. docs/protocol.md is the specification, fields.h the table of what stands in
// each message.
#ifndef ASSAY_SDK_WIRE_CODEC_H_
#define ASSAY_SDK_WIRE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "assay/message.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay::wire {

inline constexpr std::string_view kMagic = "ASSAY";
inline constexpr std::size_t kHeaderBytes = 8;  // the magic, the version, the type (big-endian)

// A message on the wire: two ZeroMQ frames.
struct Frames {
  std::string header;
  std::string payload;
  friend bool operator==(const Frames&, const Frames&) = default;
};

// An event on the PUB socket: two frames, the first of which subscriptions match.
struct EventFrames {
  std::string topic;
  std::string payload;
  friend bool operator==(const EventFrames&, const EventFrames&) = default;
};

// Every Message can be encoded; what breaks a limit (limits.h) will be refused by its receiver.
// Thread: any, as all below.
Frames encode(const Message& message);

// The message that two frames hold. Never throws and never reads past them, whatever the bytes.
// Errors, all fix_input: `not_assay` (the header is not one), `unsupported_version`,
// `unknown_message` (a type that this version does not have), `message_too_large`,
// `malformed_message` (the text names the field, what was expected and what was found).
Result<Message> decode(std::string_view header, std::string_view payload);

// The `request` number in a payload that decode refused, as well as it can be told, so that the
// answer finds the question; 0 when there is none. Never throws.
std::uint64_t peek_request(std::string_view payload);

// Thread: any. decode_event's errors: `malformed_message`, `message_too_large`.
EventFrames encode_event(const FeedEvent& event);
Result<FeedEvent> decode_event(std::string_view payload);

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_CODEC_H_
