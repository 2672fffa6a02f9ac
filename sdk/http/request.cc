#include "sdk/http/request.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace assay::http {
namespace {

struct Network {
  std::uint32_t base;
  int bits;
};

// Source: IANA's special-purpose address registries.
constexpr Network kNotPublic[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
    {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
    {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4}};

bool is_public(std::uint32_t address) {
  return std::none_of(std::begin(kNotPublic), std::end(kNotPublic), [&](const Network& network) {
    return ((address ^ network.base) >> (32 - network.bits)) == 0;
  });
}

std::uint32_t last_four(const std::array<unsigned char, 16>& bytes, std::size_t at) {
  return (std::uint32_t{bytes[at]} << 24) | (std::uint32_t{bytes[at + 1]} << 16) |
         (std::uint32_t{bytes[at + 2]} << 8) | bytes[at + 3];
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<Milliseconds> Response::retry_after() const {
  constexpr double kSecondsMax = 3600;
  const std::string text(header("retry-after"));
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(seconds >= 0)) return std::nullopt;
  // "35.8µs" has been seen in the wild; any unit means that it is soon.
  if (*end != '\0') return *end == 's' ? std::optional<Milliseconds>(1000) : std::nullopt;
  return Milliseconds(static_cast<std::int64_t>(std::min(seconds, kSecondsMax) * 1000));
}

bool is_public_address(const std::string& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return is_public(ntohl(four.s_addr));
  std::array<unsigned char, 16> six{};
  if (inet_pton(AF_INET6, address.c_str(), six.data()) != 1) return false;
  const bool mapped = std::all_of(six.begin(), six.begin() + 10, [](auto b) { return b == 0; });
  if (mapped) return six[10] == 0xFF && six[11] == 0xFF && is_public(last_four(six, 12));
  if (six[0] == 0x20 && six[1] == 0x02) return is_public(last_four(six, 2));  // 6to4
  if (six[0] == 0x00 && six[1] == 0x64 && six[2] == 0xFF && six[3] == 0x9B) {
    return is_public(last_four(six, 12));  // NAT64
  }
  const bool documentation = six[0] == 0x20 && six[1] == 0x01 && six[2] == 0x0D && six[3] == 0xB8;
  const bool tunnels = six[0] == 0x20 && six[1] == 0x01 && six[2] <= 0x01;  // Teredo and its like
  return (six[0] & 0xE0) == 0x20 && !documentation && !tunnels;
}

}  // namespace assay::http
