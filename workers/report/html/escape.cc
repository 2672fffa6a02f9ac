#include "workers/report/html/escape.h"

namespace assay::report {

std::string html(std::string_view text, std::size_t bytes_max, Lines lines) {
  std::string out;
  for (const char c : visible(text, bytes_max, lines)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string script_string(std::string_view text, std::size_t bytes_max) {
  std::string out = "\"";
  for (const char c : visible(text, bytes_max, Lines::kMany)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

}  // namespace assay::report
