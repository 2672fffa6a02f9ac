#include "broker/core/cron.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::core {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

// Nothing that a line can name is further away than 29 February is around a year like 2100.
constexpr days kHorizon{366 * 9};
constexpr std::size_t kLineBytesMax = 256;

struct Field {
  const char* name;
  int min;
  int max;
  std::vector<std::string_view> words;  // for min, min + 1, ...
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> kFields{{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of the month", 1, 31, {}},
      {"month",
       1,
       12,
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  return kFields;
}

Status invalid(const std::string& what) {
  return fix_input("invalid_schedule", what);
}

Status invalid(const Field& field, std::string_view found) {
  return invalid(std::string(field.name) + ": expected *, a number from " +
                 std::to_string(field.min) + " to " + std::to_string(field.max) +
                 ", a range a-b, a step */n, or several with commas between, found '" +
                 std::string(found) + "'");
}

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || text.front() == '-' || error != std::errc() ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<int> parse_value(const Field& field, std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto word = std::find(field.words.begin(), field.words.end(), lower);
  if (word != field.words.end()) return field.min + static_cast<int>(word - field.words.begin());
  const auto number = parse_number(text);
  if (!number || *number < field.min || *number > field.max) return std::nullopt;
  return number;
}

// One part between commas: adds its values to `set`. False: it is none.
template <std::size_t N>
bool add_part(const Field& field, std::string_view part, std::bitset<N>& set) {
  int step = 1;
  const std::size_t slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto number = parse_number(part.substr(slash + 1));
    if (!number || *number < 1 || *number > field.max) return false;
    step = *number;
    part = part.substr(0, slash);
  }
  std::optional<int> first = field.min, last = field.max;
  const std::size_t dash = part.find('-');
  if (part != "*") {
    first = parse_value(field, part.substr(0, dash));
    last = dash == std::string_view::npos ? (slash == std::string_view::npos ? first : last)
                                          : parse_value(field, part.substr(dash + 1));
  } else if (field.min == 0 && field.max == 7) {
    last = 6;  // every day of the week once
  }
  if (!first || !last || *first > *last) return false;
  for (int value = *first; value <= *last; value += step)
    set.set(static_cast<std::size_t>(value % (field.max == 7 ? 7 : field.max + 1)));
  return true;
}

template <std::size_t N>
Status read_field(const Field& field, std::string_view text, std::bitset<N>& set) {
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    if (!add_part(field, rest.substr(0, comma), set)) return invalid(field, text);
    if (comma == std::string_view::npos) return Status::ok();
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    if (end > begin) words.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string_view long_form(std::string_view line) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kNames{{{"@hourly", "0 * * * *"},
                                                                   {"@daily", "0 0 * * *"},
                                                                   {"@weekly", "0 0 * * 0"},
                                                                   {"@monthly", "0 0 1 * *"},
                                                                   {"@yearly", "0 0 1 1 *"}}};
  for (const auto& [name, fields] : kNames) {
    if (line == name) return fields;
  }
  return line;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view line) {
  if (line.size() > kLineBytesMax) {
    return invalid("expected a cron line of at most " + std::to_string(kLineBytesMax) +
                   " characters, found " + std::to_string(line.size()));
  }
  const auto words = words_of(long_form(line));
  if (words.size() != fields().size()) {
    return invalid(
        "expected five fields (minute, hour, day of the month, month, day of the week), "
        "or one of @hourly, @daily, @weekly, @monthly, @yearly, found '" +
        std::string(line) + "'");
  }
  Cron cron;
  Status status = read_field(fields()[0], words[0], cron.minutes_);
  if (status.is_ok()) status = read_field(fields()[1], words[1], cron.hours_);
  if (status.is_ok()) status = read_field(fields()[2], words[2], cron.days_);
  if (status.is_ok()) status = read_field(fields()[3], words[3], cron.months_);
  if (status.is_ok()) status = read_field(fields()[4], words[4], cron.weekdays_);
  if (!status.is_ok()) return status;
  cron.any_hour_ = words[1].starts_with('*');
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  // From a leap year on, so that 29 February is found.
  if (!cron.next_after(Time(std::chrono::sys_days(std::chrono::year(2000) / 1 / 1)), {})) {
    return invalid("there is no such day: '" + std::string(line) + "' is never due");
  }
  return cron;
}

bool Cron::is_due_on(std::chrono::sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_.test(unsigned(date.month()))) return false;
  const bool day_fits = days_.test(unsigned(date.day()));
  const bool weekday_fits = weekdays_.test(std::chrono::weekday(day).c_encoding());
  // cron(5): two restrictions are alternatives, unless one begins with a *.
  return any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
}

std::optional<Cron::Minutes> Cron::first_match(Minutes from, Minutes before) const {
  for (auto day = std::chrono::floor<days>(from); day < before; day += days(1)) {
    if (!is_due_on(day)) continue;
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_.test(hour)) continue;
      for (std::size_t minute = 0; minute < minutes_.size(); ++minute) {
        const Minutes at = day + std::chrono::hours(hour) + minutes(minute);
        if (minutes_.test(minute) && at >= from) {
          if (at >= before) return std::nullopt;
          return at;
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<Time> Cron::next_after(Time after, const ZoneOffsets& zone) const {
  static const ZoneOffsets kUtc{{Time::min(), seconds(0)}};
  const ZoneOffsets& offsets = zone.empty() ? kUtc : zone;
  const auto later =
      std::upper_bound(offsets.begin(), offsets.end(), after,
                       [](Time time, const ZoneOffset& offset) { return time < offset.from; });
  const Time horizon = after + kHorizon;
  auto current = later == offsets.begin() ? later : later - 1;
  for (; current != offsets.end() && current->from < horizon; ++current) {
    const bool is_first = current == offsets.begin();
    const seconds before = is_first ? current->ahead : (current - 1)->ahead;
    // The hour that was skipped when this offset began is made up for at that moment.
    if (!any_hour_ && !is_first && current->ahead > before && current->from > after &&
        first_match(std::chrono::ceil<minutes>(current->from + before),
                    std::chrono::ceil<minutes>(current->from + current->ahead))) {
      return current->from;
    }
    Time begin = after + Duration(1);
    if (!is_first) begin = std::max(begin, current->from);
    // The hour that comes twice counted the first time.
    if (!any_hour_ && !is_first && current->ahead < before)
      begin = std::max(begin, current->from + (before - current->ahead));
    const Time end = current + 1 == offsets.end() ? horizon : (current + 1)->from;
    const auto match = first_match(std::chrono::ceil<minutes>(begin + current->ahead),
                                   std::chrono::ceil<minutes>(end + current->ahead));
    if (match) return std::chrono::time_point_cast<Duration>(*match - current->ahead);
  }
  return std::nullopt;
}

std::optional<Time> Cron::last_between(Time after, Time until, const ZoneOffsets& zone) const {
  if (until <= after) return std::nullopt;
  // A line for each minute has many due times in a year: the last is looked for near the end first.
  for (const Duration window : {Duration(std::chrono::hours(1)), Duration(days(1)),
                                Duration(days(32)), Duration(days(367)), Duration(kHorizon)}) {
    const Time from = std::max(after, until - window);
    std::optional<Time> last;
    for (auto due = next_after(from, zone); due && *due <= until; due = next_after(*due, zone))
      last = due;
    if (last || from == after) return last;
  }
  return std::nullopt;
}

}  // namespace assay::core
