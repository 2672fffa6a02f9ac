#include "workers/eval/harness/runner_line.h"

#include <gtest/gtest.h>

namespace assay::eval {
namespace {

bool understood(std::string_view line) {
  std::string error;
  const bool good = parse_runner_line(line, error).has_value();
  EXPECT_EQ(good, error.empty()) << line;
  return good;
}

TEST(RunnerLine, EveryKindOfLineIsRead) {
  EXPECT_TRUE(understood(R"({"type":"loaded","tests":[{"name":"test_a","streams":false}]})"));
  EXPECT_TRUE(understood(R"({"type":"load_failed","reason":"line 3","detail":"trace"})"));
  EXPECT_TRUE(understood(R"({"type":"partial","test":"t","name":"case 7","passed":null})"));
  EXPECT_TRUE(understood(R"({"type":"progress","test":"t","done":3,"total":10,"text":""})"));
  EXPECT_TRUE(understood(R"({"type":"result","test":"t","passed":true,"score":0.5})"));
  EXPECT_TRUE(understood(R"({"type":"ended","test":"t","exit_code":null,"signal":9})"));
  EXPECT_TRUE(understood(R"({"type":"output","path":"a","content_base64":"YQ=="})"));
}

TEST(RunnerLine, WhatIsNotTheProtocolIsRefused) {
  for (const std::string_view line :
       {"", "x", "[]", "{}", "null", "{\"type\":1}", "{\"type\":\"verdict\"}",
        "{\"type\":\"loaded\"}", R"({"type":"loaded","tests":[1]})",
        R"({"type":"loaded","tests":[{"name":""}]})",
        R"({"type":"loaded","tests":[{"name":"a"},{"name":"a"}]})", R"({"type":"result"})",
        R"({"type":"result","test":5})", R"({"type":"result","test":"t","passed":"yes"})",
        R"({"type":"result","test":"t","score":1e999})",
        R"({"type":"result","test":"t","score":NaN})",
        R"({"type":"result","test":"t","metrics":[]})", "{\"type\":\"result\",\"test\":\"\xff\"}",
        R"({"type":"ended","test":"t","exit_code":1.5})"}) {
    EXPECT_FALSE(understood(line)) << line;
  }
}

TEST(RunnerLine, DeepNestingIsRefusedBeforeItIsBuilt) {
  const std::string deep = R"({"type":"result","test":"t","metrics":{"a":)" +
                           std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}}";
  EXPECT_FALSE(understood(deep));
  EXPECT_FALSE(understood(std::string(3'000'000, '[')));
}

TEST(RunnerLine, BracketsInAStringAreNotNesting) {
  EXPECT_TRUE(understood(R"({"type":"result","test":"t","reason":")" + std::string(500, '[') +
                         R"(\"[[{{"})"));
}

TEST(RunnerLine, LongTextsAreCutBetweenCharacters) {
  std::string reason;
  for (std::size_t i = 0; i < kReasonBytesMax; ++i) reason += "\u00e9";
  std::string error;
  const auto line =
      parse_runner_line(R"({"type":"result","test":"t","reason":")" + reason + "\"}", error);
  ASSERT_TRUE(line) << error;
  EXPECT_EQ(line->reason.size(), kReasonBytesMax);
  EXPECT_EQ(cut_text("a\u00e9", 2), "a");
}

TEST(RunnerLine, MetricsThatAreTooLargeAreLeftOutAndSaySo) {
  std::string error;
  const auto line = parse_runner_line(R"({"type":"result","test":"t","metrics":{"x":")" +
                                          std::string(kMetricsBytesMax, 'x') + "\"}}",
                                      error);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->metrics, R"({"metrics_too_large":true})");
}

}  // namespace
}  // namespace assay::eval
