#include "cli/bench/load_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kPercentiles[] = {50, 90, 99};

// The least value that `percent` of all do not exceed. 0 when there is none.
Microseconds percentile(const std::vector<Microseconds>& sorted, std::size_t percent) {
  if (sorted.empty()) return Microseconds(0);
  return sorted[(sorted.size() * percent + 99) / 100 - 1];
}

double milliseconds(Microseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

std::string number(double value, const char* form) {
  char text[64];
  (void)std::snprintf(text, sizeof text, form, value);
  return text;
}

Line latency_line(const std::string& title, std::vector<Microseconds> times) {
  std::sort(times.begin(), times.end());
  Line line{{title, Ink::kDim}};
  for (const int percent : kPercentiles) {
    const Microseconds value = percentile(times, static_cast<std::size_t>(percent));
    line.emplace_back("p" + std::to_string(percent) + " " + number(milliseconds(value), "%.1f") +
                      " ms  ");
  }
  line.emplace_back("max " + number(milliseconds(percentile(times, 100)), "%.1f") + " ms");
  return line;
}

ordered_json latency_json(std::vector<Microseconds> times) {
  std::sort(times.begin(), times.end());
  ordered_json out;
  for (const int percent : kPercentiles) {
    out["p" + std::to_string(percent)] =
        milliseconds(percentile(times, static_cast<std::size_t>(percent)));
  }
  out["max"] = milliseconds(percentile(times, 100));
  return out;
}

double per_second(std::size_t count, Duration time) {
  return time.count() <= 0 ? 0
                           : static_cast<double>(count) * 1000 / static_cast<double>(time.count());
}

}  // namespace

void LoadReport::accepted(std::size_t tasks, Microseconds since_due) {
  to_accept_.insert(to_accept_.end(), tasks, since_due);
}

void LoadReport::refused(std::size_t tasks, const Status& why) {
  refused_[why.reason()] += tasks;
  refused_count_ += tasks;
}

void LoadReport::ended(TaskState state, Microseconds since_due) {
  ++ended_[state];
  to_end_.push_back(since_due);
}

ExitCode LoadReport::exit_code() const {
  const auto succeeded = ended_.find(TaskState::kSucceeded);
  const std::size_t good = succeeded == ended_.end() ? 0 : succeeded->second;
  if (good < to_end_.size() || refused_count_ > 0) return ExitCode::kFailed;
  return to_end_.size() < to_accept_.size() ? ExitCode::kError : ExitCode::kOk;
}

std::vector<Line> LoadReport::lines() const {
  std::vector<Line> lines;
  lines.push_back(
      {{"submitted  ", Ink::kDim},
       {std::to_string(to_accept_.size() + refused_count_) + " in " +
        format_duration(submitted_for_) + ", " +
        number(per_second(to_accept_.size(), submitted_for_), "%.1f") + " accepted a second"}});
  lines.push_back({{"accepted   ", Ink::kDim}, {std::to_string(to_accept_.size())}});
  for (const auto& [reason, count] : refused_) {
    lines.push_back({{"refused    ", Ink::kDim},
                     {std::to_string(count) + " " + printable(reason, 64), Ink::kRed}});
  }
  for (const auto& [state, count] : ended_) {
    const std::string title(to_string(state));
    lines.push_back(
        {{title + std::string(11 - std::min<std::size_t>(title.size(), 10), ' '), Ink::kDim},
         {std::to_string(count), ink_of(state)}});
  }
  if (to_end_.size() < to_accept_.size()) {
    lines.push_back({{"not ended  ", Ink::kDim},
                     {std::to_string(to_accept_.size() - to_end_.size()), Ink::kYellow}});
  }
  lines.push_back(latency_line("to accept  ", to_accept_));
  lines.push_back(latency_line("to end     ", to_end_));
  return lines;
}

std::string LoadReport::json() const {
  ordered_json refused = ordered_json::object();
  for (const auto& [reason, count] : refused_) refused[reason] = count;
  ordered_json ended = ordered_json::object();
  for (const auto& [state, count] : ended_) ended[std::string(to_string(state))] = count;
  const ordered_json document = {
      {"submitted", to_accept_.size() + refused_count_},
      {"accepted", to_accept_.size()},
      {"refused", std::move(refused)},
      {"ended", std::move(ended)},
      {"seconds", static_cast<double>(submitted_for_.count()) / 1000},
      {"accepted_per_second", per_second(to_accept_.size(), submitted_for_)},
      {"accept_ms", latency_json(to_accept_)},
      {"end_ms", latency_json(to_end_)}};
  return document.dump();
}

}  // namespace assay::cli
