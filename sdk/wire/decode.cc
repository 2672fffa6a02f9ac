// Bytes to messages: how each type of value is read, and the walk over fields.h.
#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sdk/wire/codec.h"
#include "sdk/wire/fields.h"
#include "sdk/wire/limits.h"
#include "sdk/wire/reader.h"
#include "sdk/wire/value_types.h"

namespace assay::wire {
namespace {

// One overload a type of value; false after the reader has refused.

template <Number T>
bool read(Reader& reader, T& value, Form) {
  std::uint64_t number = 0;
  if (!reader.read_unsigned(std::numeric_limits<T>::max(), number)) return false;
  value = static_cast<T>(number);
  return true;
}

template <Enumeration T>
bool read(Reader& reader, T& value, Form) {
  std::uint64_t number = 0;
  if (!reader.read_unsigned(static_cast<std::uint64_t>(last_of(T())), number)) return false;
  value = static_cast<T>(number);
  return true;
}

bool read(Reader& reader, bool& value, Form) {
  return reader.read_bool(value);
}
bool read(Reader& reader, double& value, Form) {
  return reader.read_double(value);
}

bool read(Reader& reader, std::string& value, Form form) {
  std::string_view view;
  const bool good = form == Form::kText ? reader.read_text(kTextBytesMax, view)
                                        : reader.read_bytes(kBodyBytesMax, view);
  if (good) value.assign(view);
  return good;
}

bool read(Reader& reader, Duration& value, Form) {
  std::uint64_t number = 0;
  if (!reader.read_unsigned(kDurationMsMax, number)) return false;
  value = Duration(number);
  return true;
}

bool read(Reader& reader, Time& value, Form) {
  std::uint64_t number = 0;
  if (!reader.read_unsigned(kTimeMsMax, number)) return false;
  value = Time(Duration(number));
  return true;
}

bool read(Reader& reader, std::optional<Time>& value, Form form) {
  return read(reader, value.emplace(), form);
}

bool read(Reader& reader, Attempt& value, Form form) {
  return read(reader, value.number, form);
}

bool read(Reader& reader, TaskId& value, Form) {
  std::string_view view;
  if (!reader.read_bytes(value.bytes.size(), view)) return false;
  if (view.size() != value.bytes.size()) return reader.refuse("a task id, binary of 16 bytes");
  std::copy(view.begin(), view.end(), value.bytes.begin());
  return true;
}

template <typename Tag>
bool read(Reader& reader, Name<Tag>& value, Form) {
  std::string_view view;
  if (!reader.read_text(kNameBytesMax, view)) return false;
  if (!valid_name(view)) {
    return reader.refuse("a name (1 to 64 of a-z A-Z 0-9 . _ - and the first a letter or digit)");
  }
  value.value.assign(view);
  return true;
}

bool read(Reader& reader, std::map<std::string, std::string>& labels, Form) {
  std::size_t count = 0;
  if (!reader.read_map_size(count)) return false;
  if (count > kLabelCountMax) {
    return reader.refuse_because("expected at most " + std::to_string(kLabelCountMax) +
                                 " labels, found " + std::to_string(count));
  }
  for (; count > 0; --count) {
    std::string_view key;
    std::string_view value;
    if (!reader.read_text(kLabelKeyBytesMax, key)) return false;
    if (!reader.read_text(kLabelValueBytesMax, value)) return reader.inside_field(key);
    if (!labels.emplace(key, value).second) {
      return reader.refuse_because("the label is there twice") || reader.inside_field(key);
    }
  }
  return true;
}

template <Described T>
bool read(Reader& reader, T& value, Form);

template <typename T>
bool read(Reader& reader, std::vector<T>& list, Form form) {
  std::size_t count = 0;
  if (!reader.read_list_size(kListItemsMax, count)) return false;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!read(reader, list.emplace_back(), form)) return reader.inside_item(i);
  }
  return true;
}

// The fields of a struct as plain arrays, so that a key leads to its reader without a chain of
// branches.
template <typename T>
struct FieldArrays {
  using Read = bool (*)(Reader&, T&);
  static constexpr std::size_t kCount = std::tuple_size_v<decltype(Fields<T>::kAll)>;
  static_assert(kCount < 32, "the fields that were seen are kept in 32 bits");

  template <std::size_t kIndex>
  static bool read_member(Reader& reader, T& value) {
    constexpr auto field = std::get<kIndex>(Fields<T>::kAll);
    // A peer in another language may say nil for what it leaves out.
    if (field.need == Need::kOptional && reader.take_nil()) return true;
    return read(reader, value.*field.member, field.form);
  }

  template <std::size_t... kIndex>
  static constexpr auto keys(std::index_sequence<kIndex...>) {
    return std::array<std::string_view, kCount>{std::get<kIndex>(Fields<T>::kAll).key...};
  }
  template <std::size_t... kIndex>
  static constexpr auto readers(std::index_sequence<kIndex...>) {
    return std::array<Read, kCount>{&read_member<kIndex>...};
  }
  template <std::size_t... kIndex>
  static constexpr std::uint32_t required(std::index_sequence<kIndex...>) {
    return ((std::get<kIndex>(Fields<T>::kAll).need == Need::kRequired ? 1U << kIndex : 0U) | ... |
            0U);
  }

