// What a progress text tells, and what it can't be made to tell.
#include "cli/progress_text.h"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

TEST(ProgressTexts, CountsCurrentTestAndLastTroubleAreTakenApart) {
  const ProgressText text = parse_progress_text(
      "12 passed, 1 scored, 2 failed; test 15 of 200: test_refuses; or not\n"
      "failed test_b: expected 'no'; found 'yes'");
  EXPECT_EQ(text.counts, (Counts{{"passed", 12}, {"scored", 1}, {"failed", 2}}));
  EXPECT_EQ(text.current, "test 15 of 200: test_refuses; or not");
  EXPECT_EQ(text.trouble_outcome, "failed");
  EXPECT_EQ(text.trouble, "test_b: expected 'no'; found 'yes'");
  EXPECT_EQ(text.troubles(), 2U);
}

TEST(ProgressTexts, AnyOtherTextIsOnlyShown) {
  for (const char* words :
       {"half way", "12 monkeys; test", "passed", "12 passed,1 failed; x", "-1 passed; x",
        "99999999999999999999999 passed; x", ";", "test; 1 passed"}) {
    const ProgressText text = parse_progress_text(words);
    EXPECT_TRUE(text.counts.empty()) << words;
    EXPECT_EQ(text.current, words);
    EXPECT_TRUE(text.trouble.empty());
  }
  EXPECT_EQ(parse_progress_text("").current, "");
  EXPECT_EQ(parse_progress_text("x\npassed test_a").trouble, "") << "that is no trouble";
  EXPECT_EQ(parse_progress_text("x\nfailed").trouble, "");
}

TEST(ProgressTexts, CountsAloneAreEnough) {
  const ProgressText text = parse_progress_text("3 passed");
  EXPECT_EQ(text.counts, (Counts{{"passed", 3}}));
  EXPECT_EQ(text.current, "");
}

}  // namespace
}  // namespace assay::cli
