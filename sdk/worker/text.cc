#include "sdk/worker/text.h"

#include <cstdint>

#include "sdk/wire/limits.h"

namespace assay::worker {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kCut = " [cut]";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The length of the UTF-8 character that `text` begins with, or 0 when there is none: not too long,
// no half of a surrogate pair, not beyond U+10FFFF.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

std::size_t valid_length(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t length = character_length(text.substr(end));
    if (length == 0) break;
    end += length;
  }
  return end;
}

}  // namespace

std::string_view text_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < 4 && is_continuation(text[end])) --end;
  return text.substr(0, end);
}

std::string valid_text(std::string text) {
  std::size_t end = valid_length(text);
  if (end == text.size()) return text;
  std::string valid;
  valid.reserve(text.size() + 16);
  std::string_view rest = text;
  for (;;) {
    valid += rest.substr(0, end);
    if (end == rest.size()) return valid;
    valid += kReplacement;
    rest.remove_prefix(end + 1);
    end = valid_length(rest);
  }
}

std::string fit_text(std::string text) {
  text = valid_text(std::move(text));
  if (text.size() <= wire::kTextBytesMax) return text;
  return std::string(text_prefix(text, wire::kTextBytesMax - kCut.size())) + std::string(kCut);
}

}  // namespace assay::worker
