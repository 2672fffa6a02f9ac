#include "cli/text/table.h"

#include <algorithm>

#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kGap = 2;

std::vector<std::size_t> widths(const Table& table) {
  std::vector<std::size_t> result;
  result.reserve(table.titles.size());
  for (const Column& column : table.titles) result.push_back(columns(column.title));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size() && i < result.size(); ++i) {
      result[i] = std::max(result[i], columns(row[i].text));
    }
  }
  return result;
}

Line aligned(const std::vector<Span>& cells, const Table& table,
             const std::vector<std::size_t>& widths) {
  Line line;
  for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
    const std::string padding(widths[i] - columns(cells[i].text), ' ');
    const bool last = i + 1 == widths.size();
    if (table.titles[i].right) {
      line.emplace_back(padding);
      line.push_back(cells[i]);
    } else {
      line.push_back(cells[i]);
      if (!last) line.emplace_back(padding);
    }
    if (!last) line.emplace_back(std::string(kGap, ' '));
  }
  // Nothing invisible at the end of a line: it would only be copied along.
  while (!line.empty() && line.back().text.find_first_not_of(' ') == std::string::npos) {
    line.pop_back();
  }
  return line;
}

}  // namespace

std::vector<std::string> render(const Table& table, const Look& look) {
  const std::vector<std::size_t> width = widths(table);
  std::vector<std::string> lines;
  const bool titled = std::any_of(table.titles.begin(), table.titles.end(),
                                  [](const Column& column) { return !column.title.empty(); });
  if (titled) {
    std::vector<Span> cells;
    cells.reserve(table.titles.size());
    for (const Column& column : table.titles) cells.emplace_back(column.title, Ink::kDim);
    lines.push_back(render(aligned(cells, table, width), look));
  }
  for (const auto& row : table.rows) lines.push_back(render(aligned(row, table, width), look));
  return lines;
}

}  // namespace assay::cli
