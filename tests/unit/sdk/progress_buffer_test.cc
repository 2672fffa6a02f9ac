#include "sdk/worker/progress_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/wire/limits.h"
#include "sdk/worker/text.h"

namespace assay::worker {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr transport::Instant kNow{Duration(1'000'000)};

std::vector<ProgressReport> take(ProgressBuffer& buffer) {
  return buffer.take(TaskId{}, Attempt{1});
}

std::string logs(const std::vector<ProgressReport>& reports) {
  std::string text;
  for (const ProgressReport& report : reports) {
    EXPECT_LE(report.text.size(), wire::kTextBytesMax);
    if (report.kind == EventKind::kLog) text += report.text + "\n";
  }
  return text;
}

TEST(ProgressBuffer, TheLatestProgressWinsAndLogsAreJoined) {
  ProgressBuffer buffer(kNow);
  EXPECT_TRUE(buffer.empty());
  buffer.on_progress(1, 10, "first");
  buffer.on_log("one", kNow);
  buffer.on_progress(2, 10, "second");
  buffer.on_log("two\nthree", kNow);
  EXPECT_FALSE(buffer.empty());
  const auto reports = take(buffer);
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].text, "one\ntwo\nthree");
  EXPECT_EQ(reports[0].attempt, Attempt{1});
  EXPECT_EQ(reports[1].done, 2U);
  EXPECT_EQ(reports[1].text, "second");
  EXPECT_TRUE(buffer.empty());
  EXPECT_THAT(take(buffer), IsEmpty());
}

TEST(ProgressBuffer, LongLogsAreSplitAtLines) {
  ProgressBuffer buffer(kNow);
  std::string lines;
  while (lines.size() < 3 * wire::kTextBytesMax) lines += std::string(99, 'x') + "\n";
  lines.pop_back();
  buffer.on_log(lines, kNow);
  const auto reports = take(buffer);
  EXPECT_THAT(reports, SizeIs(4));
  EXPECT_EQ(logs(reports), lines + "\n");
}

TEST(ProgressBuffer, AFloodIsCutAndTheCutIsMarked) {
  ProgressBuffer buffer(kNow);
  std::size_t written = 0;
  for (int i = 0; i < 10000; ++i) {
    buffer.on_log(std::string(999, 'x'), kNow);
    written += 999;
  }
  const std::string first = logs(take(buffer));
  EXPECT_LT(first.size(), kLogBurstBytesMax + 1000);
  EXPECT_GT(first.size(), kLogBurstBytesMax - 2000);
  EXPECT_THAT(first, HasSubstr("bytes of log cut here"));
  // A second later there is room again, and the order is kept.
  buffer.on_log(std::string(999, 'y'), kNow);
  buffer.on_log("later", kNow + Duration(1000));
  const std::string second = logs(take(buffer));
  EXPECT_THAT(second, HasSubstr("999 bytes of log cut here"));
  EXPECT_THAT(second, EndsWith("later\n"));
}

TEST(ProgressBuffer, OneHugeLineIsCutWithinCharacters) {
  ProgressBuffer buffer(kNow);
  std::string line;
  while (line.size() < 2 * kLogBurstBytesMax) line += "\xE2\x82\xAC";  // a euro sign
  buffer.on_log(line, kNow);
  for (const ProgressReport& report : take(buffer)) {
    EXPECT_EQ(valid_text(report.text), report.text);
    EXPECT_LE(report.text.size(), wire::kTextBytesMax);
  }
}

TEST(ProgressBuffer, SafetyRemarksAreBoundedAndCounted) {
  ProgressBuffer buffer(kNow);
  for (int i = 0; i < 1000; ++i) buffer.on_safety("egress denied");
  const auto reports = take(buffer);
  ASSERT_THAT(reports, SizeIs(kSafetyRemarksMax + 1));
  EXPECT_EQ(reports.front().kind, EventKind::kSafety);
  EXPECT_EQ(reports.back().text, "968 more remarks of safety rules");
}

TEST(ProgressBuffer, BytesThatAreNoTextBecomeText) {
  ProgressBuffer buffer(kNow);
  buffer.on_log(
      "a\xFF"
      "b\xC3",
      kNow);
  EXPECT_EQ(logs(take(buffer)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\n");
}

TEST(ProgressBuffer, ALogOfMostlyBadBytesStaysWithinBounds) {
  // Each bad byte becomes three.
  ProgressBuffer buffer(kNow);
  buffer.on_log(std::string(2 * kLogBurstBytesMax, '\xFF'), kNow);
  const std::string text = logs(take(buffer));
  EXPECT_LT(text.size(), 4 * kLogBurstBytesMax);
}

TEST(Text, ValidTextIsLeftAlone) {
  const std::string text = "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80";
  EXPECT_EQ(valid_text(text), text);
}

TEST(Text, EveryKindOfBadByteIsReplaced) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_text("\x80"), bad);
  EXPECT_EQ(valid_text("\xC0\x80"), bad + bad);                 // longer than it need be
  EXPECT_EQ(valid_text("\xED\xA0\x80"), bad + bad + bad);       // half of a pair
  EXPECT_EQ(valid_text("\xF4\x90\x80\x80").substr(0, 3), bad);  // beyond Unicode
  EXPECT_EQ(valid_text("\xE2\x82"), bad + bad);                 // cut short
}

TEST(Text, LongTextIsCutAndSaysSo) {
  const std::string text = fit_text(std::string(wire::kTextBytesMax + 1, 'x'));
  EXPECT_LE(text.size(), wire::kTextBytesMax);
  EXPECT_THAT(text, EndsWith("[cut]"));
}

}  // namespace
}  // namespace assay::worker
