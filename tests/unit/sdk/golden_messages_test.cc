// The bytes of each message, kept: a change of the wire can't go unnoticed.
// ASSAY_REWRITE_GOLDEN=1 writes the file anew; read its diff, then docs/protocol.md (Changes).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "sdk/wire/codec.h"
#include "tests/unit/sdk/message_samples.h"

namespace assay {
namespace {

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
    text.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
  return text;
}

// One message a paragraph: its name, its header, its payload.
std::string bytes_now() {
  std::string text;
  for (const auto& [name, message] : test::message_samples()) {
    const wire::Frames frames = wire::encode(message);
    text += name + "\n" + hex(frames.header) + "\n" + hex(frames.payload) + "\n\n";
  }
  const wire::EventFrames event = wire::encode_event(test::full_event());
  return text + "event\n" + hex(event.topic) + "\n" + hex(event.payload) + "\n";
}

TEST(GoldenMessagesTest, BytesAreWhatTheyWere) {
  const char* source = std::getenv("ASSAY_SOURCE");
  ASSERT_NE(source, nullptr) << "run this through ctest, which sets ASSAY_SOURCE";
  const std::string path = std::string(source) + "/tests/golden/messages/version_1.txt";
  if (std::getenv("ASSAY_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << bytes_now();
  }
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  std::stringstream kept;
  kept << file.rdbuf();
  EXPECT_EQ(bytes_now(), kept.str())
      << "the wire has changed: if that is meant, raise the version or add only optional keys, "
         "run again with ASSAY_REWRITE_GOLDEN=1 and describe it in docs/protocol.md";
}

}  // namespace
}  // namespace assay
