#include "sdk/pipeline/template_text.h"

namespace assay::pipeline {

Result<std::string> fill_in(std::string_view text, const Lookup& lookup) {
  std::string out;
  while (true) {
    const std::size_t dollar = text.find("${");
    if (dollar == std::string_view::npos) return out.append(text);
    if (dollar > 0 && text[dollar - 1] == '$') {
      out.append(text.substr(0, dollar - 1)).append("${");
      text.remove_prefix(dollar + 2);
      continue;
    }
    const std::size_t end = text.find('}', dollar);
    if (end == std::string_view::npos) {
      return fix_input("invalid_template", "'${' without its '}'; a plain '${' is written '$${'");
    }
    const Result<std::string> value = lookup(text.substr(dollar + 2, end - dollar - 2));
    if (!value.is_ok()) return value.status();
    out.append(text.substr(0, dollar)).append(*value);
    text.remove_prefix(end + 1);
  }
}

}  // namespace assay::pipeline
