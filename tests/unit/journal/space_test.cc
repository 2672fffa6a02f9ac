// Space: what is dropped goes and is used again, and what was accepted can always be finished.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "broker/journal/journal.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"
#include "tests/support/task_ledger.h"

namespace assay::journal {
namespace {

using ::testing::HasSubstr;
using testing::kJournalDirectory;
using testing::open_ledger;
using testing::OpenedLedger;
using testing::SimulatedFileSystem;
using testing::small_segments;
using testing::TaskLedger;
using testing::Unflushed;

class SpaceTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    opened_ = {};
    opened_ = open_ledger(disk_, options_);
    ASSERT_TRUE(opened_.status.is_ok()) << opened_.status.to_string();
  }
  void reopen_after_crash() {
    opened_.journal.reset();
    disk_.crash(Unflushed::kLost);
    open();
  }
  Status submit(std::uint64_t task) {
    const std::uint64_t tasks[] = {task};
    return ledger().change(journal(), tasks, {});
  }
  Status finish(std::uint64_t task) {
    const std::uint64_t tasks[] = {task};
    return ledger().change(journal(), {}, tasks);
  }
  void fill_segments(std::uint32_t count, std::uint64_t& task) {
    const std::uint32_t until = journal().active_segment() + count;
    while (journal().active_segment() < until) {
      ASSERT_TRUE(submit(task++).is_ok());
    }
    ASSERT_TRUE(journal().flush().is_ok());
  }
  Journal& journal() { return *opened_.journal; }
  TaskLedger& ledger() { return opened_.ledger; }

  SimulatedFileSystem disk_;
  JournalOptions options_ = small_segments();
  OpenedLedger opened_;
};

TEST_F(SpaceTest, WhatWasDroppedStaysDroppedAndTheRestStays) {
  std::uint64_t task = 1;
  fill_segments(6, task);
  for (std::uint64_t finished = 2; finished < task; ++finished) {
    ASSERT_TRUE(finish(finished).is_ok());
  }
  ASSERT_TRUE(ledger().compact(journal()).is_ok());
  const std::uint32_t oldest = journal().oldest_segment();
  EXPECT_GT(oldest, 2U);
  EXPECT_FALSE(disk_.exists(kJournalDirectory + "/journal-0000000001.log"));
  const JournalCounters before = journal().counters();
  reopen_after_crash();
  EXPECT_EQ(journal().oldest_segment(), oldest);
  EXPECT_EQ(journal().counters().bytes, before.bytes);
  EXPECT_EQ(journal().counters().segments, before.segments);
  EXPECT_THAT(ledger().tasks(), ::testing::ElementsAre(1U));
  EXPECT_TRUE(ledger().check_bodies(journal()).is_ok());
}

TEST_F(SpaceTest, DroppedSegmentsAreUsedAgain) {
  std::uint64_t task = 1;
  fill_segments(6, task);
  for (std::uint64_t finished = 1; finished < task; ++finished) {
    ASSERT_TRUE(finish(finished).is_ok());
  }
  ASSERT_TRUE(journal().flush().is_ok());
  ASSERT_TRUE(journal().drop_segments_before(journal().active_segment()).is_ok());
  bool reused = false;
  const std::vector<std::string> names = disk_.list(kJournalDirectory).value();
  for (const std::string& name : names) {
    reused = reused || spare_number(name);
  }
  EXPECT_TRUE(reused);
  const std::uint32_t active = journal().active_segment();
  fill_segments(1, task);
  const std::string& content = disk_.content(kJournalDirectory + "/" + segment_name(active + 1));
  EXPECT_TRUE(decode_segment_header(content).header->recycled);
  const std::set<std::uint64_t> tasks = ledger().tasks();
  reopen_after_crash();
  EXPECT_EQ(ledger().tasks(), tasks);
}

TEST_F(SpaceTest, OnAFullDiskWorkIsRefusedButFinishedAndCompacted) {
  constexpr std::uint64_t kBytesToEnd = 128;  // of each task, and of what is pending again
  const auto can_accept = [&] {
    return journal().can_accept(1000 + ledger().tasks().size() * kBytesToEnd);
  };
  std::uint64_t task = 1;
  ASSERT_TRUE(can_accept().is_ok());
  disk_.set_capacity(disk_.used_bytes() + 10 * kSegmentBytesMin);
  Status refusal;
  while ((refusal = can_accept()).is_ok()) {
    ASSERT_TRUE(submit(task++).is_ok());
    ASSERT_TRUE(journal().flush().is_ok());
  }
  EXPECT_EQ(refusal.code(), Code::kRetryLater);
  EXPECT_EQ(refusal.reason(), kReasonDiskFull);
  EXPECT_THAT(refusal.message(), HasSubstr("none accepted until there is space"));
  ASSERT_GT(task, 50U);
  disk_.set_capacity(disk_.used_bytes());  // and somebody else took what was left
  for (std::uint64_t finished = 1; finished < task; ++finished) {
    ASSERT_TRUE(finish(finished).is_ok()) << "what was accepted must be finished";
    ASSERT_TRUE(journal().flush().is_ok());
  }
  ASSERT_TRUE(ledger().compact(journal()).is_ok());
  reopen_after_crash();
  EXPECT_TRUE(ledger().tasks().empty());
  EXPECT_TRUE(can_accept().is_ok()) << "there is space again";
}

TEST_F(SpaceTest, SparesSurviveARestart) {
  ASSERT_TRUE(journal().can_accept(20 * kSegmentBytesMin).is_ok());
  ASSERT_TRUE(journal().flush().is_ok());
  ASSERT_TRUE(disk_.sync_directory(kJournalDirectory).is_ok());
  const std::uint64_t used = disk_.used_bytes();
  reopen_after_crash();
  disk_.set_capacity(used);
  EXPECT_TRUE(journal().can_accept(20 * kSegmentBytesMin).is_ok());
}

TEST_F(SpaceTest, ManySparesOfSmallSegmentsDoNotFillTheDiskAsLargeOnes) {
  ASSERT_TRUE(journal().can_accept(500 * kSegmentBytesMin).is_ok());
  ASSERT_TRUE(disk_.sync_directory(kJournalDirectory).is_ok());
  options_.segment_bytes = 16ULL << 20;
  reopen_after_crash();
  EXPECT_LE(disk_.used_bytes(), (256ULL + 2 * 16) << 20);
}

TEST_F(SpaceTest, AFailedDropLosesNothing) {
  std::uint64_t task = 1;
  fill_segments(3, task);
  for (std::uint64_t finished = 1; finished < task - 1; ++finished) {
    ASSERT_TRUE(finish(finished).is_ok());
  }
  ASSERT_TRUE(journal().flush().is_ok());
  const std::set<std::uint64_t> tasks = ledger().tasks();
  for (std::uint64_t n = 1; n <= 4; ++n) {
    disk_.fail_at(n);
    ASSERT_FALSE(journal().drop_segments_before(3).is_ok());
    ASSERT_EQ(journal().oldest_segment(), 1U);
  }
  ASSERT_TRUE(submit(task++).is_ok());
  ASSERT_TRUE(journal().flush().is_ok());
  reopen_after_crash();
  EXPECT_EQ(ledger().tasks().size(), tasks.size() + 1);
}

}  // namespace
}  // namespace assay::journal