  static constexpr auto kKeys = keys(std::make_index_sequence<kCount>());
  static constexpr auto kReaders = readers(std::make_index_sequence<kCount>());
  static constexpr std::uint32_t kRequired = required(std::make_index_sequence<kCount>());

  // Keys mostly come in the order of the table, so the search begins where the last one ended.
  static std::size_t find(std::string_view key, std::size_t from) {
    for (std::size_t step = 0; step < kCount; ++step) {
      const std::size_t index = from + step < kCount ? from + step : from + step - kCount;
      if (kKeys[index] == key) return index;
    }
    return kCount;
  }
};

template <Described T>
bool read(Reader& reader, T& value, Form) {
  using Arrays = FieldArrays<T>;
  std::size_t count = 0;
  if (!reader.read_map_size(count)) return false;
  std::uint32_t seen = 0;
  std::size_t from = 0;
  for (; count > 0; --count) {
    std::string_view key;
    if (!reader.read_text(kTextBytesMax, key)) return reader.inside_field("(key)");
    const std::size_t index = Arrays::find(key, from);
    if (index == Arrays::kCount) {  // from a newer peer
      if (!reader.skip()) return reader.inside_field("(unknown key)");
      continue;
    }
    if ((seen >> index & 1U) != 0) {
      return reader.refuse_because("the key is there twice") || reader.inside_field(key);
    }
    seen |= 1U << index;
    from = index + 1 < Arrays::kCount ? index + 1 : 0;
    if (!Arrays::kReaders[index](reader, value)) return reader.inside_field(key);
  }
  const std::uint32_t missing = Arrays::kRequired & ~seen;
  if (missing == 0) return true;
  const auto first = static_cast<std::size_t>(std::countr_zero(missing));
  return reader.refuse_because("the required key is missing") ||
         reader.inside_field(Arrays::kKeys[first]);
}

Status too_large(std::size_t size) {
  return fix_input("message_too_large", "expected at most " + std::to_string(kMessageBytesMax) +
                                            " bytes, found " + std::to_string(size));
}

template <Described T>
Status read_payload(std::string_view payload, std::string_view name, T& value) {
  Reader reader(payload);
  bool good = read(reader, value, Form::kText);
  if (good && !reader.at_end()) {
    good = reader.refuse_because("expected one map, found " + std::to_string(reader.bytes_left()) +
                                 " bytes after it");
  }
  if (good) return Status::ok();
  return fix_input("malformed_message", std::string(name) + ": " + reader.mistake());
}

template <Described T>
Result<Message> decode_as(std::string_view payload) {
  Message message(std::in_place_type<T>);
  Status status = read_payload(payload, to_string(Fields<T>::kType), std::get<T>(message));
  if (!status.is_ok()) return status;
  return message;
}

using Decode = Result<Message> (*)(std::string_view);
struct Decoder {
  MessageType type;
  Decode decode;
};

template <typename... T>
constexpr auto decoders_of(const std::variant<T...>*) {
  return std::array{Decoder{Fields<T>::kType, &decode_as<T>}...};
}
constexpr auto kDecoders = decoders_of(static_cast<const Message*>(nullptr));

Status unknown_message(unsigned type) {
  return fix_input("unknown_message", "expected a message type of version " +
                                          std::to_string(kProtocolVersion) + ", found " +
                                          std::to_string(type));
}

}  // namespace

Result<Message> decode(std::string_view header, std::string_view payload) {
  if (header.size() != kHeaderBytes || !header.starts_with(kMagic)) {
    return fix_input("not_assay", "expected a header of 8 bytes that begins with ASSAY, found " +
                                      std::to_string(header.size()) + " bytes that are not one");
  }
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(header[i]); };
  if (byte(5) != kProtocolVersion) {
    return fix_input("unsupported_version", "expected protocol version " +
                                                std::to_string(kProtocolVersion) + ", found " +
                                                std::to_string(byte(5)));
  }
  if (payload.size() > kMessageBytesMax) return too_large(payload.size());
  const unsigned type = byte(6) * 256U + byte(7);
  for (const Decoder& decoder : kDecoders) {
    if (static_cast<unsigned>(decoder.type) == type) return decoder.decode(payload);
  }
  return unknown_message(type);
}

std::uint64_t peek_request(std::string_view payload) {
  if (payload.size() > kMessageBytesMax) payload = payload.substr(0, kMessageBytesMax);
  Reader reader(payload);
  std::size_t count = 0;
  if (!reader.read_map_size(count)) return 0;
  for (; count > 0; --count) {
    std::string_view key;
    std::uint64_t request = 0;
    if (!reader.read_text(kTextBytesMax, key)) return 0;
    if (key == "request") {
      return reader.read_unsigned(std::numeric_limits<std::uint64_t>::max(), request) ? request : 0;
    }
    if (!reader.skip()) return 0;
  }
  return 0;
}

Result<FeedEvent> decode_event(std::string_view payload) {
  if (payload.size() > kMessageBytesMax) return too_large(payload.size());
  FeedEvent event;
  Status status = read_payload(payload, "event", event);
  if (!status.is_ok()) return status;
  return event;
}

}  // namespace assay::wire
