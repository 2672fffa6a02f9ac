#include "cli/text/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace assay::cli {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr double kMillisecondsMax = 10.0 * 365 * 24 * 3600 * 1000;

Status invalid(std::string_view text) {
  return fix_input("invalid_duration", "'" + std::string(text) +
                                           "' is no duration; expected a number and a unit, "
                                           "for example 30s, 10m, 1h30m or 250ms");
}

// The milliseconds of a unit, and 0 for one that does not exist.
double unit_milliseconds(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit.empty() || unit == "s") return 1000;
  if (unit == "m" || unit == "min") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return 0;
}

std::string two_units(std::int64_t large, const char* large_unit, std::int64_t small,
                      const char* small_unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%lld%s%02lld%s", static_cast<long long>(large),
                large_unit, static_cast<long long>(small), small_unit);
  return text.data();
}

std::string format_time(Time time, const char* pattern, bool local) {
  const std::time_t whole = std::chrono::floor<seconds>(time).time_since_epoch().count();
  std::tm parts{};
  if ((local ? localtime_r(&whole, &parts) : gmtime_r(&whole, &parts)) == nullptr) return "?";
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), pattern, &parts);
  return text.data();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  double total = 0;
  std::string_view rest = text;
  if (rest.empty()) return invalid(text);
  while (!rest.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return invalid(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    const double unit = unit_milliseconds(rest.substr(0, letters));
    if (unit == 0) return invalid(text);
    rest.remove_prefix(letters);
    total += number * unit;
  }
  if (!std::isfinite(total) || total < 1 || total > kMillisecondsMax) return invalid(text);
  return Duration(static_cast<std::int64_t>(std::llround(total)));
}

std::string format_duration(Duration duration) {
  if (duration < Duration(0)) duration = Duration(0);
  if (duration < seconds(10)) {
    std::array<char, 32> text{};
    const auto tenths = duration.count() / 100;
    std::snprintf(text.data(), text.size(), "%lld.%llds", static_cast<long long>(tenths / 10),
                  static_cast<long long>(tenths % 10));
    return text.data();
  }
  const auto whole = std::chrono::floor<seconds>(duration);
  if (whole < minutes(1)) return std::to_string(whole.count()) + "s";
  if (whole < hours(1))
    return two_units(whole / minutes(1), "m", (whole % minutes(1)).count(), "s");
  if (whole < days(1)) return two_units(whole / hours(1), "h", whole % hours(1) / minutes(1), "m");
  return two_units(whole / days(1), "d", whole % days(1) / hours(1), "h");
}

std::string format_relative(Time time, Time now) {
  const Duration since = now - time;
  if (since > Duration(-1000) && since < Duration(1000)) return "now";
  return since < Duration(0) ? "in " + format_duration(-since) : format_duration(since) + " ago";
}

std::string format_local_time(Time time) {
  return format_time(time, "%Y-%m-%d %H:%M:%S", true);
}

std::string format_utc(Time time) {
  const auto part = time - std::chrono::floor<seconds>(time);
  std::array<char, 8> milliseconds{};
  std::snprintf(milliseconds.data(), milliseconds.size(), ".%03d",
                static_cast<int>(part.count() % 1000));
  return format_time(time, "%Y-%m-%dT%H:%M:%S", false) + milliseconds.data() + "Z";
}

}  // namespace assay::cli
