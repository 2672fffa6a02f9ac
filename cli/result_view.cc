#include "cli/result_view.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/progress_text.h"
#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"
#include "cli/text/table.h"

namespace assay::cli {
namespace {

constexpr std::size_t kTroubleMax = 40;   // tests listed with their reasons
constexpr std::size_t kTestsListed = 12;  // of those that passed
constexpr std::size_t kFiguresMax = 40;
constexpr std::size_t kDetailLinesMax = 6;  // of a traceback: its end says what happened
constexpr std::size_t kDetailsMax = 3;
constexpr std::size_t kNameColumns = 48;
constexpr std::size_t kReasonColumns = 300;
constexpr std::size_t kBytesShownMax = 4096;
constexpr std::size_t kScreenLines = 20;
constexpr std::size_t kOutputsMax = 20;

Ink verdict_ink(const TaskResult& task, const ResultDocument& document) {
  if (task.state == TaskState::kCancelled) return Ink::kYellow;
  return exit_code(task.state, document.status) == ExitCode::kOk ? Ink::kGreen : Ink::kRed;
}

std::string seconds_text(const std::optional<double>& seconds) {
  if (!seconds || !(*seconds >= 0) || *seconds > 1e9) return {};
  return format_duration(Duration(static_cast<std::int64_t>(*seconds * 1000)));
}

std::string number_text(const std::optional<double>& number) {
  if (!number) return "-";
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.4g", *number);
  return digits.data();
}

std::string bytes_text(double bytes) {
  std::array<char, 32> text{};
  if (bytes < 1e6) {
    std::snprintf(text.data(), text.size(), "%.0f kB", bytes / 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.1f MB", bytes / 1e6);
  }
  return text.data();
}

// "score  0.91 (0.5 to 1, of 12)" and the metrics, aligned.
void append_figures(std::vector<Line>& lines, const ResultDocument& document) {
  std::vector<Spread> figures;
  if (document.scores.count > 0) {
    figures.push_back(document.scores);
    figures.back().name = "score";
  }
  for (const Spread& metric : document.metrics) {
    if (figures.size() < kFiguresMax) figures.push_back(metric);
  }
  if (figures.empty()) return;
  Table table{{{""}, {""}, {""}}, {}};
  for (const Spread& figure : figures) {
    std::string of = "of " + std::to_string(figure.count);
    if (figure.count > 1 && figure.least != figure.greatest) {
      of.insert(0, number_text(figure.least)
                       .append(" to ")
                       .append(number_text(figure.greatest))
                       .append(", "));
    }
    table.rows.push_back(
        {"  " + printable(figure.name, kNameColumns), number_text(figure.mean), {of, Ink::kDim}});
  }
  lines.push_back({{"Means", Ink::kBold}});
  for (const std::string& row : render(table, Look{})) lines.push_back({{row}});
  if (document.metrics.size() > figures.size()) {
    lines.push_back({{"  … and more in the result document", Ink::kDim}});
  }
}

void append_usage(std::vector<Line>& lines, const ResultDocument& document) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (document.pods > 0) {
    add(std::to_string(document.pods) + (document.pods == 1 ? " pod" : " pods"));
  }
  if (document.cpu_seconds) add(seconds_text(document.cpu_seconds) + " of CPU");
  const double memory = document.memory_bytes_peak.value_or(0);
  if (memory > 0) add(bytes_text(memory) + " of memory");
  if (document.requests > 0) add(std::to_string(document.requests) + " requests to the model");
  if (!text.empty()) lines.push_back({{"Usage  ", Ink::kBold}, {text}});
}

void append_outputs(std::vector<Line>& lines, const TaskResult& task,
                    const ResultDocument& document) {
  std::size_t shown = 0;
  for (const OutputFile& output : document.outputs) {
    if (++shown > kOutputsMax) break;
    lines.push_back({{"Output ", Ink::kBold}, {printable(output.path, 200)}});
  }
  if (shown > 0) {
    lines.push_back(
        {{"  to have them: assay result " + task.id.text() + " --outputs DIR", Ink::kDim}});
  }
  for (const std::string& note : document.notes) {
    if (++shown > kOutputsMax) break;
    lines.push_back({{"note: ", Ink::kYellow}, {printable(note, kReasonColumns)}});
  }
}

Line test_line(const TestResult& test, std::size_t name_width) {
  const std::string name = printable(test.name, kNameColumns);
  Line line{{"  "}, {printable(test.outcome, 12), ink_of(test.outcome)}};
  line.emplace_back(std::string(11 - std::min<std::size_t>(10, columns(line.back().text)), ' '));
  line.emplace_back(name + std::string(name_width - std::min(name_width, columns(name)), ' '));
  if (test.score) line.emplace_back("  score " + number_text(test.score));
  const std::string seconds = seconds_text(test.seconds);
  if (test.seconds.value_or(0) >= 0.05) line.emplace_back("  " + seconds, Ink::kDim);
  const std::string reason = printable(test.reason, kReasonColumns);
  if (!reason.empty()) line.emplace_back("  " + reason);
  return line;
}

// The last lines of a traceback, indented.
void append_detail(std::vector<Line>& lines, const std::string& detail) {
  constexpr std::size_t kBytesMax = 20'000;
  std::string_view tail = detail;
  if (tail.size() > kBytesMax) tail.remove_prefix(tail.size() - kBytesMax);
  const std::string block = printable_block(tail);
  std::vector<std::string> rows;
  std::size_t at = 0;
  while (at < block.size()) {
    const std::size_t end = std::min(block.find('\n', at), block.size());
    if (end > at) rows.push_back(cut(block.substr(at, end - at), 160));
    at = end + 1;
  }
  const std::size_t skip = rows.size() > kDetailLinesMax ? rows.size() - kDetailLinesMax : 0;
  for (std::size_t i = skip; i < rows.size(); ++i) {
    lines.push_back({{"      | " + rows[i], Ink::kDim}});
  }
}

void append_tests(std::vector<Line>& lines, const std::vector<TestResult>& tests, bool trouble) {
  std::vector<const TestResult*> chosen;
  std::size_t width = 0;
  for (const TestResult& test : tests) {
    const bool good = test.outcome == "passed" || test.outcome == "scored";
    // Of many tests that only passed, the names are noise; a score is what was asked for.
    const bool dull = !trouble && !test.score && tests.size() > kTestsListed;
    if (good == trouble || dull) continue;
    chosen.push_back(&test);
    width = std::max(width, columns(printable(test.name, kNameColumns)));
  }
  if (chosen.empty()) return;
  // Of many scores the low ones tell most.
  const bool many = !trouble && chosen.size() > kTestsListed;
  if (many) {
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const TestResult* one, const TestResult* other) {
                       return one->score.value_or(0) < other->score.value_or(0);
                     });
  }
  lines.push_back({{trouble ? "Did not pass" : many ? "Lowest scores" : "Passed", Ink::kBold}});
  const std::size_t shown = std::min(chosen.size(), trouble ? kTroubleMax : kTestsListed);
  for (std::size_t i = 0; i < shown; ++i) {
    lines.push_back(test_line(*chosen[i], width));
    if (trouble && i < kDetailsMax) append_detail(lines, chosen[i]->detail);
  }
  if (chosen.size() > shown) {
    lines.push_back({{"  … and " + std::to_string(chosen.size() - shown) + " more", Ink::kDim}});
  }
}

