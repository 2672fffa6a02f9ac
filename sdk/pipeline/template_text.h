// "${name}" in a text. It does not know what names mean.
#ifndef ASSAY_SDK_PIPELINE_TEMPLATE_TEXT_H_
#define ASSAY_SDK_PIPELINE_TEMPLATE_TEXT_H_

#include <functional>
#include <string>
#include <string_view>

#include "assay/status.h"

namespace assay::pipeline {

// The value of a name, or why it has none.
using Lookup = std::function<Result<std::string>(std::string_view name)>;

// The text with each ${name} replaced by its value; "$${" stands for "${". Values are not looked at
// again. Errors: `invalid_template` (fix_input: a "${" without its "}"), and those of `lookup`.
Result<std::string> fill_in(std::string_view text, const Lookup& lookup);

}  // namespace assay::pipeline

#endif  // ASSAY_SDK_PIPELINE_TEMPLATE_TEXT_H_
