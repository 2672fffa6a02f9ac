#include "sdk/wire/reader.h"

#include <bit>
#include <utility>

#include "sdk/wire/limits.h"
#include "sdk/wire/msgpack_format.h"

namespace assay::wire {

using namespace msgpack_format;  // NOLINT: its names are this file's vocabulary

namespace {

// A signed number of 1, 2, 4 or 8 bytes that was read as if it had no sign.
bool is_negative(int byte_count, std::uint64_t value) {
  return value >> (byte_count * 8 - 1) != 0;
}

std::int64_t with_sign(int byte_count, std::uint64_t value) {
  const int unused_bits = 64 - byte_count * 8;
  return static_cast<std::int64_t>(value << unused_bits) >> unused_bits;
}

}  // namespace

bool Reader::take_lead(std::uint8_t& lead) {
  value_ = next_;
  if (next_ == end_) return false;
  lead = static_cast<std::uint8_t>(*next_++);
  return true;
}

bool Reader::take_big_endian(int byte_count, std::uint64_t& value) {
  if (end_ - next_ < byte_count) return false;
  value = 0;
  for (int i = 0; i < byte_count; ++i) value = value << 8 | static_cast<std::uint8_t>(*next_++);
  return true;
}

bool Reader::take_view(std::uint64_t size, std::string_view& value) {
  if (bytes_left() < size) return false;
  value = std::string_view(next_, size);
  next_ += size;
  return true;
}

bool Reader::take_string_size(std::uint8_t lead, std::uint64_t& size) {
  if (is_fixed_text(lead)) {
    size = lead & 0x1f;
    return true;
  }
  return between(lead, kStr8, kStr32) && take_big_endian(1 << (lead - kStr8), size);
}

bool Reader::take_bytes_size(std::uint8_t lead, std::uint64_t& size) {
  return between(lead, kBin8, kBin32) && take_big_endian(1 << (lead - kBin8), size);
}

bool Reader::read_unsigned(std::uint64_t at_most, std::uint64_t& value) {
  std::uint8_t lead = 0;
  bool good = take_lead(lead);
  if (good && lead < 0x80) {
    value = lead;
  } else if (good && between(lead, kUint8, kUint64)) {
    good = take_big_endian(1 << (lead - kUint8), value);
  } else if (good && between(lead, kInt8, kInt64)) {
    const int byte_count = 1 << (lead - kInt8);
    good = take_big_endian(byte_count, value) && !is_negative(byte_count, value);
  } else {
    good = false;
  }
  if (good && value <= at_most) return true;
  return refuse("an integer from 0 to " + std::to_string(at_most));
}

bool Reader::read_bool(bool& value) {
  std::uint8_t lead = 0;
  if (!take_lead(lead) || !between(lead, kFalse, kTrue)) return refuse("true or false");
  value = lead == kTrue;
  return true;
}

bool Reader::read_double(double& value) {
  std::uint8_t lead = 0;
  std::uint64_t bits = 0;
  if (take_lead(lead)) {
    if (lead == kFloat64 && take_big_endian(8, bits)) {
      value = std::bit_cast<double>(bits);
      return true;
    }
    if (lead == kFloat32 && take_big_endian(4, bits)) {
      value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      return true;
    }
    // msgpack's packer for C++ writes 3.0 and -3.0 as integers.
    if (is_fixed_negative(lead)) {
      value = static_cast<std::int8_t>(lead);
      return true;
    }
    if (between(lead, kInt8, kInt64) && take_big_endian(1 << (lead - kInt8), bits)) {
      value = static_cast<double>(with_sign(1 << (lead - kInt8), bits));
      return true;
    }
    if (lead < 0x80 || between(lead, kUint8, kUint64)) {
      next_ = value_;
      if (!read_unsigned(UINT64_MAX, bits)) return false;
      value = static_cast<double>(bits);
      return true;
    }
  }
  return refuse("a number");
}

bool Reader::read_text(std::size_t bytes_max, std::string_view& value) {
  std::uint8_t lead = 0;
  std::uint64_t size = 0;
  if (take_lead(lead) && take_string_size(lead, size) && size <= bytes_max &&
      take_view(size, value)) {
    return true;
  }
  return refuse("a string of at most " + std::to_string(bytes_max) + " bytes");
}

bool Reader::read_bytes(std::size_t bytes_max, std::string_view& value) {
  std::uint8_t lead = 0;
  std::uint64_t size = 0;
  if (take_lead(lead) && take_bytes_size(lead, size) && size <= bytes_max &&
      take_view(size, value)) {
    return true;
  }
  return refuse("binary of at most " + std::to_string(bytes_max) + " bytes");
}

bool Reader::read_list_size(std::size_t items_max, std::size_t& count) {
  std::uint8_t lead = 0;
  std::uint64_t size = 0;
  bool good = take_lead(lead);
  if (good && is_fixed_list(lead)) {
    size = lead & 0x0f;
  } else {
    good =
        good && between(lead, kArray16, kArray32) && take_big_endian(2 << (lead - kArray16), size);
  }
  // Every item has a byte at least: a count that the message can't hold is refused before it costs
  // anything.
  if (!good || size > items_max || size > bytes_left()) {
    return refuse("a list of at most " + std::to_string(items_max) + " items");
  }
  count = size;
  return true;
}

bool Reader::read_map_size(std::size_t& count) {
  std::uint8_t lead = 0;
  std::uint64_t size = 0;
  bool good = take_lead(lead);
  if (good && is_fixed_map(lead)) {
    size = lead & 0x0f;
  } else {
    good = good && between(lead, kMap16, kMap32) && take_big_endian(2 << (lead - kMap16), size);
  }
  // Every key and every value has a byte at least.
  if (!good || size > bytes_left() / 2) return refuse("a map");
  count = size;
  return true;
}

bool Reader::take_nil() {
  if (next_ == end_ || static_cast<std::uint8_t>(*next_) != kNil) return false;
  value_ = next_++;
  return true;
}

bool Reader::skip() {
  return skip(kNestingMax);
}

bool Reader::skip_items(std::uint64_t count, int levels_left) {
  for (; count > 0; --count) {
    if (!skip(levels_left - 1)) return false;
  }
  return true;
}

bool Reader::skip(int levels_left) {
  std::uint8_t lead = 0;
  std::uint64_t count = 0;
  if (!take_lead(lead)) return refuse("a value");
  if (levels_left == 0) {
    return refuse_because("nests deeper than " + std::to_string(kNestingMax) + " levels");
  }
  if (is_fixed_map(lead)) return skip_items(std::uint64_t{2} * (lead & 0x0fU), levels_left);
  if (is_fixed_list(lead)) return skip_items(lead & 0x0fU, levels_left);
  if (between(lead, kArray16, kArray32)) {
    return take_big_endian(2 << (lead - kArray16), count) ? skip_items(count, levels_left)
                                                          : refuse("a list");
  }
  if (between(lead, kMap16, kMap32)) {
    return take_big_endian(2 << (lead - kMap16), count) ? skip_items(2 * count, levels_left)
                                                        : refuse("a map");
  }
  return skip_plain(lead) || refuse("a value");
}

// A value without others inside.
bool Reader::skip_plain(std::uint8_t lead) {
  std::uint64_t size = 0;
  bool good = true;
  if (lead < 0x80 || is_fixed_negative(lead) || lead == kNil || between(lead, kFalse, kTrue)) {
    size = 0;
  } else if (is_fixed_text(lead) || between(lead, kStr8, kStr32)) {
    good = take_string_size(lead, size);
  } else if (between(lead, kBin8, kBin32)) {
    good = take_bytes_size(lead, size);
  } else if (between(lead, kUint8, kUint64)) {
    size = 1U << (lead - kUint8);
  } else if (between(lead, kInt8, kInt64)) {
    size = 1U << (lead - kInt8);
  } else if (between(lead, kFloat32, kFloat64)) {
    size = 4U << (lead - kFloat32);
  } else if (between(lead, kFixExt1, kFixExt16)) {
    size = 1 + (1U << (lead - kFixExt1));
  } else if (between(lead, kExt8, kExt32)) {
    good = take_big_endian(1 << (lead - kExt8), size);
    size += 1;
  } else {
    good = false;  // 0xc1, which means nothing
  }
  std::string_view ignored;
  return good && take_view(size, ignored);
}

bool Reader::refuse(std::string_view expected) {
  return refuse_because("expected " + std::string(expected) + ", found " + found());
}

bool Reader::refuse_because(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
  return false;
}

bool Reader::inside_field(std::string_view key) {
  const bool joins = !where_.empty() && where_[0] != '[';
  where_.insert(0, std::string(key) + (joins ? "." : ""));
  return false;
}

bool Reader::inside_item(std::size_t index) {
  const bool joins = !where_.empty() && where_[0] != '[';
  where_.insert(0, "[" + std::to_string(index) + "]" + (joins ? "." : ""));
  return false;
}

std::string Reader::mistake() const {
  return where_.empty() || problem_.empty() ? problem_ : where_ + ": " + problem_;
}

std::string Reader::found() const {
  Reader again(std::string_view(value_, static_cast<std::size_t>(end_ - value_)));
  std::uint8_t lead = 0;
  if (!again.take_lead(lead)) return "the end of the message";
  std::uint64_t size = 0;
  if (is_fixed_text(lead) || between(lead, kStr8, kStr32)) {
    return again.take_string_size(lead, size) ? "a string of " + std::to_string(size) + " bytes"
                                              : "a string that is cut off";
  }
  if (between(lead, kBin8, kBin32)) {
    return again.take_bytes_size(lead, size) ? "binary of " + std::to_string(size) + " bytes"
                                             : "binary that is cut off";
  }
  if (lead < 0x80) return "the integer " + std::to_string(lead);
  if (between(lead, kUint8, kUint64)) {
    return again.take_big_endian(1 << (lead - kUint8), size) ? "the integer " + std::to_string(size)
                                                             : "an integer that is cut off";
  }
  if (is_fixed_negative(lead) || between(lead, kInt8, kInt64)) return "a signed integer";
  if (lead == kNil) return "nil";
  if (between(lead, kFalse, kTrue)) return lead == kTrue ? "true" : "false";
  if (between(lead, kFloat32, kFloat64)) return "a floating-point number";
  if (is_fixed_list(lead) || between(lead, kArray16, kArray32)) {
    const int digits = is_fixed_list(lead) ? 0 : 2 << (lead - kArray16);
    return (digits == 0 || again.take_big_endian(digits, size))
               ? "a list of " + std::to_string(digits == 0 ? lead & 0x0fU : size) + " items"
               : "a list that is cut off";
  }
  if (is_fixed_map(lead) || between(lead, kMap16, kMap32)) return "a map";
  return lead == 0xc1 ? "the byte 0xc1, which msgpack does not use" : "a msgpack extension";
}

}  // namespace assay::wire
