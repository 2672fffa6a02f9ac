// Messages to bytes: how each type of value is written, and the walk over fields.h.
#include <algorithm>
#include <array>
#include <concepts>
#include <map>
#include <msgpack.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sdk/wire/codec.h"
#include "sdk/wire/fields.h"
#include "sdk/wire/value_types.h"

namespace assay::wire {
namespace {

struct Sink {
  std::string* bytes;
  void write(const char* data, std::size_t size) { bytes->append(data, size); }
};
using Packer = msgpack::packer<Sink>;

// Sizes of what one process holds in memory; a message of 4 GiB can't be sent anyway.
std::uint32_t size32(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

void write_text(Packer& packer, std::string_view text) {
  packer.pack_str(size32(text.size()));
  packer.pack_str_body(text.data(), size32(text.size()));
}

void write_bytes(Packer& packer, const char* data, std::size_t size) {
  packer.pack_bin(size32(size));
  packer.pack_bin_body(data, size32(size));
}

template <Number T>
void write(Packer& packer, T value, Form) {
  packer.pack_uint64(value);
}
template <Enumeration T>
void write(Packer& packer, T value, Form) {
  packer.pack_uint64(static_cast<std::uint64_t>(value));
}
void write(Packer& packer, bool value, Form) {
  value ? packer.pack_true() : packer.pack_false();
}
void write(Packer& packer, double value, Form) {
  packer.pack_double(value);
}
void write(Packer& packer, const std::string& value, Form form) {
  form == Form::kText ? write_text(packer, value) : write_bytes(packer, value.data(), value.size());
}
void write(Packer& packer, Duration value, Form) {
  packer.pack_int64(value.count());
}
void write(Packer& packer, Time value, Form) {
  packer.pack_int64(value.time_since_epoch().count());
}
void write(Packer& packer, const std::optional<Time>& value, Form form) {
  value ? write(packer, *value, form) : static_cast<void>(packer.pack_nil());
}
void write(Packer& packer, Attempt value, Form) {
  packer.pack_uint32(value.number);
}
void write(Packer& packer, const TaskId& value, Form) {
  std::array<char, 16> bytes{};
  std::copy(value.bytes.begin(), value.bytes.end(), bytes.begin());
  write_bytes(packer, bytes.data(), bytes.size());
}
template <typename Tag>
void write(Packer& packer, const Name<Tag>& value, Form) {
  write_text(packer, value.value);
}
void write(Packer& packer, const std::map<std::string, std::string>& labels, Form) {
  packer.pack_map(size32(labels.size()));
  for (const auto& [key, value] : labels) {
    write_text(packer, key);
    write_text(packer, value);
  }
}

template <Described T>
void write(Packer& packer, const T& value, Form);

template <typename T>
void write(Packer& packer, const std::vector<T>& list, Form form) {
  packer.pack_array(size32(list.size()));
  for (const T& item : list) write(packer, item, form);
}

template <Described T>
void write(Packer& packer, const T& value, Form) {
  [[maybe_unused]] static const T initial{};
  const auto is_sent = [&](const auto& field) {
    return field.need == Need::kRequired || !(value.*field.member == initial.*field.member);
  };
  const auto write_field = [&](const auto& field) {
    if (!is_sent(field)) return;
    write_text(packer, field.key);
    write(packer, value.*field.member, field.form);
  };
  std::apply(
      [&](const auto&... field) {
        packer.pack_map((std::uint32_t{is_sent(field)} + ... + 0U));
        (write_field(field), ...);
      },
      Fields<T>::kAll);
}

template <Described T>
std::string write_payload(const T& value) {
  // As large as the last one of its type: growing by doubling would copy a batch of hundreds of
  // tasks a dozen times.
  constexpr std::size_t kReservedMax = std::size_t{1} << 20;
  thread_local std::size_t last_size = 0;
  std::string payload;
  payload.reserve(std::min(last_size, kReservedMax));
  Sink sink{&payload};
  Packer packer(sink);
  write(packer, value, Form::kText);
  last_size = payload.size();
  return payload;
}

std::string write_header(MessageType type) {
  const auto number = static_cast<std::uint16_t>(type);
  std::string header(kMagic);
  header.push_back(static_cast<char>(kProtocolVersion));
  header.push_back(static_cast<char>(number >> 8));
  header.push_back(static_cast<char>(number & 0xff));
  return header;
}

}  // namespace

Frames encode(const Message& message) {
  return {write_header(type_of(message)),
          std::visit([](const auto& value) { return write_payload(value); }, message)};
}

EventFrames encode_event(const FeedEvent& event) {
  return {event.topic(), write_payload(event)};
}

}  // namespace assay::wire
