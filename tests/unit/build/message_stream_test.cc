// What an engine says while it works.
#include "workers/build/docker/message_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::image_build {
namespace {

std::vector<EngineMessage> messages_of(std::string_view bytes, std::size_t piece) {
  std::vector<EngineMessage> out;
  MessageStream stream([&](const EngineMessage& message) { out.push_back(message); });
  for (std::size_t i = 0; i < bytes.size(); i += piece) stream.add(bytes.substr(i, piece));
  stream.finish();
  return out;
}

TEST(MessageStream, MessagesAreTheSameHoweverTheBytesAreCut) {
  const std::string bytes =
      "{\"stream\":\"Step 1/2 : FROM a\\n\"}\r\n"
      "{\"status\":\"Pushing\",\"id\":\"ab\",\"progressDetail\":{\"current\":1}}\n"
      "{\"aux\":{\"ID\":\"sha256:1\"}}\n\n"
      "not json\n"
      "{\"errorDetail\":{\"code\":2,\"message\":\"no\"},\"error\":\"no\"}\n"
      "{\"aux\":{\"Tag\":\"v1\",\"Digest\":\"sha256:2\",\"Size\":5}}";
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
    const std::vector<EngineMessage> messages = messages_of(bytes, piece);
    ASSERT_EQ(messages.size(), 6U);
    EXPECT_EQ(messages[0].text, "Step 1/2 : FROM a\n");
    EXPECT_EQ(messages[1].text, "Pushing");
    EXPECT_EQ(messages[1].layer, "ab");
    EXPECT_EQ(messages[2].image_id, "sha256:1");
    EXPECT_EQ(messages[3].text, "not json");
    EXPECT_EQ(messages[4].error, "no");
    EXPECT_EQ(messages[4].error_code, 2);
    EXPECT_EQ(messages[5].digest, "sha256:2");
  }
}

TEST(MessageStream, ValuesOfOtherKindsAreNothing) {
  const auto messages =
      messages_of("{\"stream\":1,\"aux\":[],\"error\":{},\"errorDetail\":\"x\"}\n[1]\n", 100);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].text + messages[0].error + messages[0].image_id, "");
}

TEST(MessageStream, ALineWithoutEndTakesBoundedMemory) {
  std::size_t longest = 0;
  MessageStream stream([&](const EngineMessage& m) { longest = std::max(longest, m.text.size()); });
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 100; ++i) stream.add(piece);
  stream.add("\n");
  EXPECT_EQ(longest, std::size_t{1} << 20);
}

TEST(BuildSteps, AreReadFromTheirLine) {
  const auto step = parse_step("Step 4/9 : RUN make\n");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->number, 4U);
  EXPECT_EQ(step->total, 9U);
  EXPECT_EQ(step->instruction, "RUN make");
  for (const char* line :
       {"Step", "Step 4", "Step 4/", "Step a/9 : x", "Step 4/9", " Step 4/9 : x"}) {
    EXPECT_FALSE(parse_step(line)) << line;
  }
}

TEST(ContainerLog, LosesItsFrames) {
  const std::string framed(
      "\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x04"
      "err\n",
      23);
  EXPECT_EQ(unframed_log(framed), "outerr\n");
  EXPECT_EQ(unframed_log("plain text of a terminal"), "plain text of a terminal");
  EXPECT_EQ(unframed_log(std::string_view("\x01\0\0\0\xff\xff\xff\xff"
                                          "cut",
                                          11)),
            "cut");
}

}  // namespace
}  // namespace assay::image_build
