#include "cli/text/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>

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

// The number in exactly so many digits at the front of `text`, which is taken off it.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  for (const char digit : text.substr(0, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "05:30" -> five and a half hours.
std::optional<minutes> take_hours_and_minutes(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return hours(*hour) + minutes(*minute);
}

// A fraction of a second, as far as milliseconds, and the zone; what is left of the text is not
// theirs.
std::optional<Duration> take_fraction_and_zone(std::string_view& text) {
  Duration sum(0);
  if (take(text, ".")) {
    int unit = 100;
    const std::size_t before = text.size();
    while (const auto digit = take_digits(text, 1)) {
      sum += Duration(*digit * unit);
      unit /= 10;
    }
    if (text.size() == before) return std::nullopt;
  }
  if (take(text, "Zz")) return sum;
  const bool is_east = !text.empty() && text.front() == '+';
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_hours_and_minutes(text);
  if (!offset) return std::nullopt;
  return is_east ? sum - *offset : sum + *offset;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto of_day = take_hours_and_minutes(text);
  if (!of_day || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  const auto rest = take_fraction_and_zone(text);
  if (!date.ok() || *year < 1970 || !rest || !text.empty()) return std::nullopt;
  return Time(std::chrono::sys_days(date).time_since_epoch()) + *of_day + seconds(*second) + *rest;
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
    if (unit == 0 || std::signbit(number)) return invalid(text);
    rest.remove_prefix(letters);
    if (letters == 0 && !rest.empty()) return invalid(text);  // "2026-07-01" is a date
    total += number * unit;
  }
  if (!std::isfinite(total) || total < 1 || total > kMillisecondsMax) return invalid(text);
  return Duration(static_cast<std::int64_t>(std::llround(total)));
}

Result<Time> parse_time(std::string_view text, Time now) {
  if (const Result<Duration> duration = parse_duration(text); duration.is_ok()) {
    return now + *duration;
  }
  if (const auto time = parse_rfc3339(text)) return *time;
  return fix_input("invalid_time", "'" + std::string(text) +
                                       "' is no time; expected so long from now, for example 10m, "
                                       "or a date, for example 2026-07-01T12:30:05Z");
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
