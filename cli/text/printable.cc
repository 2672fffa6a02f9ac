#include "cli/text/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace assay::cli {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kEllipsis = "…";

struct Character {
  char32_t code = kReplacement;
  std::size_t bytes = 1;
};

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in_ranges(char32_t code, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  char32_t code = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code = lead & 0x07U;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

// Characters that draw nothing themselves but change what is around them, or only hide.
bool is_hidden(char32_t code) {
  static constexpr std::array<Range, 10> kHidden{{{0x00, 0x1F},
                                                  {0x7F, 0x9F},
                                                  {0x00AD, 0x00AD},
                                                  {0x061C, 0x061C},
                                                  {0x180E, 0x180E},
                                                  {0x200B, 0x200F},
                                                  {0x2028, 0x202E},
                                                  {0x2060, 0x206F},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xE0000, 0xE0FFF}}};
  return in_ranges(code, kHidden);
}

std::size_t width_of(char32_t code) {
  // Combining marks and variation selectors sit on the character before them.
  static constexpr std::array<Range, 7> kZero{{{0x0300, 0x036F},
                                               {0x0483, 0x0489},
                                               {0x0591, 0x05BD},
                                               {0x1AB0, 0x1AFF},
                                               {0x1DC0, 0x1DFF},
                                               {0x20D0, 0x20FF},
                                               {0xFE00, 0xFE2F}}};
  // East Asian wide characters and emoji.
  static constexpr std::array<Range, 10> kWide{{{0x1100, 0x115F},
                                                {0x2E80, 0x303E},
                                                {0x3041, 0xA4CF},
                                                {0xA960, 0xA97F},
                                                {0xAC00, 0xD7A3},
                                                {0xF900, 0xFAFF},
                                                {0xFE30, 0xFE6F},
                                                {0xFF00, 0xFF60},
                                                {0x1F300, 0x1FAFF},
                                                {0x20000, 0x3FFFD}}};
  if (code < 0x300) return 1;
  if (in_ranges(code, kZero)) return 0;
  return in_ranges(code, kWide) ? 2 : 1;
}

// How many bytes the escape sequence at the beginning of `text` (an ESC or a C1 introducer) takes.
// ECMA-48: CSI ends in 0x40..0x7E; OSC, DCS, APC, PM and SOS end in BEL or ST.
std::size_t escape_length(std::string_view text, std::size_t introducer_bytes, char kind) {
  std::size_t at = introducer_bytes;
  if (kind == '[') {
    while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x3F) ++at;
    return at < text.size() && text[at] >= 0x40 && text[at] <= 0x7E ? at + 1 : at;
  }
  if (std::string_view("]P_^X").find(kind) != std::string_view::npos) {
    for (; at < text.size(); ++at) {
      if (text[at] == '\a') return at + 1;
      if (text[at] == '\x1b') return at;  // ST, or another sequence: looked at next
      if (text[at] == '\n') return at;    // a string that never ends must not eat the rest of a log
    }
    return at;
  }
  if (kind >= 0x20 && kind <= 0x2F) {  // ESC, intermediates, one final: ESC ( B
    while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x2F) ++at;
    return std::min(at + 1, text.size());
  }
  return introducer_bytes;
}

// 0 when no escape sequence begins here.
std::size_t escape_at(std::string_view text) {
  if (text[0] == '\x1b') {
    if (text.size() == 1) return 1;
    const char kind = text[1];
    const bool is_sequence = kind >= 0x20 && kind <= 0x7E;
    return is_sequence ? escape_length(text, 2, kind) : 1;
  }
  // The 8-bit forms of CSI, DCS, SOS, OSC, PM and APC, as UTF-8.
  if (text.size() >= 2 && text[0] == '\xC2') {
    switch (static_cast<std::uint8_t>(text[1])) {
      case 0x9B:
        return escape_length(text, 2, '[');
      case 0x90:
        return escape_length(text, 2, 'P');
      case 0x98:
        return escape_length(text, 2, 'X');
      case 0x9D:
        return escape_length(text, 2, ']');
      case 0x9E:
        return escape_length(text, 2, '^');
      case 0x9F:
        return escape_length(text, 2, '_');
      default:
        break;
    }
  }
  return 0;
}

// Calls `on_text(bytes, code)` for what may be shown and `on_break(char)` for `\n`, `\r` and `\t`;
// either stops the walk by returning false.
template <typename OnText, typename OnBreak>
void walk(std::string_view text, OnText on_text, OnBreak on_break) {
  while (!text.empty()) {
    if (const std::size_t escape = escape_at(text); escape > 0) {
      text.remove_prefix(escape);
      continue;
    }
    const Character character = decode(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (character.code == '\n' || character.code == '\r' || character.code == '\t') {
      if (character.code == '\r' && !text.empty() && text[0] == '\n') continue;
      if (!on_break(static_cast<char>(character.code))) return;
    } else if (!is_hidden(character.code)) {
      const bool valid = character.code != kReplacement || bytes.size() == 3;
      if (!on_text(valid ? bytes : std::string_view("\uFFFD"), character.code)) return;
    }
  }
}

}  // namespace

std::string printable(std::string_view text, std::size_t columns_max) {
  std::string line;
  std::size_t used = 0;
  const auto add = [&](std::string_view bytes, char32_t code) {
    line += bytes;
    used += width_of(code);
    // One column too many is enough to know that it must be cut; a combining flood is bounded by
    // bytes.
    return used <= columns_max && line.size() <= columns_max * 8 + 8;
  };
  walk(text, add, [&](char) {
    if (line.empty() || line.back() == ' ') return true;
    return add(" ", ' ');
  });
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return cut(line, columns_max);
}

std::string printable_block(std::string_view text) {
  std::string block;
  block.reserve(text.size());
  walk(
      text,
      [&](std::string_view bytes, char32_t) {
        block += bytes;
        return true;
      },
      [&](char end) {
        block += end == '\t' ? "    " : "\n";
        return true;
      });
  return block;
}

std::size_t columns(std::string_view text) {
  std::size_t used = 0;
  while (!text.empty()) {
    const Character character = decode(text);
    used += width_of(character.code);
    text.remove_prefix(character.bytes);
  }
  return used;
}

std::string cut(std::string_view text, std::size_t columns_max) {
  if (columns(text) <= columns_max && text.size() <= columns_max * 8 + 8) return std::string(text);
  if (columns_max == 0) return {};
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Character character = decode(text.substr(at));
    const std::size_t width = width_of(character.code);
    if (used + width > columns_max - 1 || at + character.bytes > columns_max * 8) break;
    used += width;
    at += character.bytes;
  }
  return std::string(text.substr(0, at)) += kEllipsis;
}

}  // namespace assay::cli
