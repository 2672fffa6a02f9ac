// The msgpack format by its lead bytes: https://github.com/msgpack/msgpack/blob/master/spec.md
#ifndef ASSAY_SDK_WIRE_MSGPACK_FORMAT_H_
#define ASSAY_SDK_WIRE_MSGPACK_FORMAT_H_

#include <cstdint>

namespace assay::wire::msgpack_format {

constexpr std::uint8_t kNil = 0xc0, kFalse = 0xc2, kTrue = 0xc3;
constexpr std::uint8_t kBin8 = 0xc4, kBin32 = 0xc6, kExt8 = 0xc7, kExt32 = 0xc9;
constexpr std::uint8_t kFloat32 = 0xca, kFloat64 = 0xcb;
constexpr std::uint8_t kUint8 = 0xcc, kUint64 = 0xcf, kInt8 = 0xd0, kInt64 = 0xd3;
constexpr std::uint8_t kFixExt1 = 0xd4, kFixExt16 = 0xd8, kStr8 = 0xd9, kStr32 = 0xdb;
constexpr std::uint8_t kArray16 = 0xdc, kArray32 = 0xdd, kMap16 = 0xde, kMap32 = 0xdf;

constexpr bool is_fixed_map(std::uint8_t lead) {
  return lead >> 4 == 0x8;
}
constexpr bool is_fixed_list(std::uint8_t lead) {
  return lead >> 4 == 0x9;
}
constexpr bool is_fixed_text(std::uint8_t lead) {
  return lead >> 5 == 0x5;
}
constexpr bool is_fixed_negative(std::uint8_t lead) {
  return lead >= 0xe0;
}
constexpr bool between(std::uint8_t lead, std::uint8_t first, std::uint8_t last) {
  return lead >= first && lead <= last;
}

}  // namespace assay::wire::msgpack_format

#endif  // ASSAY_SDK_WIRE_MSGPACK_FORMAT_H_
