#include "workers/report/text/visible.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace assay::report {
namespace {

struct Decoded {
  std::uint32_t point = 0;
  std::size_t length = 1;
  bool valid = false;
};

// One character of UTF-8, strictly: no overlong forms, no surrogates (RFC 3629).
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {};
  std::uint32_t point = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    point = point << 6U | (byte(i) & 0x3FU);
  }
  static constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {};
  return {point, length, true};
}

// It cannot be seen, or changes how its neighbours are read.
bool is_hidden(std::uint32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

void append(std::string& out, std::string_view text, Lines lines) {
  while (!text.empty()) {
    const Decoded one = decode(text);
    const std::uint32_t c = one.point;
    if (!one.valid) {
      out += "\xEF\xBF\xBD";
    } else if (lines == Lines::kMany && (c == '\n' || c == '\t')) {
      out += static_cast<char>(c);
    } else if (c < 0x20) {
      out += "\xE2\x90";
      out += static_cast<char>(0x80 + c);
    } else if (c == 0x7F) {
      out += "\xE2\x90\xA1";
    } else if (is_hidden(c)) {
      std::array<char, 16> code{};
      std::snprintf(code.data(), code.size(), "[U+%04X]", static_cast<unsigned>(c));
      out += code.data();
    } else {
      out += text.substr(0, one.length);
    }
    text.remove_prefix(one.length);
  }
}

// The nearest beginning of a character at or before `at`.
std::size_t boundary(std::string_view text, std::size_t at) {
  for (int i = 0; i < 3 && at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80; ++i) {
    --at;
  }
  return at;
}

std::string left_out(std::size_t bytes) {
  return "\xE2\x80\xA6 [" + bytes_text(static_cast<double>(bytes)) + " more]";
}

std::string printed(const char* format, double number) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

}  // namespace

std::string visible(std::string_view text, std::size_t bytes_max, Lines lines) {
  std::string out;
  if (text.size() <= bytes_max) {
    append(out, text, lines);
    return out;
  }
  if (lines == Lines::kOne) {
    const std::size_t end = boundary(text, bytes_max);
    append(out, text.substr(0, end), lines);
    return out + left_out(text.size() - end);
  }
  const std::size_t head = boundary(text, bytes_max / 2);
  const std::size_t tail = boundary(text, text.size() - bytes_max / 2);
  append(out, text.substr(0, head), lines);
  out += "\n" + left_out(tail - head) + "\n";
  append(out, text.substr(tail), lines);
  return out;
}

std::string bytes_text(double bytes) {
  static constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return printed(unit == 0 || bytes >= 100 ? "%.0f " : "%.1f ", bytes) + kUnits[unit];
}

std::string number_text(double number) {
  if (!std::isfinite(number)) return "\xE2\x80\x93";
  const double size = std::fabs(number);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return printed("%.3g", number);
  if (size >= 1000) {
    std::string text = printed("%.0f", number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t i = text.size(); i > first + 3;) text.insert(i -= 3, ",");
    return text;
  }
  std::string text = printed(size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.4f", number);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "\xE2\x80\x93";
  if (seconds < 1) return printed("%.0f ms", seconds * 1000);
  if (seconds < 60) return printed(seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 3600)
    return std::to_string(whole / 60) + " m " +
           printed("%02.0f s", static_cast<double>(whole % 60));
  return std::to_string(whole / 3600) + " h " +
         printed("%02.0f m", static_cast<double>(whole % 3600 / 60));
}

}  // namespace assay::report
