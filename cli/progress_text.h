// What the evaluation worker says of its tests in a progress text, taken apart. The text is for
// people first:
//
//   12 passed, 2 failed; test 15 of 200: test_refuses
//   failed test_b: expected 'no', found 'yes'
//
// The counts are of all tests so far and the second line is the last test that did not pass, so
// that a text that was merged with a later one on its way is not missed. Both may be absent; any
// other text is only shown.
#ifndef ASSAY_CLI_PROGRESS_TEXT_H_
#define ASSAY_CLI_PROGRESS_TEXT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cli/text/line.h"

namespace assay::cli {

struct ProgressText {
  std::map<std::string, std::uint64_t> counts;  // by outcome
  std::string current;                          // printable, as is the line below
  std::string trouble_outcome;                  // "failed"; empty when nothing is told
  std::string trouble;                          // "test_b: expected ..."

  // How many tests did not pass.
  std::uint64_t troubles() const;
};
ProgressText parse_progress_text(std::string_view text);

// The outcomes of tests, the good ones first.
bool is_outcome(std::string_view word);
// Is this outcome something that a reader should see at once?
bool is_trouble(std::string_view outcome);
// The colour of a test's outcome or an evaluation's status.
Ink ink_of(std::string_view outcome);
// "12 passed", "2 failed", ... each in its colour, good ones first, zeroes left out.
Line count_spans(const std::map<std::string, std::uint64_t>& counts, std::string_view separator);

}  // namespace assay::cli

#endif  // ASSAY_CLI_PROGRESS_TEXT_H_
