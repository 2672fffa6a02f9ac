#include "broker/journal/checksum.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/replayed_journal.h"

namespace assay::journal {
namespace {

TEST(Checksum, IsTheOneOfTheStandardsVectors) {
  // RFC 3720, B.4, and the customary check value.
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Checksum, InstructionAndTableAgreeAtEveryLength) {
  const std::string bytes = testing::pattern(7, 300);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const std::string_view part(bytes.data(), length);
    ASSERT_EQ(crc32c(part), crc32c_by_table(part)) << length;
  }
}

TEST(Checksum, OfPiecesIsTheOneOfTheWhole) {
  const std::string bytes = testing::pattern(8, 100);
  const std::string_view whole = bytes;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    ASSERT_EQ(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))), crc32c(whole)) << cut;
  }
}

}  // namespace
}  // namespace assay::journal
