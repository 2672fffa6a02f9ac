// How text from outside, durations, tables and bars look.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "cli/text/bar.h"
#include "cli/text/duration.h"
#include "cli/text/line.h"
#include "cli/text/printable.h"
#include "cli/text/table.h"

namespace assay::cli {
namespace {

TEST(Printable, EscapeSequencesAreLeftOutWhole) {
  EXPECT_EQ(printable("a\x1b[31mred\x1b[0m b"), "ared b");
  EXPECT_EQ(printable("x\x1b]0;title\x07y"), "xy");
  EXPECT_EQ(printable("x\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\y"), "xlinky");
  EXPECT_EQ(printable("x\x1bP1$r0m\x1b\\y"), "xy");
  EXPECT_EQ(printable("x\x1b(By\x1b"), "xy");
  EXPECT_EQ(printable("x\xC2\x9B"
                      "31my"),
            "xy")
      << "the 8-bit form of CSI";
  EXPECT_EQ(printable("a\x1b[2J\x1b[1;1Hb\x1b]52;c;ZXZpbA==\x07"
                      "c"),
            "abc");
}

TEST(Printable, ControlAndDirectionCharactersAreLeftOut) {
  EXPECT_EQ(printable(std::string("a\0b\x08\x7f"
                                  "c",
                                  6)),
            "abc");
  EXPECT_EQ(printable("safe\u202Egpj.exe\u2066\u200B"), "safegpj.exe");
  EXPECT_EQ(printable("a\u0085b\u0086c"), "abc");
}

TEST(Printable, LineEndsBecomeOneSpace) {
  EXPECT_EQ(printable("\n\none\r\ntwo\t\nthree \n"), "one two three");
}

TEST(Printable, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(printable("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(printable("a\xC0\xAFz"), "a\uFFFD\uFFFDz") << "overlong";
  EXPECT_EQ(printable("a\xED\xA0\x80z"), "a\uFFFD\uFFFD\uFFFDz") << "a surrogate";
  EXPECT_EQ(printable("a\xE2\x82"), "a\uFFFD\uFFFD") << "cut in the middle";
  EXPECT_EQ(printable("größe 模型 €"), "größe 模型 €");
}

TEST(Printable, LongTextIsCutToColumnsNotBytes) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcde…");
  EXPECT_EQ(printable("模型模型", 6), "模型…") << "wide characters take two columns";
  EXPECT_EQ(columns(printable(std::string(1 << 20, 'x'), 80)), 80U);
}

TEST(Printable, AFloodOfCombiningMarksIsBounded) {
  std::string zalgo = "e";
  for (int i = 0; i < 10'000; ++i) zalgo += "\u0301";
  EXPECT_LT(printable(zalgo, 20).size(), 200U);
}

TEST(Printable, ABlockKeepsItsLines) {
  EXPECT_EQ(printable_block("a\x1b[1m\r\nb\tc\rd\n"), "a\nb    c\nd\n");
  EXPECT_EQ(printable_block("x\x1b]0;never ends\nnext"), "x\nnext");
}

TEST(Duration, IsReadWithUnits) {
  EXPECT_EQ(*parse_duration("90"), Duration(90'000));
  EXPECT_EQ(*parse_duration("1.5s"), Duration(1500));
  EXPECT_EQ(*parse_duration("250ms"), Duration(250));
  EXPECT_EQ(*parse_duration("10m"), Duration(600'000));
  EXPECT_EQ(*parse_duration("1h30m"), Duration(5'400'000));
  EXPECT_EQ(*parse_duration("1d"), Duration(86'400'000));
}

TEST(Duration, NonsenseIsRefusedWithAnExample) {
  for (const char* text : {"", "m", "10x", "-5s", "0", "1e9d", "nan", "inf", "5 m", "999999999d",
                           "10-5", "1h-5m", "2026-07-01"}) {
    const auto result = parse_duration(text);
    ASSERT_FALSE(result.is_ok()) << text;
    EXPECT_EQ(result.status().code(), Code::kFixInput);
    EXPECT_NE(result.status().message().find("10m"), std::string::npos);
  }
}

TEST(MomentInTime, IsReadAsADateWithItsZoneOrFromNow) {
  const Time now{Duration(1'000)};
  EXPECT_EQ(*parse_time("10m", now), now + Duration(600'000));
  const Time half_past{Duration(1'782'909'005'000)};
  EXPECT_EQ(*parse_time("2026-07-01T12:30:05Z", now), half_past);
  EXPECT_EQ(*parse_time("2026-07-01t12:30:05z", now), half_past);
  EXPECT_EQ(*parse_time("2026-07-01T14:30:05+02:00", now), half_past);
  EXPECT_EQ(*parse_time("2026-07-01T07:00:05-05:30", now), half_past);
  EXPECT_EQ(*parse_time("2026-07-01T12:30:05.25Z", now), half_past + Duration(250));
  EXPECT_EQ(*parse_time("2026-07-01T12:30:05.250999Z", now), half_past + Duration(250));
}

TEST(MomentInTime, WithoutAZoneOrOutOfTheCalendarIsRefusedWithAnExample) {
  for (const char* text : {"", "noon", "2026-07-01", "2026-07-01T12:30:05", "2026-02-30T12:30:05Z",
                           "2026-13-01T12:30:05Z", "2026-07-01T24:30:05Z", "2026-07-01T12:60:05Z",
                           "2026-07-01T12:30:05.Z", "2026-07-01T12:30:05+2:00",
                           "2026-07-01T12:30:05Zx", "1969-07-01T12:30:05Z", "-5m"}) {
    const auto result = parse_time(text, Time());
    ASSERT_FALSE(result.is_ok()) << text;
    EXPECT_EQ(result.status().reason(), "invalid_time");
    EXPECT_NE(result.status().message().find("2026-07-01T12:30:05Z"), std::string::npos);
  }
}

TEST(Duration, IsShownInTwoFigures) {
  EXPECT_EQ(format_duration(Duration(-5)), "0.0s");
  EXPECT_EQ(format_duration(Duration(450)), "0.4s");
  EXPECT_EQ(format_duration(Duration(9999)), "9.9s");
  EXPECT_EQ(format_duration(Duration(10'000)), "10s");
  EXPECT_EQ(format_duration(Duration(65'000)), "1m05s");
  EXPECT_EQ(format_duration(Duration(7'380'000)), "2h03m");
  EXPECT_EQ(format_duration(Duration(273'600'000)), "3d04h");
}

TEST(Duration, TimesAreShownRelativeAndAbsolute) {
  const Time time{Duration(1'782'909'005'250)};
  EXPECT_EQ(format_utc(time), "2026-07-01T12:30:05.250Z");
  EXPECT_EQ(format_relative(time, time + Duration(125'000)), "2m05s ago");
  EXPECT_EQ(format_relative(time, time - Duration(3'000)), "in 3.0s");
  EXPECT_EQ(format_relative(time, time + Duration(900)), "now");
}

TEST(Bar, ShowsEighthsAndNeverTheEndTooEarly) {
  EXPECT_EQ(bar(0, 8, 4, true), "░░░░");
  EXPECT_EQ(bar(4, 8, 4, true), "██░░");
  EXPECT_EQ(bar(3, 8, 4, true), "█▌░░");
  EXPECT_EQ(bar(999'999, 1'000'000, 4, true), "███▉");
  EXPECT_EQ(bar(8, 8, 4, true), "████");
  EXPECT_EQ(bar(900, 8, 4, true), "████") << "more than all counts as all";
  EXPECT_EQ(bar(3, 0, 4, true), "░░░░") << "no total";
}

TEST(Bar, IsPlainWithoutUnicode) {
  EXPECT_EQ(bar(1, 2, 10, false), "[####....]");
  EXPECT_EQ(bar(2, 2, 10, false), "[########]");
  EXPECT_EQ(bar(1, 2, 2, false), "");
  EXPECT_EQ(bar(1, 2, 0, true), "");
}

TEST(Bar, HugeCountsDoNotOverflow) {
  EXPECT_EQ(bar(UINT64_MAX / 2, UINT64_MAX, 4, true), "██░░");
}

TEST(Lines, AreCutBeforeTheyArePainted) {
  const Line line{{"abc", Ink::kRed}, {"def"}, {"ghi", Ink::kBold}};
  EXPECT_EQ(render(line, Look{}), "abcdefghi");
  EXPECT_EQ(render(line, Look{.colour = true}), "\x1b[31mabc\x1b[0mdef\x1b[1mghi\x1b[0m");
  for (std::size_t width = 1; width <= 9; ++width) {
    const std::string cut_line = render(line, Look{.width = width});
    EXPECT_EQ(columns(cut_line), width) << cut_line;
    EXPECT_EQ(cut_line.ends_with("…"), width < 9) << cut_line;
  }
}

TEST(Tables, AlignColumnsAndLeaveNoTrailingSpaces) {
  const Table table{{{"QUEUE"}, {"QUEUED", true}, {"NOTE"}},
                    {{"eval", "12", "模型"}, {"a-long-name", "3", ""}}};
  const std::vector<std::string> expected{"QUEUE        QUEUED  NOTE",  //
                                          "eval             12  模型",  //
                                          "a-long-name       3"};
  EXPECT_EQ(render(table, Look{}), expected);
}

}  // namespace
}  // namespace assay::cli
