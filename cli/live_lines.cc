#include "cli/live_lines.h"

#include <algorithm>

namespace assay::cli {
namespace {

// To the first column, up over the lines drawn (the cursor rests at the end of the last), clear to
// the end.
std::string rewind(std::size_t drawn) {
  std::string text = "\r";
  if (drawn > 1) text += "\x1b[" + std::to_string(drawn - 1) + "A";
  return text + "\x1b[J";
}

}  // namespace

LiveLines::~LiveLines() {
  clear();
}

void LiveLines::show(const std::vector<Line>& lines) {
  if (!console_.live()) return;
  Look look = console_.look();
  // A line as wide as the window would wrap on some terminals and spoil the count of lines.
  look.width = std::max<std::size_t>(look.width, 2) - 1;
  const std::size_t count = std::min(lines.size(), std::max<std::size_t>(console_.height(), 2) - 1);
  std::vector<std::string> next;
  next.reserve(count);
  for (std::size_t i = 0; i < count; ++i) next.push_back(render(lines[i], look));
  if (next == drawn_) return;
  // One write, so that the terminal never shows a half-drawn state for long.
  std::string text = drawn_.empty() ? "" : rewind(drawn_.size());
  for (std::size_t i = 0; i < next.size(); ++i) text += (i == 0 ? "" : "\n") + next[i];
  console_.write(text);
  console_.flush();
  drawn_ = std::move(next);
}

void LiveLines::print_above(const std::vector<Line>& lines) {
  if (lines.empty()) return;
  clear();
  for (const Line& line : lines) console_.print(line);
  console_.flush();
}

void LiveLines::clear() {
  if (drawn_.empty()) return;
  console_.write(rewind(drawn_.size()));
  console_.flush();
  drawn_.clear();
}

}  // namespace assay::cli
