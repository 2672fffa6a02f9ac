#include "sdk/log/printable.h"

#include <cstdint>

namespace assay::log {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// How many bytes at the front are one UTF-8 character; 0 when they are none (RFC 3629, table 3-7 of
// Unicode).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const auto continues = [&](std::size_t i) { return byte(i) >> 6 == 0x2; };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool too_great = first == 0xf4 && byte(1) > 0x8f;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_great ? 4 : 0;
  }
  return 0;
}

void append_hex(std::string& out, std::string_view prefix, char byte) {
  out += prefix;
  out += kDigits[static_cast<std::uint8_t>(byte) >> 4];
  out += kDigits[static_cast<std::uint8_t>(byte) & 15];
}

// The escapes that JSON and C share.
bool append_short_escape(std::string& out, char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return true;
    case '\r':
      out += "\\r";
      return true;
    case '\t':
      out += "\\t";
      return true;
    case '\\':
      out += "\\\\";
      return true;
    default:
      return false;
  }
}

bool is_control(char byte) {
  return static_cast<std::uint8_t>(byte) < 0x20 || static_cast<std::uint8_t>(byte) == 0x7f;
}

// U+0080 to U+009F: some terminals obey them like ESC sequences.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && static_cast<std::uint8_t>(character[0]) == 0xc2 &&
         static_cast<std::uint8_t>(character[1]) < 0xa0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    text.remove_prefix(character.size());
    if (size == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
    } else if (is_c1_control(character)) {
      append_hex(out, "\\u00", character[1]);
    } else if (size > 1) {
      out += character;
    } else if (character == "\"") {
      out += "\\\"";
    } else if (!append_short_escape(out, character[0])) {
      is_control(character[0]) ? append_hex(out, "\\u00", character[0]) : void(out += character);
    }
  }
  out += '"';
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    text.remove_prefix(character.size());
    if (size == 0 || is_c1_control(character)) {
      for (const char byte : character) append_hex(out, "\\x", byte);
    } else if (size > 1 || !is_control(character[0])) {
      out += character;
    } else if (!append_short_escape(out, character[0])) {
      append_hex(out, "\\x", character[0]);
    }
  }
  return out;
}

}  // namespace assay::log
