// TaskId (a ULID) and the rule for names.
#include "assay/ids.h"

#include <sys/random.h>

#include <cstring>

#include "assay/status.h"

namespace assay {
namespace {

constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int value_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const char* found = c == '\0' ? nullptr : std::strchr(kAlphabet, c);
  return found == nullptr ? -1 : static_cast<int>(found - kAlphabet);
}

}  // namespace

TaskId TaskId::make(Time now) {
  TaskId id;
  auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 6; i-- > 0; milliseconds >>= 8) {
    id.bytes[i] = static_cast<std::uint8_t>(milliseconds);
  }
  // Ten bytes never block and never come short once the system's pool is ready.
  ASSAY_ASSERT(getrandom(id.bytes.data() + 6, 10, 0) == 10);
  return id;
}

std::optional<TaskId> TaskId::parse(std::string_view text) {
  // 26 characters hold 130 bits: the first may only be 0 to 7.
  if (text.size() != 26 || value_of(text[0]) < 0 || value_of(text[0]) > 7) return std::nullopt;
  TaskId id;
  std::uint32_t bits = 0;
  int bit_count = -2;  // the two highest of the 130 are nothing
  std::size_t byte = 0;
  for (char c : text) {
    const int value = value_of(c);
    if (value < 0) return std::nullopt;
    bits = bits << 5 | static_cast<std::uint32_t>(value);
    bit_count += 5;
    if (bit_count >= 8) {
      bit_count -= 8;
      id.bytes[byte++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
  }
  return id;
}

std::string TaskId::text() const {
  std::string text;
  text.reserve(26);
  std::uint32_t bits = 0;
  int bit_count = 2;
  for (std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    bit_count += 8;
    while (bit_count >= 5) {
      bit_count -= 5;
      text.push_back(kAlphabet[bits >> bit_count & 31]);
    }
  }
  return text;
}

bool valid_name(std::string_view text) {
  auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > 64 || !is_letter_or_digit(text[0])) return false;
  for (char c : text) {
    if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace assay
