#include "broker/journal/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/replayed_journal.h"

namespace assay::journal {
namespace {

using ::testing::HasSubstr;

template <typename Header, std::size_t kSize>
std::string encoded(const Header& header) {
  std::string bytes(kSize, '\x55');
  encode(header, std::span<char, kSize>(bytes.data(), kSize));
  return bytes;
}
std::string encoded(const SegmentHeader& header) {
  return encoded<SegmentHeader, kSegmentHeaderBytes>(header);
}
std::string encoded(const BatchHeader& header) {
  return encoded<BatchHeader, kBatchHeaderBytes>(header);
}
std::string encoded(const Manifest& manifest) {
  return encoded<Manifest, kManifestBytes>(manifest);
}

const SegmentHeader kSegment{.version = 1,
                             .number = 7,
                             .journal_id = 0x0102030405060708,
                             .salt = 0x1112131415161718,
                             .first_sequence = 99};
const BatchHeader kBatch{.salt = 0x1112131415161718,
                         .sequence = 100,
                         .durable = 98,
                         .length = 33,
                         .entries = 2,
                         .kind = BatchKind::kRecords,
                         .payload_checksum = 0xdeadbeef};
const Manifest kManifest{.version = 1,
                         .journal_id = 5,
                         .oldest_segment = 3,
                         .oldest_sequence = 44,
                         .orphans_through = 88};

TEST(Format, HeadersComeBackAsTheyWere) {
  EXPECT_EQ(decode_segment_header(encoded(kSegment)).header, kSegment);
  EXPECT_EQ(decode_batch_header(encoded(kBatch)).header, kBatch);
  EXPECT_EQ(decode_manifest(encoded(kManifest)).header, kManifest);
}

TEST(Format, AFlippedBitAnywhereInAHeaderIsSeen) {
  const std::string segment = encoded(kSegment);
  const std::string batch = encoded(kBatch);
  const std::string manifest = encoded(kManifest);
  for (std::size_t bit = 0; bit < 8 * segment.size(); ++bit) {
    std::string bytes = segment;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Decoded<SegmentHeader> decoded = decode_segment_header(bytes);
    ASSERT_FALSE(decoded.header) << "bit " << bit;
    ASSERT_FALSE(decoded.malformed.newer_version) << "a flipped bit is not a newer version";
  }
  for (std::size_t bit = 0; bit < 8 * batch.size(); ++bit) {
    std::string bytes = batch;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(decode_batch_header(bytes).header) << "bit " << bit;
  }
  for (std::size_t bit = 0; bit < 8 * manifest.size(); ++bit) {
    std::string bytes = manifest;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(decode_manifest(bytes).header) << "bit " << bit;
  }
}

TEST(Format, AShortHeaderSaysHowShort) {
  const std::string bytes = encoded(kBatch).substr(0, 20);
  EXPECT_THAT(decode_batch_header(bytes).malformed.what,
              HasSubstr("expected a batch header of 48 bytes, found 20"));
}

TEST(Format, ZerosAreNoHeader) {
  EXPECT_FALSE(decode_segment_header(std::string(kSegmentHeaderBytes, '\0')).header);
  EXPECT_FALSE(decode_batch_header(std::string(kBatchHeaderBytes, '\0')).header);
  EXPECT_FALSE(decode_manifest(std::string(kManifestBytes, '\0')).header);
}

TEST(Format, ANewerVersionIsNamedBesideOurs) {
  SegmentHeader newer = kSegment;
  newer.version = 9;
  const Decoded<SegmentHeader> decoded = decode_segment_header(encoded(newer));
  EXPECT_FALSE(decoded.header);
  EXPECT_TRUE(decoded.malformed.newer_version);
  EXPECT_EQ(decoded.malformed.what,
            "expected a segment header of journal version 1, found version 9");
}

TEST(Format, ABatchHeaderHasTheseBytes) {
  // Little-endian, at these offsets, for ever: see tests/compat for whole files.
  const std::string bytes = encoded(kBatch);
  EXPECT_EQ(bytes.substr(0, 8), "\x18\x17\x16\x15\x14\x13\x12\x11");
  EXPECT_EQ(load_u64(&bytes[8]), 100U);
  EXPECT_EQ(load_u64(&bytes[16]), 98U);
  EXPECT_EQ(load_u32(&bytes[24]), 33U);
  EXPECT_EQ(load_u32(&bytes[28]), 2U);
  EXPECT_EQ(load_u32(&bytes[32]), 1U);
  EXPECT_EQ(load_u32(&bytes[36]), 0xdeadbeefU);
}

std::string payload_of(std::initializer_list<RawEntry> entries) {
  std::string payload;
  for (const RawEntry& entry : entries) {
    std::string bytes(entry_bytes(entry.head.size(), entry.blob.size()), '\0');
    EXPECT_EQ(encode_entry(entry.head, entry.blob, bytes.data()), bytes.data() + bytes.size());
    payload += bytes;
  }
  return payload;
}

TEST(Format, EntriesComeBackInOrderWithTheirBlobsInPlace) {
  const std::string payload = payload_of(
      {{.head = "first", .blob = "body"}, {.head = "second"}, {.head = "", .blob = "x"}});
  EntryCursor cursor(payload);
  std::optional<RawEntry> entry = cursor.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->head, "first");
  EXPECT_EQ(entry->blob, "body");
  EXPECT_EQ(payload.substr(entry->blob_offset, 4), "body");
  entry = cursor.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->head, "second");
  EXPECT_EQ(entry->blob, "");
  entry = cursor.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->head, "");
  EXPECT_EQ(entry->blob, "x");
  EXPECT_FALSE(cursor.next());
  EXPECT_TRUE(cursor.at_end());
}

TEST(Format, ACutPayloadNeverYieldsAnEntryThatIsNotWhole) {
  const std::string payload = payload_of({{.head = "first", .blob = "body"}, {.head = "second"}});
  for (std::size_t length = 0; length < payload.size(); ++length) {
    EntryCursor cursor(std::string_view(payload).substr(0, length));
    std::size_t count = 0;
    while (const std::optional<RawEntry> entry = cursor.next()) {
      ++count;
    }
    ASSERT_LT(count, 2U);
    ASSERT_EQ(cursor.at_end(), length == 0 || length == entry_bytes(5, 4)) << length;
  }
}

TEST(Format, ArbitraryBytesAreNeverReadOutOfBounds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string payload = testing::pattern(seed, seed);
    EntryCursor cursor(payload);
    while (const std::optional<RawEntry> entry = cursor.next()) {
      ASSERT_LE(entry->head.size() + entry->blob.size(), payload.size());
    }
  }
}

}  // namespace
}  // namespace assay::journal