Line verdict_line(const TaskResult& task, const ResultDocument& document) {
  const std::string name = printable(document.name.empty() ? task.id.text() : document.name, 60);
  const std::string status =
      printable(document.status.empty() ? std::string(to_string(task.state)) : document.status, 20);
  Line verdict{{name + "  ", Ink::kBold}, {status, verdict_ink(task, document)}};
  const Line counts = count_spans(document.counts, ", ");
  if (!counts.empty()) verdict.emplace_back("  ");
  verdict.insert(verdict.end(), counts.begin(), counts.end());
  const std::string seconds = seconds_text(document.seconds);
  if (!seconds.empty()) verdict.emplace_back("  in " + seconds, Ink::kDim);
  return verdict;
}

}  // namespace

std::vector<Line> result_lines(const TaskResult& task, const ResultDocument& document) {
  const Line verdict = verdict_line(task, document);
  std::vector<Line> lines{verdict};
  const std::string reason =
      printable(document.reason.empty() ? task.reason : document.reason, 400);
  if (!reason.empty()) lines.push_back({{"  " + reason}});
  append_tests(lines, document.tests, true);
  append_tests(lines, document.tests, false);
  append_figures(lines, document);
  append_usage(lines, document);
  append_outputs(lines, task, document);
  // What a reader looks for must not have scrolled away.
  if (lines.size() > kScreenLines) lines.push_back(verdict);
  const std::string id = task.id.text();
  std::string more = "more: assay result " + id;
  if (document.log && !document.log->empty()) more += "  or  assay logs " + id;
  lines.push_back({{more, Ink::kDim}});
  return lines;
}

std::vector<Line> result_lines(const TaskResult& task) {
  std::vector<Line> lines{ended_line(task)};
  if (task.result.empty()) return lines;
  const std::string block =
      printable_block(std::string_view(task.result).substr(0, kBytesShownMax));
  std::size_t at = 0;
  while (at < block.size()) {
    const std::size_t end = std::min(block.find('\n', at), block.size());
    lines.push_back({{block.substr(at, end - at)}});
    at = end + 1;
  }
  if (task.result.size() > kBytesShownMax) {
    lines.push_back(
        {{"… " + std::to_string(task.result.size() - kBytesShownMax) +
              " bytes more; all of it: assay result " + task.id.text() + " --output FILE",
          Ink::kDim}});
  }
  return lines;
}

Line ended_line(const TaskResult& task) {
  Line line{{task.id.text() + "  "}, {std::string(to_string(task.state)), ink_of(task.state)}};
  if (task.attempt.number > 1)
    line.emplace_back("  attempt " + std::to_string(task.attempt.number));
  const std::string reason = printable(task.reason, 300);
  if (!reason.empty()) line.emplace_back("  " + reason);
  return line;
}

}  // namespace assay::cli
