// One line from the runner, checked. Whatever bytes come, the answer is a line that obeys README.md
// or nothing: bounded in nesting, in the length of every text and in the number of tests.
#ifndef ASSAY_WORKERS_EVAL_HARNESS_RUNNER_LINE_H_
#define ASSAY_WORKERS_EVAL_HARNESS_RUNNER_LINE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::eval {

inline constexpr std::size_t kLineNestingMax = 32;
inline constexpr std::size_t kTestCountMax = 100'000;
inline constexpr std::size_t kTestNameBytesMax = 500;
inline constexpr std::size_t kReasonBytesMax = 4'000;
inline constexpr std::size_t kDetailBytesMax = 64 * 1024;
inline constexpr std::size_t kMetricsBytesMax = 16 * 1024;

struct LoadedTest {
  std::string name;
  bool streams = false;
};

struct RunnerLine {
  enum class Type { kLoaded, kLoadFailed, kPartial, kProgress, kResult, kEnded, kOutput };
  Type type = Type::kLoaded;
  std::vector<LoadedTest> tests;  // loaded
  std::string test;               // partial, progress, result, ended
  std::string name;               // partial
  std::optional<bool> passed;
  std::optional<double> score;
  std::string reason;
  std::string metrics = "{}";  // a JSON object
  std::string detail;
  std::optional<double> seconds;  // as the runner claims
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string text;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  std::string limit;
  std::string path;  // output
  std::string content_base64;
};

// Nothing, and `error` says why, when the line breaks the protocol.
std::optional<RunnerLine> parse_runner_line(std::string_view line, std::string& error);

// Whether brackets in a JSON text are nested deeper than `levels`. Asked before it is parsed,
// because what is made of it is walked by recursion.
bool nested_deeper(std::string_view json, std::size_t levels);

// At most `bytes_max` bytes of `text`, never half a character of UTF-8.
std::string_view cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_HARNESS_RUNNER_LINE_H_
