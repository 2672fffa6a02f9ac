#include "broker/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay::journal {
namespace {

using ::testing::AllOf;
using testing::append_one;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kJournalDirectory;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;
using testing::small_segments;
using testing::Unflushed;

class JournalTest : public ::testing::Test {
 protected:
  void open() {
    replayed_ = {};
    replayed_ = open_journal(disk_);
    ASSERT_TRUE(replayed_.status.is_ok()) << replayed_.status.to_string();
  }
  void reopen_after_crash(Unflushed unflushed) {
    replayed_.journal.reset();
    disk_.crash(unflushed);
    open();
  }
  Journal& journal() { return *replayed_.journal; }

  SimulatedFileSystem disk_;
  ReplayedJournal replayed_;
};

TEST_F(JournalTest, AnEmptyDirectoryBecomesAnEmptyJournal) {
  open();
  EXPECT_THAT(replayed_.entries, IsEmpty());
  EXPECT_EQ(journal().oldest_segment(), 1U);
  EXPECT_EQ(journal().active_segment(), 1U);
  EXPECT_EQ(journal().last_sequence(), 0U);
}

TEST_F(JournalTest, WhatWasFlushedIsReplayedInOrderAfterACrash) {
  open();
  append_one(journal(), "one", "body of one");
  append_one(journal(), "two");
  ASSERT_TRUE(journal().flush().is_ok());
  reopen_after_crash(Unflushed::kLost);
  EXPECT_THAT(replayed_.heads(), ElementsAre("one", "two"));
  EXPECT_EQ(replayed_.entries[0].blob, "body of one");
  EXPECT_EQ(replayed_.entries[0].sequence, 1U);
  EXPECT_EQ(replayed_.entries[1].sequence, 2U);
  EXPECT_FALSE(replayed_.entries[0].may_be_orphan);
}

TEST_F(JournalTest, WhatWasNotFlushedMayBeForgotten) {
  open();
  append_one(journal(), "one");
  ASSERT_TRUE(journal().flush().is_ok());
  append_one(journal(), "two");
  reopen_after_crash(Unflushed::kLost);
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
}

TEST_F(JournalTest, AKilledProcessLosesNothingThatWasAppended) {
  open();
  append_one(journal(), "one");
  replayed_.journal.reset();
  disk_.restart_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
}

TEST_F(JournalTest, ABatchIsThereAsAWholeOrNotAtAll) {
  open();
  const std::string body = pattern(1, 300);
  const Entry batch[] = {{"a", body}, {"b", body}, {"c", body}};
  ASSERT_TRUE(journal().append(batch).is_ok());
  reopen_after_crash(Unflushed::kHalf);
  EXPECT_THAT(replayed_.entries, IsEmpty());
}

TEST_F(JournalTest, ABlobIsReadableBeforeItIsFlushed) {
  open();
  const Location recent = append_one(journal(), "one", "just appended");
  EXPECT_EQ(journal().read(recent).value(), "just appended");
}

TEST_F(JournalTest, ABlobIsReadFromItsSegmentOnceItIsNotRecent) {
  open();
  std::vector<Location> locations;
  for (std::uint64_t i = 0; i < 100; ++i) {
    locations.push_back(append_one(journal(), "entry", pattern(i, 200)));
  }
  ASSERT_GT(journal().active_segment(), 3U);
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_EQ(journal().read(locations[i]).value(), pattern(i, 200)) << i;
  }
}

TEST_F(JournalTest, LocationsStayTheSameAfterRecovery) {
  open();
  std::vector<Location> locations;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::string first = pattern(i, 100);
    const std::string second = pattern(i + 1000, 7);
    const Entry batch[] = {{"first", first}, {"none"}, {"second", second}};
    const Result<Appended> appended = journal().append(batch);
    ASSERT_TRUE(appended.is_ok());
    locations.insert(locations.end(), appended->locations.begin(), appended->locations.end());
  }
  ASSERT_TRUE(journal().flush().is_ok());
  reopen_after_crash(Unflushed::kLost);
  ASSERT_EQ(replayed_.entries.size(), locations.size());
  for (std::size_t i = 0; i < locations.size(); ++i) {
    EXPECT_EQ(replayed_.entries[i].location, locations[i]);
    EXPECT_EQ(journal().read(locations[i]).value(), replayed_.entries[i].blob);
  }
}

