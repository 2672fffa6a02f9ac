// Words in a log that people want to hear of.
#include "workers/eval/monitor/safety_rules.h"

#include <gtest/gtest.h>

namespace assay::eval {
namespace {

const std::vector<SafetyRule>& rules() {
  static const std::vector<SafetyRule> kRules{{"keys", {"BEGIN RSA", "api_key="}, true},
                                              {"shell", {"/bin/sh"}, false}};
  return kRules;
}

TEST(SafetyRules, ALineIsFoundInAnyCaseAndNamedWithItsRule) {
  SafetyWatch watch(rules());
  const auto found = watch.look("one\nhere: Api_Key=1234\nthree");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "keys");
  EXPECT_TRUE(found[0].stops);
  EXPECT_EQ(found[0].line, "here: Api_Key=1234");
}

TEST(SafetyRules, EachRuleSpeaksOnce) {
  SafetyWatch watch(rules());
  EXPECT_TRUE(watch.look("nothing of interest\n").empty());
  EXPECT_EQ(watch.look("/bin/sh\nbegin rsa").size(), 2U);
  EXPECT_TRUE(watch.look("/bin/sh\nbegin rsa").empty());
}

TEST(SafetyRules, WordsAreNotFoundAcrossLinesAndALongLineIsShownCut) {
  SafetyWatch watch(rules());
  EXPECT_TRUE(watch.look("/bin/\nsh").empty());
  const auto found = watch.look("\n" + std::string(1000, 'x') + "/bin/sh");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, std::string(200, 'x'));
}

TEST(SafetyRules, WithoutRulesNothingIsFound) {
  const std::vector<SafetyRule> none;
  EXPECT_TRUE(SafetyWatch(none).look("BEGIN RSA").empty());
}

}  // namespace
}  // namespace assay::eval
