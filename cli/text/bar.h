// A progress bar as text.
#ifndef ASSAY_CLI_TEXT_BAR_H_
#define ASSAY_CLI_TEXT_BAR_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace assay::cli {

// `width` columns that show done of total; more than all counts as all. With no total it is empty.
// Unicode draws eighths of a block; ASCII draws "[####....]", brackets within the width.
std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width, bool unicode);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TEXT_BAR_H_