TEST_F(JournalTest, AnEntryWithoutABlobStillKnowsItsSegment) {
  open();
  const Location location = append_one(journal(), "no blob");
  EXPECT_EQ(location.segment, 1U);
  EXPECT_EQ(location.length, 0U);
  EXPECT_EQ(journal().read(location).value(), "");
}

TEST_F(JournalTest, AWrongLocationIsRefused) {
  open();
  append_one(journal(), "one", "body");
  for (const Location wrong :
       {Location{0, 200, 4}, Location{2, 200, 4}, Location{1, 8, 4}, Location{1, 4000, 100}}) {
    EXPECT_EQ(journal().read(wrong).status().reason(), kReasonNoSuchLocation);
  }
}

TEST_F(JournalTest, ADamagedBodyIsNeverHandedOut) {
  open();
  const Location location = append_one(journal(), "one", pattern(1, 300));
  for (std::uint64_t i = 0; i < 8; ++i) {
    append_one(journal(), "other", pattern(i, 300));  // until the first is not recent any more
  }
  disk_.flip_bit(kJournalDirectory + "/journal-0000000001.log", location.offset + 10);
  const Status status = journal().read(location).status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("journal-0000000001.log"), HasSubstr("expected"),
                                      HasSubstr("found"), HasSubstr("--repair")));
}

TEST_F(JournalTest, OneFlushServesAllThatWasAppendedBefore) {
  open();
  append_one(journal(), "one");
  append_one(journal(), "two");
  const std::uint64_t before = disk_.operations();
  ASSERT_TRUE(journal().flush().is_ok());
  ASSERT_TRUE(journal().flush().is_ok());
  EXPECT_EQ(disk_.operations() - before, 1U) << "and a flush of nothing costs nothing";
  EXPECT_EQ(journal().counters().flushes, 1U);
  EXPECT_EQ(journal().durable_sequence(), 2U);
}

