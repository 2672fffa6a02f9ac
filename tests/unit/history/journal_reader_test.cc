#include "broker/history/journal_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/journal/directory.h"
#include "broker/journal/journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay::history {
namespace {

using assay::testing::SimulatedFileSystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JournalReaderTest : public ::testing::Test {
 protected:
  JournalReaderTest() {
    auto journal = journal::Journal::open(
        disk_, "/data", {.segment_bytes = 4096, .written_ahead_bytes = 512, .seed = 7},
        [](const journal::EntryView&) { return Status(); });
    EXPECT_TRUE(journal.is_ok()) << journal.status().to_string();
    journal_ = std::move(*journal);
    const auto manifest = journal::read_manifest(disk_, "/data");
    reader_ = std::make_unique<JournalReader>(disk_, "/data", manifest.value()->journal_id);
  }

  std::uint64_t append(const std::string& head, const std::string& blob = {}) {
    const journal::Entry entries[] = {{.head = head, .blob = blob}, {.head = "second"}};
    const auto appended = journal_->append(entries);
    EXPECT_TRUE(appended.is_ok()) << appended.status().to_string();
    EXPECT_TRUE(journal_->flush().is_ok());
    sequences_.push_back(appended.value().sequence);
    return sequences_.back();
  }
  std::uint64_t append_segments(std::uint32_t segments) {
    const std::uint32_t end = journal_->active_segment() + segments;
    std::uint64_t last = 0;
    while (journal_->active_segment() < end) last = append("head", std::string(700, 'b'));
    return last;
  }

  Result<std::uint64_t> read(std::uint64_t after, std::uint64_t through) {
    seen_.clear();
    return reader_->read(after, through,
                         [this](std::uint64_t sequence, std::span<const EntryBytes> entries) {
                           EXPECT_EQ(entries.size(), 2U);
                           EXPECT_EQ(entries[1].head, "second");
                           EXPECT_EQ(entries[0].blob.size(), entries[0].blob_bytes);
                           heads_.emplace_back(entries[0].head);
                           seen_.push_back(sequence);
                           return Status();
                         });
  }
  // The appended ones in `after` .. `through`.
  std::vector<std::uint64_t> expected(std::uint64_t after, std::uint64_t through) const {
    std::vector<std::uint64_t> result;
    for (const std::uint64_t sequence : sequences_)
      if (sequence > after && sequence <= through) result.push_back(sequence);
    return result;
  }

  SimulatedFileSystem disk_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<JournalReader> reader_;
  std::vector<std::uint64_t> sequences_;
  std::vector<std::uint64_t> seen_;
  std::vector<std::string> heads_;
};

TEST_F(JournalReaderTest, AllBatchesOfAllSegmentsAreToldWhileTheJournalIsInUse) {
  const std::uint64_t last = append_segments(5);
  EXPECT_EQ(read(0, last).value(), 0U);
  EXPECT_EQ(seen_, expected(0, last));
}

TEST_F(JournalReaderTest, FromEveryPositionToEveryOtherOnlyWhatIsBetweenIsTold) {
  const std::uint64_t last = append_segments(3);
  for (std::uint64_t after = 0; after <= last; ++after) {
    for (std::uint64_t through = 0; through <= last; ++through) {
      ASSERT_EQ(read(after, through).value(), 0U) << after << " to " << through;
      ASSERT_EQ(seen_, expected(after, through)) << after << " to " << through;
    }
  }
}

TEST_F(JournalReaderTest, ItGoesOnWhereItStopped) {
  std::uint64_t position = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t last = append("head", std::string(300, 'b'));
    ASSERT_TRUE(read(position, last).is_ok());
    ASSERT_EQ(seen_, expected(position, last));
    position = last;
  }
}

TEST_F(JournalReaderTest, WhatIsNotYetDurableIsNotLookedAt) {
  const std::uint64_t last = append("durable");
  const journal::Entry entry{.head = "not flushed"};
  ASSERT_TRUE(journal_->append(std::span(&entry, 1)).is_ok());
  ASSERT_TRUE(read(0, last).is_ok());
  EXPECT_EQ(seen_, std::vector{last});
}

TEST_F(JournalReaderTest, ABatchLargerThanAChunkIsReadAsAWhole) {
  append("small");
  append("large", std::string(5 << 20, 'b'));
  const std::uint64_t last = append("after");
  ASSERT_TRUE(read(0, last).is_ok());
  EXPECT_THAT(heads_, ElementsAre("small", "large", "after"));
}

TEST_F(JournalReaderTest, WhatCompactionDroppedIsCounted) {
  append_segments(4);
  const std::uint64_t last = append("last");
  ASSERT_TRUE(journal_->drop_segments_before(3).is_ok());
  const std::uint64_t oldest = journal_->first_sequence(3);
  EXPECT_EQ(read(0, last).value(), oldest - 1);
  EXPECT_EQ(seen_, expected(oldest - 1, last));
  EXPECT_EQ(read(oldest - 3, last).value(), 2U);
}

TEST_F(JournalReaderTest, SegmentsDroppedWhileItReadsAreCountedFromWhereItWas) {
  append_segments(1);
  const std::uint64_t position = sequences_.back();
  ASSERT_TRUE(read(0, position).is_ok());
  append_segments(4);
  const std::uint64_t last = append("last");
  ASSERT_TRUE(journal_->drop_segments_before(4).is_ok());
  const std::uint64_t oldest = journal_->first_sequence(4);
  EXPECT_EQ(read(position, last).value(), oldest - 1 - position);
  EXPECT_EQ(seen_, expected(oldest - 1, last));
}

TEST_F(JournalReaderTest, DamageIsToldWithItsPlace) {
  append_segments(2);
  const std::uint64_t last = append("last");
  disk_.flip_bit("/data/journal-0000000002.log", 500);
  const Status status = read(0, last).status();
  EXPECT_EQ(status.reason(), journal::kReasonDamaged);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("journal-0000000002.log"));
}

TEST_F(JournalReaderTest, AVisitorThatFailsEndsTheReading) {
  const std::uint64_t last = append_segments(2);
  int told = 0;
  const auto result = reader_->read(0, last, [&](std::uint64_t, std::span<const EntryBytes>) {
    return ++told == 3 ? Status(Code::kRetryCall, "enough", "enough") : Status();
  });
  EXPECT_EQ(result.status().reason(), "enough");
  EXPECT_EQ(told, 3);
  EXPECT_TRUE(read(0, last).is_ok());
  EXPECT_EQ(seen_, expected(0, last)) << "and it can begin again";
}

TEST_F(JournalReaderTest, AnEmptyRangeIsNothing) {
  EXPECT_EQ(read(0, 0).value(), 0U);
  EXPECT_THAT(seen_, IsEmpty());
}

}  // namespace
}  // namespace assay::history
