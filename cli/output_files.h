// The files that an evaluation brought out, put on this machine's disk. Their names and contents
// come from code that is not trusted.
#ifndef ASSAY_CLI_OUTPUT_FILES_H_
#define ASSAY_CLI_OUTPUT_FILES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"
#include "cli/result_document.h"

namespace assay::cli {

// Writes each output under `directory`, which is made when missing, and returns the paths written.
// Of several pods each gets a folder "pod-N". Errors: `unsafe_path` (fix_input) for a path that
// leads elsewhere, `damaged_output` (data_loss) for content that is no base 64, `unwritable_file`;
// files before the one at fault are there.
Result<std::vector<std::string>> write_outputs(const std::vector<OutputFile>& outputs,
                                               const std::string& directory);

// Writes `bytes` to `path`: beside it first, then in its place, so that whoever reads it never sees
// half of it. Errors: `unwritable_file` (internal).
Status write_file(const std::string& path, std::string_view bytes);

// Is this a relative path that stays below where it begins, without control characters?
bool is_safe_path(std::string_view path);

}  // namespace assay::cli

#endif  // ASSAY_CLI_OUTPUT_FILES_H_