TEST_F(JournalTest, OneBatchIsOneWrite) {
  open();
  const Entry batch[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const std::uint64_t before = disk_.operations();
  ASSERT_TRUE(journal().append(batch).is_ok());
  EXPECT_EQ(disk_.operations() - before, 1U);
}

TEST_F(JournalTest, AnEmptyBatchWritesNothing) {
  open();
  const std::uint64_t before = disk_.operations();
  ASSERT_TRUE(journal().append({}).is_ok());
  EXPECT_EQ(disk_.operations(), before);
}

TEST_F(JournalTest, AFailedFlushStopsTheJournalForGood) {
  open();
  append_one(journal(), "one");
  disk_.fail_at(1);
  EXPECT_EQ(journal().flush().reason(), kReasonStopped);
  EXPECT_EQ(journal().flush().reason(), kReasonStopped);
  const Entry entry{"two"};
  EXPECT_EQ(journal().append({&entry, 1}).status().reason(), kReasonStopped);
  EXPECT_EQ(journal().close().reason(), kReasonStopped);
}

TEST_F(JournalTest, AFailedWriteStopsTheJournalForGood) {
  open();
  disk_.fail_at(1);
  const Entry entry{"one"};
  EXPECT_EQ(journal().append({&entry, 1}).status().reason(), kReasonStopped);
  const Status status = journal().append({&entry, 1}).status();
  EXPECT_EQ(status.reason(), kReasonStopped);
  EXPECT_THAT(status.message(), HasSubstr("simulated failure"));
}

TEST_F(JournalTest, WhatIsReplayedAfterAFailedFlushIsDurableAfterAll) {
  open();
  append_one(journal(), "one", pattern(1, 100));
  disk_.fail_at(1);
  ASSERT_FALSE(journal().flush().is_ok());
  // The system shows the batch to the next process, although it gave up on writing it.
  replayed_.journal.reset();
  disk_.restart_process();
  open();
  ASSERT_THAT(replayed_.heads(), ElementsAre("one"));
  reopen_after_crash(Unflushed::kLost);
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
}

TEST_F(JournalTest, ABatchLargerThanASegmentGetsASegmentOfItsOwn) {
  open();
  append_one(journal(), "small");
  const std::string large = pattern(1, 3 * kSegmentBytesMin);
  const Location location = append_one(journal(), "large", large);
  append_one(journal(), "small again");
  EXPECT_EQ(journal().read(location).value(), large);
  ASSERT_TRUE(journal().flush().is_ok());
  reopen_after_crash(Unflushed::kLost);
  EXPECT_THAT(replayed_.heads(), ElementsAre("small", "large", "small again"));
  EXPECT_EQ(replayed_.entries[1].blob, large);
}

TEST_F(JournalTest, ABatchOverTheLimitIsRefusedAndHarmsNothing) {
  open();
  const std::string head(kEntryHeadBytesMax + 1, 'h');
  const Entry too_large{head};
  EXPECT_EQ(journal().append({&too_large, 1}).status().reason(), kReasonBatchTooLarge);
  const std::vector<Entry> too_many(kBatchEntriesMax + 1, Entry{"x"});
  EXPECT_EQ(journal().append(too_many).status().reason(), kReasonBatchTooLarge);
  append_one(journal(), "still fine");
  EXPECT_TRUE(journal().flush().is_ok());
}

TEST_F(JournalTest, SegmentsOutsideTheLimitsAreRefused) {
  JournalOptions options = small_segments();
  options.segment_bytes = kSegmentBytesMin - 1;
  EXPECT_EQ(open_journal(disk_, options).status.code(), Code::kFixInput);
  options.segment_bytes = kSegmentBytesMax + 1;
  EXPECT_EQ(open_journal(disk_, options).status.code(), Code::kFixInput);
}

TEST_F(JournalTest, ASecondBrokerIsRefused) {
  open();
  const ReplayedJournal second = open_journal(disk_);
  EXPECT_EQ(second.status.reason(), kReasonLocked);
  replayed_.journal.reset();
  EXPECT_TRUE(open_journal(disk_).status.is_ok());
}

TEST_F(JournalTest, ADirectoryThatCannotBeWrittenIsRefused) {
  disk_.make_read_only(true);
  EXPECT_EQ(open_journal(disk_).status.reason(), kReasonPermission);
}

TEST_F(JournalTest, AFullDiskRefusesTheBatchAndKeepsTheJournalGoing) {
  open();
  disk_.set_capacity(disk_.used_bytes());
  const std::string body = pattern(1, 1000);
  const Entry entry{"one", body};
  Status status;
  std::size_t accepted = 0;
  for (; status.is_ok(); ++accepted) {
    status = journal().append({&entry, 1}).status();
  }
  EXPECT_EQ(status.reason(), kReasonDiskFull);
  EXPECT_TRUE(journal().flush().is_ok()) << "what was accepted can still be made durable";
  disk_.set_capacity(1 << 20);
  EXPECT_TRUE(journal().append({&entry, 1}).is_ok()) << "and it goes on once there is space";
  ASSERT_TRUE(journal().flush().is_ok());
  reopen_after_crash(Unflushed::kLost);
  EXPECT_EQ(replayed_.entries.size(), accepted);
}

TEST_F(JournalTest, AReplayThatFailsEndsTheOpening) {
  open();
  append_one(journal(), "one");
  replayed_.journal.reset();
  const auto opened = Journal::open(disk_, kJournalDirectory, small_segments(),
                                    [](const EntryView&) { return internal_error("test", "no"); });
  EXPECT_THAT(opened.status().message(),
              AllOf(HasSubstr("journal-0000000001.log, batch 1, entry 0"), HasSubstr("no")));
}

TEST_F(JournalTest, ClosingInGoodOrderIsRemembered) {
  open();
  append_one(journal(), "one");
  ASSERT_TRUE(journal().close().is_ok());
  reopen_after_crash(Unflushed::kLost);
  EXPECT_TRUE(journal().recovery_report().was_closed);
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
  append_one(journal(), "two");
  replayed_.journal.reset();
  open();
  EXPECT_FALSE(journal().recovery_report().was_closed);
}

}  // namespace
}  // namespace assay::journal
