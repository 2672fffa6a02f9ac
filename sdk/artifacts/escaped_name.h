// An artifact's name as one file's name and back: '/' and '%' are written %2F and %25, and so is a
// dot at the front.
#ifndef ASSAY_SDK_ARTIFACTS_ESCAPED_NAME_H_
#define ASSAY_SDK_ARTIFACTS_ESCAPED_NAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace assay::artifacts {

// One component of a path, whatever `name` holds.
std::string escape_name(std::string_view name);
// Nothing for what escape_name never makes.
std::optional<std::string> unescape_name(std::string_view escaped);

}  // namespace assay::artifacts

#endif  // ASSAY_SDK_ARTIFACTS_ESCAPED_NAME_H_
