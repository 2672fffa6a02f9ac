#include "sdk/artifacts/escaped_name.h"

namespace assay::artifacts {

std::string escape_name(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || c == '%' || byte < 0x20 || byte == 0x7F || (c == '.' && out.empty())) {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> unescape_name(std::string_view escaped) {
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      out += escaped[i];
      continue;
    }
    const std::string_view code = escaped.substr(i + 1, 2);
    if (code == "2F") {
      out += '/';
    } else if (code == "25") {
      out += '%';
    } else if (code == "2E" && out.empty()) {
      out += '.';
    } else {
      return std::nullopt;
    }
    i += 2;
  }
  return out;
}

}  // namespace assay::artifacts
