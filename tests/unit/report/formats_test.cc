// The formats with content that wants to be markup, a formula, a control sequence.
#include "workers/report/format/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::report {
namespace {

// A gtest test has a member Run.
using TaskRun = report::Run;

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string kEvil =
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J"
    "\xE2\x80\xAE\"'&]]>--><!--\x01";

Report report_of(const std::string& text) {
  TaskRun run;
  run.has_document = true;
  run.name = text;
  run.status = "failed";
  run.reason = text;
  run.model = text;
  run.log = text;
  run.notes = {text};
  run.artifacts = {{text, text}};
  run.total = 2;
  run.counts = {{"failed", 1}, {"passed", 1}};
  run.tests = {{text, "failed", 0.5, 1.5, text, text}, {"fine", "passed", {}, 1, "", ""}};
  run.state = TaskState::kFailed;
  Request request;
  request.title = text;
  Report report = make_report(request, {run}, {run}, {}, Time(Duration(1'700'000'000'000)));
  report.notes = {text};
  return report;
}

// Not HasSubstr: it prints the whole page.
bool holds(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

TEST(Html, HostileTextIsTextAndThePageMayReachNothing) {
  const std::string page = to_html(report_of(kEvil));
  for (const char* evil : {"<script>alert", "<img", "\x1b", "\x01", "\xE2\x80\xAE"}) {
    EXPECT_FALSE(holds(page, evil)) << evil;
  }
  EXPECT_TRUE(holds(page, "default-src 'none'; style-src 'sha256-"));
  EXPECT_FALSE(holds(page, "unsafe-inline"));
  std::size_t scripts = 0;
  for (std::size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    ++scripts;
  }
  EXPECT_EQ(scripts, 2U);  // the data and the page's own
}

TEST(Html, NothingInItIsFetchedFromElsewhere) {
  const std::string page = to_html(report_of("harmless"));
  for (const char* asks :
       {" src=", "url(", "@import", "<link", "http:", "https:", " style=", "fetch("}) {
    EXPECT_FALSE(holds(page, asks)) << asks;
  }
}

TEST(Html, TenMegabytesOfOneTextMakeNoTenMegabytesOfPage) {
  const std::string page = to_html(report_of(std::string(10'000'000, 'x')));
  EXPECT_LT(page.size(), 300'000U);
  EXPECT_THAT(page, HasSubstr("MB more]"));
}

TEST(Json, IsVersionedAndSaysAll) {
  const json out = json::parse(to_json(report_of(kEvil)));
  EXPECT_EQ(out["kind"], "assay.report");
  EXPECT_EQ(out["version"], 1);
  EXPECT_EQ(out["verdict"], "failed");
  EXPECT_EQ(out["summary"]["tests"], 2);
  EXPECT_EQ(out["runs"][0]["tests"][0]["name"], kEvil);
  EXPECT_EQ(out["runs"][0]["tests"][0]["score"], 0.5);
  EXPECT_TRUE(out["runs"][0]["tests"][1]["score"].is_null());
  EXPECT_EQ(out["regression"]["paired"], 2);
  const json summary = json::parse(summary_json(report_of(kEvil)));
  EXPECT_FALSE(summary.contains("runs"));
}

TEST(Junit, HoldsNothingThatXmlCannot) {
  const std::string xml = to_junit(report_of(kEvil));
  EXPECT_THAT(xml, HasSubstr("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""));
  EXPECT_THAT(xml, Not(HasSubstr("<script")));
  EXPECT_THAT(xml, Not(HasSubstr("]]>")));
  for (const char c : xml) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
}

TEST(Junit, ALostRunIsSkippedAndNotFailed) {
  TaskRun run;
  run.has_document = true;
  run.state = TaskState::kDead;
  run.status = "error";
  const std::string xml = to_junit(make_report({}, {run}, {}, {}, Time()));
  EXPECT_THAT(xml, HasSubstr("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
}

TEST(Csv, IsNoFormulaAndOneLineATest) {
  Report report = report_of("=cmd|' /C calc'!A0,\"x\"\n");
  const std::string csv = to_csv(report);
  EXPECT_THAT(csv, HasSubstr(",\"'=cmd|"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

TEST(Markdown, IsNoMarkup) {
  const std::string text = to_markdown(report_of("**bold** [x](http://y) <b> @all | `c`\n# head"));
  EXPECT_THAT(text,
              HasSubstr("\\*\\*bold\\*\\* \\[x\\]\\(http\\://y\\) &lt;b\\> &#64;all \\| \\`c\\`"));
  EXPECT_THAT(text, Not(HasSubstr("\n# head")));
}

}  // namespace
}  // namespace assay::report
