// Any bytes at all into the decoders. The first eight are the header, the rest the payload. What is
// understood must mean the same after it has been written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sdk/wire/codec.h"

namespace {

using namespace assay;

void decode_message(std::string_view header, std::string_view payload) {
  const Result<Message> message = wire::decode(header, payload);
  if (!message.is_ok()) {
    ASSAY_ASSERT(!message.status().reason().empty() && !message.status().message().empty());
    static_cast<void>(wire::peek_request(payload));
    return;
  }
  const wire::Frames frames = wire::encode(*message);
  const Result<Message> again = wire::decode(frames.header, frames.payload);
  // The bytes are compared, not the values: a number that is no number does not equal itself.
  ASSAY_ASSERT(again.is_ok() && wire::encode(*again) == frames);
}

void decode_event(std::string_view payload) {
  const Result<FeedEvent> event = wire::decode_event(payload);
  if (!event.is_ok()) return;
  const wire::EventFrames frames = wire::encode_event(*event);
  const Result<FeedEvent> again = wire::decode_event(frames.payload);
  ASSAY_ASSERT(again.is_ok() && wire::encode_event(*again) == frames);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view header = bytes.substr(0, wire::kHeaderBytes);
  const std::string_view payload = bytes.substr(header.size());
  decode_message(header, payload);
  decode_event(payload);
  return 0;
}
