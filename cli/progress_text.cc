#include "cli/progress_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kTextColumnsMax = 300;

constexpr std::array<std::string_view, 9> kOutcomes{
    "passed", "scored", "failed", "error", "timeout", "crashed", "limit", "not_run", "cancelled"};

struct Count {
  std::uint64_t number = 0;
  std::string_view outcome;
};

// "12 passed"
std::optional<Count> parse_count(std::string_view text) {
  Count count;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count.number);
  if (error != std::errc() || stop == end || *stop != ' ') return std::nullopt;
  count.outcome = text.substr(static_cast<std::size_t>(stop - text.data()) + 1);
  if (!is_outcome(count.outcome)) return std::nullopt;
  return count;
}

// "12 passed, 2 failed"; nothing when any part of it is something else.
std::map<std::string, std::uint64_t> parse_counts(std::string_view text) {
  std::map<std::string, std::uint64_t> counts;
  while (true) {
    const std::size_t comma = text.find(", ");
    const auto count = parse_count(text.substr(0, comma));
    if (!count) return {};
    counts[std::string(count->outcome)] = count->number;
    if (comma == std::string_view::npos) return counts;
    text.remove_prefix(comma + 2);
  }
}

}  // namespace

std::uint64_t ProgressText::troubles() const {
  std::uint64_t sum = 0;
  for (const auto& [outcome, number] : counts) sum += is_trouble(outcome) ? number : 0;
  return sum;
}

ProgressText parse_progress_text(std::string_view text) {
  ProgressText parsed;
  const std::size_t line_end = text.find('\n');
  std::string_view first = text.substr(0, line_end);
  const std::size_t semicolon = first.find(';');
  parsed.counts = parse_counts(first.substr(0, semicolon));
  if (!parsed.counts.empty()) {
    first.remove_prefix(semicolon == std::string_view::npos ? first.size() : semicolon + 1);
    while (first.starts_with(' ')) first.remove_prefix(1);
  }
  parsed.current = printable(first, kTextColumnsMax);
  if (line_end == std::string_view::npos) return parsed;
  const std::string_view second = text.substr(line_end + 1);
  const std::size_t space = second.find(' ');
  if (space == std::string_view::npos || !is_trouble(second.substr(0, space))) return parsed;
  parsed.trouble_outcome = second.substr(0, space);
  parsed.trouble = printable(second.substr(space + 1), kTextColumnsMax);
  return parsed;
}

bool is_outcome(std::string_view word) {
  return std::find(kOutcomes.begin(), kOutcomes.end(), word) != kOutcomes.end();
}

bool is_trouble(std::string_view outcome) {
  return is_outcome(outcome) && outcome != "passed" && outcome != "scored";
}

Ink ink_of(std::string_view outcome) {
  if (outcome == "passed" || outcome == "scored") return Ink::kGreen;
  if (outcome == "not_run" || outcome == "cancelled") return Ink::kYellow;
  return is_outcome(outcome) ? Ink::kRed : Ink::kPlain;
}

Line count_spans(const std::map<std::string, std::uint64_t>& counts, std::string_view separator) {
  Line line;
  for (const std::string_view outcome : kOutcomes) {
    const auto found = counts.find(std::string(outcome));
    if (found == counts.end() || found->second == 0) continue;
    if (!line.empty()) line.emplace_back(std::string(separator));
    line.emplace_back(std::to_string(found->second) + " " + std::string(outcome), ink_of(outcome));
  }
  return line;
}

}  // namespace assay::cli
