// "Did you mean ...?"
#ifndef ASSAY_CLI_SUGGESTION_H_
#define ASSAY_CLI_SUGGESTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

// The candidate that `word` was probably meant to be: at most two edits away (or a third of its
// length), or the only one that begins with it. Empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace assay::cli

#endif  // ASSAY_CLI_SUGGESTION_H_
