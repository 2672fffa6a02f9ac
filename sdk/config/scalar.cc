#include "sdk/config/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "sdk/log/printable.h"

namespace assay::config {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kDurationUnits = {
    Unit{"ms", 1},      Unit{"s", 1e3},      Unit{"m", 60e3}, Unit{"min", 60e3},
    Unit{"h", 3'600e3}, Unit{"d", 86'400e3}, Unit{"", 1e3},
};
constexpr std::array kByteUnits = {
    Unit{"B", 1},
    Unit{"KiB", 1024},
    Unit{"MiB", 1048576},
    Unit{"GiB", 1073741824},
    Unit{"TiB", 1099511627776},
    Unit{"kB", 1e3},
    Unit{"KB", 1e3},
    Unit{"MB", 1e6},
    Unit{"GB", 1e9},
    Unit{"TB", 1e12},
    Unit{"", 1},
};

Status invalid(std::string expected, std::string_view found) {
  return fix_input("invalid_value", "expected " + std::move(expected) + ", found '" +
                                        log::printable(found.substr(0, 200)) + "'");
}

template <typename T>
bool parse_whole(std::string_view text, T& value) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// What a range asks for, in words: "from 1 to 10", "at least 1", "at most 10", "".
template <typename T, typename Format>
std::string in_words(const Range<T>& range, const Format& format) {
  const Range<T> all;
  if (range.min > all.min && range.max < all.max) {
    return " from " + format(range.min) + " to " + format(range.max);
  }
  if (range.min > all.min) return " of at least " + format(range.min);
  return range.max < all.max ? " of at most " + format(range.max) : "";
}

// A number with a unit, as a multiple of the smallest; nothing below 0 and nothing fractional is
// left.
template <std::size_t kCount>
bool parse_with_unit(std::string_view text, const std::array<Unit, kCount>& units, double& value) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  if (digits == 0 || !parse_whole(text.substr(0, digits), value)) return false;
  std::string_view name = text.substr(digits);
  while (!name.empty() && name[0] == ' ') name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    value = std::round(value * unit.factor);
    return value < 9e15;  // where doubles stop being exact
  }
  return false;
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text, Integers range) {
  std::int64_t value = 0;
  if (parse_whole(text, value) && value >= range.min && value <= range.max) return value;
  const auto format = [](std::int64_t number) { return std::to_string(number); };
  return invalid("an integer" + in_words(range, format), text);
}

Result<double> parse_number(std::string_view text, Numbers range) {
  double value = 0;
  if (parse_whole(text, value) && std::isfinite(value) && value >= range.min &&
      value <= range.max) {
    return value;
  }
  return invalid("a number" + in_words(range, number_text), text);
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return invalid("true or false", text);
}

Result<Duration> parse_duration(std::string_view text, Durations range) {
  double milliseconds = 0;
  if (parse_with_unit(text, kDurationUnits, milliseconds)) {
    const Duration value(static_cast<std::int64_t>(milliseconds));
    if (value >= range.min && value <= range.max) return value;
  }
  return invalid("a duration" + in_words(range, format_duration) + " such as 250ms, 30s, 5m or 1h",
                 text);
}

Result<std::uint64_t> parse_bytes(std::string_view text, Sizes range) {
  double bytes = 0;
  if (parse_with_unit(text, kByteUnits, bytes)) {
    const auto value = static_cast<std::uint64_t>(bytes);
    if (value >= range.min && value <= range.max) return value;
  }
  return invalid("a size" + in_words(range, format_bytes) + " such as 512, 64MiB or 1GB", text);
}

Result<std::size_t> parse_choice(std::string_view text, const std::vector<std::string>& choices) {
  const auto found = std::find(choices.begin(), choices.end(), text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  return invalid("one of " + join(choices), text);
}

std::string format_duration(Duration duration) {
  const std::int64_t milliseconds = duration.count();
  struct Step {
    std::int64_t size;
    const char* unit;
  };
  // The greatest unit that divides it evenly.
  for (const Step& step :
       {Step{86'400'000, "d"}, Step{3'600'000, "h"}, Step{60'000, "m"}, Step{1000, "s"}}) {
    if (milliseconds != 0 && milliseconds % step.size == 0) {
      return std::to_string(milliseconds / step.size) + step.unit;
    }
  }
  return milliseconds == 0 ? "0s" : std::to_string(milliseconds) + "ms";
}

std::string format_bytes(std::uint64_t bytes) {
  struct Step {
    int shift;
    const char* unit;
  };
  for (const Step& step : {Step{40, "TiB"}, Step{30, "GiB"}, Step{20, "MiB"}, Step{10, "KiB"}}) {
    const std::uint64_t size = std::uint64_t{1} << step.shift;
    if (bytes != 0 && bytes % size == 0) return std::to_string(bytes / size) + step.unit;
  }
  return std::to_string(bytes);
}

namespace {

// How many letters must be added, removed, replaced or swapped (neighbours) to make one of the
// other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view text, const std::vector<std::string>& known) {
  if (text.size() > 100) return {};  // the distance costs size times size
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(text.size() / 3, 1) + 1;
  for (const std::string& word : known) {
    const std::size_t this_distance = distance(text, word);
    if (this_distance >= best_distance || this_distance >= word.size()) continue;
    best_distance = this_distance;
    best = &word;
  }
  return best == nullptr ? std::string() : *best;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace assay::config
