// Base 64 with padding (RFC 4648, section 4).
#ifndef ASSAY_SDK_WIRE_BASE64_H_
#define ASSAY_SDK_WIRE_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace assay::wire {

std::string encode_base64(std::string_view bytes);
// Nothing for what is no base 64 with padding.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_BASE64_H_
