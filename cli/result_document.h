// The result of an evaluation, read from the bytes that its worker left at the broker.
// docs/results.md describes the document. What it holds came out of untrusted code: everything is
// optional here, of any length, and may hold any character; views make it printable.
#ifndef ASSAY_CLI_RESULT_DOCUMENT_H_
#define ASSAY_CLI_RESULT_DOCUMENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::cli {

struct TestResult {
  std::string name;
  std::string outcome;  // passed, failed, scored, error, timeout, crashed, limit, not_run, ...
  std::optional<double> score;
  std::optional<double> seconds;
  std::string reason;
  std::string detail;  // a traceback
};

struct ResultDocument {
  std::string name;
  std::string status;  // passed, failed, ...
  std::string reason;
  std::vector<TestResult> tests;
  std::map<std::string, std::uint64_t> counts;              // by outcome
  std::vector<std::pair<std::string, std::string>> scores;  // name and value as text
  std::vector<std::pair<std::string, std::string>> usage;
  std::vector<std::string> notes;  // "not isolated", safety stops, what was left out
  std::vector<std::string> outputs;
  std::size_t pods = 0;
  std::optional<std::string> log;
};

// Nothing when the bytes are not a JSON object with a `status` or `tests`: another worker's result.
// Never throws.
std::optional<ResultDocument> parse_result_document(std::string_view bytes);

}  // namespace assay::cli

#endif  // ASSAY_CLI_RESULT_DOCUMENT_H_
