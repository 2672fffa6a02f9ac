// Text from handlers, made fit for the wire: valid UTF-8, because a reader in another language
// refuses a whole message over one bad byte, and no longer than the wire's limit.
#ifndef ASSAY_SDK_WORKER_TEXT_H_
#define ASSAY_SDK_WORKER_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::worker {

// The longest beginning of `text` within `bytes_max` that does not end inside a character.
std::string_view text_prefix(std::string_view text, std::size_t bytes_max);

// `text` with U+FFFD for each byte that is not part of a UTF-8 character.
std::string valid_text(std::string text);

// A line for people: valid, cut to the wire's limit, and saying so if it was.
std::string fit_text(std::string text);

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_TEXT_H_
