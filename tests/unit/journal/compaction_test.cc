// Space: what is live is carried forward, what is dead goes, and what was accepted can always be
// finished.
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

class CompactionTest : public ::testing::Test {
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

TEST_F(CompactionTest, LiveBytesAreKnownBySegment) {
  std::uint64_t task = 1;
  fill_segments(1, task);
  const SegmentUsage before = journal().usage(1);
  EXPECT_EQ(before.live_entries, task - 2) << "all but the last, which is in the second segment";
  EXPECT_EQ(journal().usage(2).live_entries, 1U);
  EXPECT_GT(before.live_bytes, 2000U);
  EXPECT_LE(before.live_bytes, before.bytes);
  ASSERT_TRUE(finish(3).is_ok());
  EXPECT_EQ(journal().usage(1).live_entries, before.live_entries - 1);
  EXPECT_EQ(journal().counters().live_entries, task - 2);
}

TEST_F(CompactionTest, LiveBytesAreTheSameAfterRecovery) {
  std::uint64_t task = 1;
  fill_segments(2, task);
  ASSERT_TRUE(finish(3).is_ok());
  ASSERT_TRUE(journal().flush().is_ok());
  const JournalCounters before = journal().counters();
  reopen_after_crash();
  EXPECT_EQ(journal().counters().live_entries, before.live_entries);
  EXPECT_EQ(journal().counters().live_bytes, before.live_bytes);
  EXPECT_EQ(journal().counters().bytes, before.bytes);
  EXPECT_EQ(journal().counters().segments, before.segments);
}

TEST_F(CompactionTest, ASegmentWithLiveEntriesIsNotDropped) {
  std::uint64_t task = 1;
  fill_segments(1, task);
  const Status status = journal().drop_segments_before(2);
  EXPECT_EQ(status.reason(), kReasonStillLive);
  EXPECT_THAT(status.message(), HasSubstr("journal-0000000001.log"));
  EXPECT_EQ(journal().oldest_segment(), 1U);
  reopen_after_crash();
  EXPECT_EQ(ledger().tasks().size(), task - 1);
}

TEST_F(CompactionTest, DroppedSegmentsStayDroppedAndWhatWasCarriedStays) {
  std::uint64_t task = 1;
  fill_segments(6, task);
  for (std::uint64_t finished = 2; finished < task; ++finished) {
    ASSERT_TRUE(finish(finished).is_ok());
  }
  ASSERT_TRUE(journal().needs_compaction());
  while (journal().needs_compaction()) {
    ASSERT_TRUE(ledger().compact_some(journal(), 100).is_ok());
  }
  const std::uint32_t oldest = journal().oldest_segment();
  EXPECT_GT(oldest, 2U);
  EXPECT_FALSE(disk_.exists(kJournalDirectory + "/journal-0000000001.log"));
  reopen_after_crash();
  EXPECT_EQ(journal().oldest_segment(), oldest);
  EXPECT_THAT(ledger().tasks(), ::testing::ElementsAre(1U));
  EXPECT_TRUE(ledger().check_bodies(journal()).is_ok());
  EXPECT_GT(ledger().orphans(), 0U) << "ends of dropped tasks are replayed, and marked";
}

TEST_F(CompactionTest, SpaceStaysBoundedWhateverStaysPending) {
  std::uint64_t bytes_max = 0;
  std::uint64_t task = 1;
  // One task in 40 is never finished; the others are, much later and out of order.
  for (int turn = 0; turn < 3000; ++turn, ++task) {
    ASSERT_TRUE(submit(task).is_ok());
    const std::uint64_t other = task * 7 % (task + 1);
    if (other % 40 != 1 && ledger().tasks().contains(other)) {
      ASSERT_TRUE(finish(other).is_ok());
    }
    if (ledger().tasks().size() > 60) {
      const std::set<std::uint64_t> tasks = ledger().tasks();
      std::size_t kept = 0;
      for (const std::uint64_t pending : tasks) {
        if (pending % 40 != 1 || ++kept > 20) {
          ASSERT_TRUE(finish(pending).is_ok());
        }
      }
    }
    ASSERT_TRUE(ledger().compact_some(journal(), 5).is_ok());
    ASSERT_TRUE(journal().flush().is_ok());
    bytes_max = std::max(bytes_max, journal().counters().bytes);
    if (turn % 500 == 0) {
      reopen_after_crash();
      ASSERT_TRUE(ledger().check_bodies(journal()).is_ok());
    }
  }
  EXPECT_GT(journal().oldest_segment(), 50U);
  EXPECT_LE(bytes_max, 2 * options_.compaction_bytes_min);
  const std::set<std::uint64_t> tasks = ledger().tasks();
  reopen_after_crash();
  EXPECT_EQ(ledger().tasks(), tasks);
}

TEST_F(CompactionTest, AJournalThatIsAllLiveIsNotCompacted) {
  std::uint64_t task = 1;
  fill_segments(20, task);
  EXPECT_FALSE(journal().needs_compaction());
}

TEST_F(CompactionTest, DroppedSegmentsAreUsedAgain) {
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

TEST_F(CompactionTest, OnAFullDiskWorkIsRefusedButFinishedAndCompacted) {
  options_.reserve_bytes_per_entry = 64;
  reopen_after_crash();
  std::uint64_t task = 1;
  ASSERT_TRUE(journal().can_accept(1000).is_ok());
  disk_.set_capacity(disk_.used_bytes() + 10 * kSegmentBytesMin);
  Status refusal;
  while ((refusal = journal().can_accept(1000)).is_ok()) {
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
    const Status compacted = ledger().compact_some(journal(), 3);
    ASSERT_TRUE(compacted.is_ok()) << compacted.to_string();
  }
  reopen_after_crash();
  EXPECT_TRUE(ledger().tasks().empty());
  while (journal().needs_compaction()) {
    ASSERT_TRUE(ledger().compact_some(journal(), 3).is_ok());
  }
  EXPECT_TRUE(journal().can_accept(1000).is_ok()) << "there is space again";
}

TEST_F(CompactionTest, SparesSurviveARestart) {
  ASSERT_TRUE(journal().can_accept(20 * kSegmentBytesMin).is_ok());
  ASSERT_TRUE(journal().flush().is_ok());
  ASSERT_TRUE(disk_.sync_directory(kJournalDirectory).is_ok());
  const std::uint64_t used = disk_.used_bytes();
  reopen_after_crash();
  disk_.set_capacity(used);
  EXPECT_TRUE(journal().can_accept(20 * kSegmentBytesMin).is_ok());
}

TEST_F(CompactionTest, AFailedDropLosesNothing) {
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
