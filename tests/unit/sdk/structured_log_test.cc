// Lines of the log, character by character.
#include "sdk/log/structured_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sdk/log/printable.h"

namespace assay::log {
namespace {

using ::testing::HasSubstr;

constexpr Time kTime{Duration(1'717'761'601'123)};  // 2024-06-07 12:00:01.123 UTC

TEST(StructuredLogTest, JsonLineKeepsTheTypesOfItsFields) {
  const std::string text = "eval";
  EXPECT_EQ(json_line(kTime, Level::kInfo, "task_submitted", "assay-broker",
                      {{"queue", text},
                       {"count", 3},
                       {"size", std::size_t{18'446'744'073'709'551'615U}},
                       {"seconds", 0.5},
                       {"first", true},
                       {"nothing", std::nan("")}}),
            R"({"time":"2024-06-07T12:00:01.123Z","level":"info","event":"task_submitted",)"
            R"("program":"assay-broker","queue":"eval","count":3,"size":18446744073709551615,)"
            R"("seconds":0.5,"first":true,"nothing":null})");
}

TEST(StructuredLogTest, JsonLineEscapesWhatWouldBreakIt) {
  const std::string hostile = "a\"b\\c\nd\x1b[31m\x7f\xff\xc2\x9b";
  EXPECT_THAT(json_line(kTime, Level::kError, "e", "p", {{"text", hostile}}),
              HasSubstr("\"text\":\"a\\\"b\\\\c\\nd\\u001b[31m\\u007f\xef\xbf\xbd\\u009b\""));
}

TEST(StructuredLogTest, FieldCannotTakeTheNameOfAFixedOne) {
  EXPECT_THAT(json_line(kTime, Level::kInfo, "e", "p", {{"level", "fake"}}),
              HasSubstr(R"("level":"info","event":"e","program":"p","level_":"fake")"));
}

TEST(StructuredLogTest, TextLineIsForPeople) {
  EXPECT_EQ(
      text_line(kTime, Level::kInfo, "task_submitted",
                {{"task", "01HZ"}, {"reason", "out of \"memory\""}, {"empty", ""}}),
      "12:00:01.123 info  task_submitted task=01HZ reason=\"out of \\\"memory\\\"\" empty=\"\"");
  EXPECT_EQ(text_line(kTime, Level::kError, "gone", {}), "12:00:01.123 error gone");
}

TEST(StructuredLogTest, TextLineStaysOneLineAndCannotCommandTheTerminal) {
  EXPECT_EQ(text_line(kTime, Level::kWarn, "e", {{"text", "a\nb\x1b]0;x\x07"}}),
            "12:00:01.123 warn  e text=a\\nb\\x1b]0;x\\x07");
}

TEST(StructuredLogTest, LinesGoToStandardErrorFromTheLevelOn) {
  start({.program = "assay-test", .level = Level::kWarn, .form = Form::kJson});
  testing::internal::CaptureStderr();
  debug("unheard");
  info("unheard");
  warn("heard", {{"n", 1}});
  error("heard_too");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, HasSubstr(R"("level":"warn","event":"heard","program":"assay-test","n":1})"
                                 "\n"));
  EXPECT_THAT(written, HasSubstr(R"("event":"heard_too")"));
  EXPECT_THAT(written, Not(HasSubstr("unheard")));
  EXPECT_FALSE(enabled(Level::kInfo));
  set_level(Level::kDebug);
  EXPECT_TRUE(enabled(Level::kDebug));
}

TEST(StructuredLogTest, LevelsAreKnownByName) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    EXPECT_EQ(parse_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_level("warning"), std::nullopt);
}

TEST(PrintableTest, KeepsUtf8AndEscapesEverythingThatIsNot) {
  EXPECT_EQ(printable("grün 🙂 日本"), "grün 🙂 日本");
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // half of a surrogate pair
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // over U+10FFFF
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                    // cut off
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("back\\slash \"quote\""), "back\\slash \"quote\"");
}

}  // namespace
}  // namespace assay::log
