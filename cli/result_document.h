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

// Mean, least and greatest of some numbers.
struct Spread {
  std::string name;
  std::uint64_t count = 0;
  std::optional<double> mean;
  std::optional<double> least;
  std::optional<double> greatest;
};

// A file that the evaluation brought out.
struct OutputFile {
  std::string path;
  std::uint64_t pod = 0;
  std::optional<std::string> content_base64;  // left out when it was too much
};

struct ResultDocument {
  std::string name;
  std::string status;  // passed, failed, error, timeout, cancelled
  std::string reason;
  std::optional<double> seconds;
  std::vector<TestResult> tests;
  std::map<std::string, std::uint64_t> counts;  // by outcome
  Spread scores;
  std::vector<Spread> metrics;
  std::optional<double> cpu_seconds;
  std::optional<double> memory_bytes_peak;
  std::uint64_t requests = 0;  // to model endpoints
  std::size_t pods = 0;
  std::vector<OutputFile> outputs;
  std::vector<std::string> notes;  // what else to know: what was left out, say
  std::optional<std::string> log;
};

// Nothing when the bytes are not a JSON object with a `status` or `tests`: another worker's result.
// Never throws.
std::optional<ResultDocument> parse_result_document(std::string_view bytes);

}  // namespace assay::cli

#endif  // ASSAY_CLI_RESULT_DOCUMENT_H_
