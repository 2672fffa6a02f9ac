#include "cli/event_line.h"

#include <algorithm>

#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kTextColumnsMax = 400;
constexpr std::size_t kTimeOfDay = 11;  // "2026-07-01 " in front of it

std::string joined_lines(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::string joined;
  for (const char character : text) {
    if (character == '\n') {
      joined += " | ";
    } else {
      joined += character;
    }
  }
  return printable(joined, kTextColumnsMax);
}

}  // namespace

Line event_line(const FeedEvent& event) {
  Line line{{format_local_time(event.at).substr(kTimeOfDay), Ink::kDim}, {"  "}};
  const std::string text = joined_lines(event.text);
  if (event.kind == EventKind::kWorker) {
    line.emplace_back("worker  " + printable(event.worker.value) + "  " + text);
    return line;
  }
  if (event.kind == EventKind::kQueue) {
    line.emplace_back("queue  " + printable(event.queue.value, 64) + "  " + text);
    return line;
  }
  line.emplace_back(printable(event.queue.value, 64) + "/" + event.task.text() + "  ");
  switch (event.kind) {
    case EventKind::kState:
      line.emplace_back(std::string(to_string(event.state)), ink_of(event.state));
      if (event.attempt.number > 1) {
        line.emplace_back("  attempt " + std::to_string(event.attempt.number));
      }
      if (!event.worker.value.empty()) line.emplace_back("  on " + printable(event.worker.value));
      break;
    case EventKind::kProgress:
      line.emplace_back(std::to_string(event.done));
      if (event.total > 0) line.emplace_back("/" + std::to_string(event.total));
      break;
    case EventKind::kLog:
      line.emplace_back("log", Ink::kDim);
      break;
    case EventKind::kSafety:
      line.emplace_back("safety", Ink::kRed);
      break;
    case EventKind::kDead:
      line.emplace_back("dead letter", Ink::kRed);
      break;
    case EventKind::kWorker:
    case EventKind::kQueue:
      break;
  }
  if (!text.empty()) line.emplace_back("  " + text);
  return line;
}

}  // namespace assay::cli
