// A line a test, RFC 4180. A spreadsheet runs a cell that begins with = + - @ as a formula, so such
// a text gets an apostrophe in front.
#include "workers/report/format/formats.h"
#include "workers/report/text/visible.h"

namespace assay::report {
namespace {

constexpr std::size_t kCellBytesMax = 2000;

std::string cell(const std::string& text) {
  std::string safe = visible(text, kCellBytesMax);
  if (!safe.empty() && std::string_view("=+-@").find(safe.front()) != std::string_view::npos) {
    safe.insert(0, 1, '\'');
  }
  if (safe.find_first_of("\",") == std::string::npos) return safe;
  std::string out = "\"";
  for (const char c : safe) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string to_csv(const Report& report) {
  std::string out = "task,run,verdict,test,outcome,score,seconds,reason\r\n";
  for (const Run& run : report.runs) {
    const std::string head =
        run.id.text() + "," + cell(run.title()) + "," + to_string(run.verdict()) + ",";
    for (const Test& test : run.tests) {
      out += head + cell(test.name) + "," + test.outcome + ",";
      if (test.score) out += std::to_string(*test.score);
      out += "," + std::to_string(test.seconds) + "," + cell(test.reason) + "\r\n";
    }
    if (run.tests.empty()) out += head + ",,,," + cell(run.reason) + "\r\n";
  }
  return out;
}

}  // namespace assay::report
