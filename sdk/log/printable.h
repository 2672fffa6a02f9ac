// Text from elsewhere made fit for a line of log or a terminal. It never fails, whatever the bytes.
#ifndef ASSAY_SDK_LOG_PRINTABLE_H_
#define ASSAY_SDK_LOG_PRINTABLE_H_

#include <string>
#include <string_view>

namespace assay::log {

// Appends `text` as a JSON string with its quotes: control characters escaped, bytes that are not
// UTF-8 replaced by U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// `text` without anything that a terminal would obey: control characters (C1 too) and bytes that
// are not UTF-8 become \n, \t, \xNN. A newline is escaped as well: the result is one line.
std::string printable(std::string_view text);

}  // namespace assay::log

#endif  // ASSAY_SDK_LOG_PRINTABLE_H_
