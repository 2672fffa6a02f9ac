// Scanners' findings and the answers of tested images.
#include "workers/build/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/build/validation.h"

namespace assay::image_build {
namespace {

using testing::HasSubstr;

TEST(Scan, OurFormAndTrivysAreUnderstood) {
  const ScanResult ours = parse_scan(
      R"({"findings": [{"id": "CVE-1", "severity": "HIGH", "package": "z", "title": "t"}, {}]})");
  ASSERT_EQ(ours.findings.size(), 2U);
  EXPECT_EQ(ours.findings[0].severity, "high");
  EXPECT_EQ(ours.counts.at("unknown"), 1U);
  const ScanResult trivy = parse_scan(
      R"({"Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-2", "Severity": "LOW",
          "PkgName": "a"}]}, {"Target": "x"}, 5]})");
  ASSERT_EQ(trivy.findings.size(), 1U);
  EXPECT_EQ(trivy.findings[0].package, "a");
}

TEST(Scan, AThresholdFailsWhatIsAsBadOrWorse) {
  ScanResult scan;
  scan.counts = {{"high", 2}, {"low", 5}, {"odd", 9}};
  EXPECT_EQ(scan_refusal(scan, ""), "");
  EXPECT_EQ(scan_refusal(scan, "critical"), "");
  EXPECT_EQ(scan_refusal(scan, "high"), "the scanner found 2 of severity high or above");
  EXPECT_EQ(scan_refusal(scan, "low"), "the scanner found 7 of severity low or above");
}

// A scanner that prints nothing useful has not found nothing.
TEST(Scan, WhatIsNotUnderstoodPassesNoThreshold) {
  const ScanResult scan = parse_scan("all good!");
  EXPECT_EQ(scan.output, "all good!");
  EXPECT_NE(scan_refusal(scan, "critical"), "");
  EXPECT_EQ(scan_refusal(scan, ""), "");
}

TEST(Scan, TheReferenceIsTheLastArgumentAndNoShellSeesIt) {
  const Result<ScanResult> scan =
      scan_image({"/bin/echo", "{\"findings\": []} #"}, "r/$(id);x@sha256:1", Duration(5'000), {});
  ASSERT_TRUE(scan.is_ok()) << scan.status().message();
  EXPECT_THAT(scan->output, HasSubstr("r/$(id);x@sha256:1"));
  const Result<ScanResult> failed = scan_image({"/bin/false"}, "x", Duration(5'000), {});
  EXPECT_EQ(failed.status().reason(), "scan_failed");
}

TEST(InferenceAnswer, StatusFieldsAndTextAreCompared) {
  BuildValidation wanted;
  wanted.inference_fields = {{"/choices/0/text", "yes"}, {"/n", "2"}};
  wanted.inference_text = "choices";
  const std::string good = R"({"choices": [{"text": "yes"}], "n": 2})";
  EXPECT_EQ(answer_problem(wanted, {200, good}), "");
  EXPECT_THAT(answer_problem(wanted, {500, good}), HasSubstr("expected status 200, found 500"));
  EXPECT_THAT(answer_problem(wanted, {200, "choices"}), HasSubstr("expected JSON"));
  EXPECT_THAT(answer_problem(wanted, {200, R"({"choices": []})"}),
              HasSubstr("expected a value at '/choices/0/text'"));
  EXPECT_THAT(answer_problem(wanted, {200, R"({"choices": [{"text": "no"}], "n": 2})"}),
              HasSubstr("expected 'yes' at /choices/0/text, found 'no'"));
  EXPECT_THAT(answer_problem(wanted, {200, "{}"}), HasSubstr("expected 'choices' in the answer"));
  wanted.inference_fields = {{"/bad~pointer", "x"}};
  EXPECT_NE(answer_problem(wanted, {200, good}), "");
}

}  // namespace
}  // namespace assay::image_build
