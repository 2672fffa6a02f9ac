// A result document for people, whatever is in it.
#include "cli/result_view.h"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

constexpr const char* kDocument = R"({
  "version": 1, "status": "failed", "reason": "1 of 3 tests failed", "seconds": 14.2,
  "name": "safety_battery",
  "tests": [
    {"name": "test_polite", "outcome": "passed", "score": null, "seconds": 0.25, "reason": ""},
    {"name": "test_refuses", "outcome": "failed", "seconds": 1.5, "reason": "said yes",
     "detail": "Traceback\n  line 3\nAssertionError: said yes\n"},
    {"name": "helpfulness", "outcome": "scored", "score": 0.875, "seconds": 12, "metrics": {"n": 8}}
  ],
  "counts": {"total": 3, "passed": 1, "failed": 1, "scored": 1, "error": 0},
  "scores": {"count": 3, "mean": 0.625, "min": 0, "max": 1},
  "metrics": {"tokens": {"count": 1, "mean": 512, "min": 512, "max": 512}},
  "usage": {"cpu_seconds": 3.21, "memory_bytes_peak": 52428800,
            "requests": {"example": 7, "judge": 1}},
  "pods": [{"number": 0}], "log": "hello\n",
  "outputs": [{"path": "executed.ipynb", "content_base64": "e30="}], "notes": ["left out: details"]
})";

std::string shown(const TaskResult& task, const ResultDocument& document) {
  std::string text;
  for (const Line& line : result_lines(task, document)) text += render(line, Look{}) + "\n";
  return text;
}

TaskResult failed_task() {
  TaskResult task;
  task.state = TaskState::kFailed;
  task.attempt = {1};
  return task;
}

TEST(ResultView, FailuresComeFirstWithTheirReasons) {
  const auto document = parse_result_document(kDocument);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(shown(failed_task(), *document),
            "safety_battery  failed  1 passed, 1 scored, 1 failed  in 14s\n"
            "  1 of 3 tests failed\n"
            "Did not pass\n"
            "  failed     test_refuses  1.5s  said yes\n"
            "      | Traceback\n"
            "      |   line 3\n"
            "      | AssertionError: said yes\n"
            "Passed\n"
            "  passed     test_polite  0.2s\n"
            "  scored     helpfulness  score 0.875  12s\n"
            "Means\n"
            "  score   0.625  0 to 1, of 3\n"
            "  tokens  512    of 1\n"
            "Usage  1 pod, 3.2s of CPU, 52.4 MB of memory, 8 requests to the model\n"
            "Output executed.ipynb\n"
            "  to have them: assay result 00000000000000000000000000 --outputs DIR\n"
            "note: left out: details\n"
            "more: assay result 00000000000000000000000000  or  assay logs "
            "00000000000000000000000000\n");
}

TEST(ResultView, WhatIsNoEvaluationIsNotTakenForOne) {
  EXPECT_FALSE(parse_result_document("").has_value());
  EXPECT_FALSE(parse_result_document("hello").has_value());
  EXPECT_FALSE(parse_result_document("[1,2]").has_value());
  EXPECT_FALSE(parse_result_document(R"({"digest":"sha256:..."})").has_value());
}

TEST(ResultView, FieldsOfAnotherTypeAreLeftOut) {
  const auto document = parse_result_document(
      R"({"status":"failed","reason":7,"tests":[1,null,{"name":[],"outcome":{},"score":"x",
          "seconds":-1e300}],"counts":{"passed":"many","failed":-3},"scores":[1],"usage":null,
          "metrics":{"m":[],"n":{"mean":"x"}},"evaluation":7,"outputs":[1,{"path":{}}],
          "notes":[[]],"name":[],"pods":"p","log":{}})");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->tests.size(), 1U);
  EXPECT_TRUE(document->counts.empty());
  EXPECT_FALSE(document->log.has_value());
  EXPECT_FALSE(shown(failed_task(), *document).empty());
}

TEST(ResultView, HostileTextIsMadeHarmlessAndShort) {
  ResultDocument document;
  document.name = "\x1b]0;owned\x07name";
  document.status = "\x1b[2Jpassed";
  document.reason = std::string(1'000'000, 'r');
  for (int i = 0; i < 10'000; ++i) {
    TestResult test;
    test.name = "t\x1b[1m" + std::string(10'000, 'n');
    test.outcome = "failed\x1b[0m";
    test.reason = "\r\n\x1b[31m" + std::string(1000, 'w');
    if (i < 3) test.detail = std::string(100'000, '\n') + "\x1b[2J" + std::string(100'000, 'd');
    document.tests.push_back(std::move(test));
  }
  document.metrics.assign(10'000, {"\x1b[1mm", 1, 1e300, std::nullopt, -0.0});
  document.outputs.assign(10'000, {"\x1b[1mo", 0, std::nullopt});
  document.notes.assign(10'000, "\x1b[1ml");
  const std::string text = shown(failed_task(), document);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_LT(text.size(), 60'000U);
  EXPECT_NE(text.find("… and 9960 more"), std::string::npos);
}

TEST(ResultView, DeeplyNestedBytesDoNoHarm) {
  EXPECT_FALSE(parse_result_document(std::string(1'000'000, '[')).has_value());
  std::string nested = R"({"status":"failed","scores":)" + std::string(100'000, '[') +
                       std::string(100'000, ']') + "}";
  EXPECT_TRUE(parse_result_document(nested).has_value());
}

TEST(ResultView, AnotherWorkersResultIsShownFromItsBeginning) {
  TaskResult task;
  task.attempt = {1};
  task.result = "line one\n\x1b[31mline two" + std::string(10'000, 'x');
  const auto lines = result_lines(task);
  EXPECT_EQ(render(lines[0], Look{}), "00000000000000000000000000  succeeded");
  EXPECT_EQ(render(lines[1], Look{}), "line one");
  EXPECT_NE(render(lines.back(), Look{}).find("bytes more"), std::string::npos);
}

}  // namespace
}  // namespace assay::cli
