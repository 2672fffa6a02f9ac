// Durations and times as people write and read them.
#ifndef ASSAY_CLI_TEXT_DURATION_H_
#define ASSAY_CLI_TEXT_DURATION_H_

#include <string>
#include <string_view>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::cli {

// "90", "1.5s", "250ms", "10m", "2h", "1d", "1h30m"; a bare number is seconds.
// Errors: `invalid_duration` (fix_input) for anything else, and for what is zero, negative or over
// ten years.
Result<Duration> parse_duration(std::string_view text);

// A time: a duration as above, counted from `now`, or a date and time of day with its zone as in
// RFC 3339, "2026-07-01T12:30:05Z" or "2026-07-01T14:30:05.250+02:00". Errors: `invalid_time`
// (fix_input).
Result<Time> parse_time(std::string_view text, Time now);

// Two figures at most: "0.4s", "12s", "1m05s", "2h03m", "3d04h". Negative durations count as none.
std::string format_duration(Duration duration);

// "2m05s ago", "in 3s", "now" for less than a second.
std::string format_relative(Time time, Time now);

// In the machine's own time zone: "2026-07-01 12:30:05".
std::string format_local_time(Time time);

// In UTC, for programs: "2026-07-01T12:30:05.250Z".
std::string format_utc(Time time);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TEXT_DURATION_H_
