// Text from outside (test names, reasons, logs) made safe and short enough to show.
// Knows nothing of terminals beyond how many columns a character takes.
#ifndef ASSAY_CLI_TEXT_PRINTABLE_H_
#define ASSAY_CLI_TEXT_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::cli {

// One line without anything that could steer a terminal or mislead a reader: escape sequences,
// control characters, invisible and direction-changing characters are left out; line ends and tabs
// become one space; bytes that are not UTF-8 become U+FFFD. At most `columns_max` columns; a longer
// text ends in "…".
std::string printable(std::string_view text, std::size_t columns_max = 200);

// The same for text of several lines, uncut: line ends stay (`\r` counts as one), a tab becomes
// spaces.
std::string printable_block(std::string_view text);

// How many columns a printable UTF-8 text takes on a terminal.
std::size_t columns(std::string_view text);

// The longest beginning of a printable text that fits `columns_max` columns, ending in "…" when it
// was cut.
std::string cut(std::string_view text, std::size_t columns_max);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TEXT_PRINTABLE_H_
