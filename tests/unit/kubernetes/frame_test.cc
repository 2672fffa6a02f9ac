#include "workers/eval/harness/frame.h"

#include <gtest/gtest.h>

namespace assay::eval {
namespace {

std::string long_text() {
  std::string out;
  for (int i = 0; i < 30'000; ++i) out += static_cast<char>('a' + i % 26);
  return out;
}

TEST(Frames, WhatIsWrittenIsReadWhateverThePieces) {
  FrameWriter writer;
  std::string bytes = writer.line("one");
  bytes += writer.line("");
  bytes += writer.line(long_text());
  bytes += writer.piece("half");
  bytes += writer.line(" and whole");
  const std::string wanted = "one\n\n" + long_text() + "\nhalf and whole\n";
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{8191}, bytes.size()}) {
    FrameReader reader;
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += size)
      text += reader.add(bytes.substr(at, size));
    EXPECT_EQ(text, wanted);
    EXPECT_FALSE(reader.gap());
  }
  // No frame is longer than what container runtimes keep whole.
  for (std::size_t begin = 0, end = 0; (end = bytes.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    EXPECT_LT(end - begin, 16U << 10);
  }
}

TEST(Frames, WhatIsReadTwiceCountsOnceAndAHoleIsSeen) {
  FrameWriter writer;
  const std::string first = writer.line("a");
  const std::string second = writer.line("b");
  const std::string third = writer.line("c");
  FrameReader reader;
  EXPECT_EQ(reader.add(first + second.substr(0, 1)), "a\n");
  reader.restart();
  EXPECT_EQ(reader.add(first + second), "b\n");
  FrameReader other;
  EXPECT_EQ(other.add(first + third), "a\n");
  EXPECT_TRUE(other.gap());
  other.restart();
  EXPECT_EQ(other.add(first + second + third), "b\nc\n");
  EXPECT_FALSE(other.gap());
}

TEST(Frames, WhatIsNoFrameIsCountedAndPassedOver) {
  FrameWriter writer;
  FrameReader reader;
  EXPECT_EQ(reader.add("I am no frame\n99999999999999999999999.x\n+\n" + writer.line("a")), "a\n");
  EXPECT_GT(reader.strange_bytes(), 0U);
  EXPECT_EQ(reader.add(std::string(100'000, 'x')), "");
}

}  // namespace
}  // namespace assay::eval
