// Single values as people write them: in YAML, in environment variables and in flags, by the same
// rules. Every failure's message reads "expected ..., found ...": the caller adds where.
#ifndef ASSAY_SDK_CONFIG_SCALAR_H_
#define ASSAY_SDK_CONFIG_SCALAR_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::config {

// Both ends belong to it.
template <typename T>
struct Range {
  T min = std::numeric_limits<T>::lowest();
  T max = std::numeric_limits<T>::max();
};
template <>
struct Range<Duration> {
  Duration min{0};
  Duration max{std::int64_t{366} * 24 * 3600 * 1000};  // a year
};
using Integers = Range<std::int64_t>;
using Numbers = Range<double>;
using Durations = Range<Duration>;
using Sizes = Range<std::uint64_t>;

// All errors: `invalid_value` (fix_input).
Result<std::int64_t> parse_integer(std::string_view text, Integers range = {});
Result<double> parse_number(std::string_view text, Numbers range = {});
// "true" or "false", and nothing else.
Result<bool> parse_boolean(std::string_view text);
// "250ms", "30s", "5m", "1.5h", "7d"; a plain number means seconds.
Result<Duration> parse_duration(std::string_view text, Durations range = {});
// "64MiB", "1GB", "512": powers of 1024 with an i, of 1000 without; a plain number means bytes.
Result<std::uint64_t> parse_bytes(std::string_view text, Sizes range = {});
// The place of `text` among `choices`.
Result<std::size_t> parse_choice(std::string_view text, const std::vector<std::string>& choices);

// The shortest text that means the same: "90s", "64MiB".
std::string format_duration(Duration duration);
std::string format_bytes(std::uint64_t bytes);

// The one of `known` that `text` is most likely meant to be, or empty when none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& known);
// "a, b, c"
std::string join(const std::vector<std::string>& words);

}  // namespace assay::config

#endif  // ASSAY_SDK_CONFIG_SCALAR_H_
