#include "broker/history/history.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <thread>

#include "broker/history/schema.h"
#include "tests/unit/history/expected_history.h"
#include "tests/unit/history/history_folder.h"
#include "tests/unit/history/record_stream.h"

namespace assay::history {
namespace {

using testing::content_of;
using testing::expect_same;
using testing::expected_content;
using testing::kStart;
using testing::random_stream;
using testing::Stream;
using testing::tell;

constexpr Duration kPatience{20'000};

class HistoryTest : public testing::HistoryFolder {
 protected:
  // A history of `stream`, of which the journal had `durable` batches when it was opened.
  HistoryOptions options(const Stream& stream, std::size_t durable) {
    HistoryOptions options;
    options.path = path();
    options.journal_id = 1;
    options.last_sequence = durable == 0 ? 0 : stream[durable - 1].sequence;
    options.replay = [&](std::uint64_t after, std::uint64_t through, const BatchVisitor& visit) {
      return tell(stream, after, through, visit);
    };
    options.commit_every = Duration(1);
    options.retry_after = Duration(1);
    options.now = [] { return kStart; };
    return options;
  }
  static std::unique_ptr<History> open(HistoryOptions options) {
    auto history = History::open(std::move(options));
    EXPECT_TRUE(history.is_ok()) << history.status().to_string();
    return std::move(*history);
  }
  static void offer(History& history, const Stream& stream, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      history.offer(stream[i].sequence, stream[i].as_offered());
  }
  template <typename Condition>
  static bool until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
};

TEST_F(HistoryTest, WhatIsOfferedIsCommitted) {
  const Stream stream = random_stream(1, 300);
  const auto history = open(options(stream, 0));
  offer(*history, stream, 0, stream.size());
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  expect_same(content_of(path()), expected_content(stream));
  EXPECT_EQ(history->counters().lag_batches, 0U);
  EXPECT_EQ(history->counters().gaps, 0U);
  EXPECT_TRUE(until([&] { return history->counters().lag_records == 0; }));
}

TEST_F(HistoryTest, AtTheStartItCatchesUpWithTheJournal) {
  const Stream stream = random_stream(2, 300);
  const std::size_t half = stream.size() / 2;
  const auto history = open(options(stream, half));
  offer(*history, stream, half, stream.size());
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, ClosingCommitsWhatWasOffered) {
  const Stream stream = random_stream(3, 100);
  HistoryOptions settings = options(stream, 0);
  settings.commit_every = Duration(3'600'000);
  const auto history = open(std::move(settings));
  offer(*history, stream, 0, stream.size());
  history->close();
  open(options(stream, stream.size()))->wait_for(stream.back().sequence, kPatience);
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, StartedAgainAndAgainItLosesAndRepeatsNothing) {
  const Stream stream = random_stream(4, 300);
  for (std::size_t begin = 0; begin < stream.size(); begin += 17) {
    const std::size_t end = std::min(begin + 17, stream.size());
    const auto history = open(options(stream, begin));
    offer(*history, stream, begin, end);
  }
  const auto history = open(options(stream, stream.size()));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  expect_same(content_of(path()), expected_content(stream));
}

// The writer is held at its first replay until everything was offered, so the buffer must overflow.
TEST_F(HistoryTest, WhenTheBufferIsFullTheJournalFillsTheGap) {
  const Stream stream = random_stream(5, 300);
  std::latch all_offered(1);
  std::atomic<int> replays = 0;
  HistoryOptions settings = options(stream, 0);
  settings.offered_records_max = 20;
  settings.replay = [&](std::uint64_t after, std::uint64_t through, const BatchVisitor& visit) {
    ++replays;
    all_offered.wait();
    return tell(stream, after, through, visit);
  };
  const auto history = open(std::move(settings));
  ASSERT_TRUE(until([&] { return replays == 1; }));
  offer(*history, stream, 0, stream.size());
  EXPECT_EQ(history->counters().gaps, 1U);
  EXPECT_GT(history->counters().lag_records, 20U);
  all_offered.count_down();
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  EXPECT_EQ(replays, 2);
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, ABufferThatIsAlwaysTooSmallLosesNothing) {
  const Stream stream = random_stream(6, 300);
  HistoryOptions settings = options(stream, 0);
  settings.offered_records_max = 5;
  settings.offered_bytes_max = 600;
  const auto history = open(std::move(settings));
  offer(*history, stream, 0, 1);
  ASSERT_TRUE(history->wait_for(stream[0].sequence, kPatience));
  offer(*history, stream, 1, stream.size());
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  EXPECT_GT(history->counters().gaps, 0U);
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, AfterAFailureItTriesAgainAndLosesNothing) {
  const Stream stream = random_stream(7, 300);
  std::atomic<int> failures_left = 3;
  std::atomic<int> told_failure = 0, told_ok = 0;
  HistoryOptions settings = options(stream, 0);
  settings.replay = [&](std::uint64_t after, std::uint64_t through,
                        const BatchVisitor& visit) -> Result<std::uint64_t> {
    if (failures_left-- > 0) {
      // Having told a part: it must not be counted twice.
      const auto part = tell(stream, after, through / 2, visit);
      EXPECT_TRUE(part.is_ok());
      return internal_error("io_error", "the disk is not there");
    }
    return tell(stream, after, through, visit);
  };
  settings.on_status = [&](const Status& status) { ++(status.is_ok() ? told_ok : told_failure); };
  const auto history = open(std::move(settings));
  offer(*history, stream, 0, stream.size());
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  EXPECT_TRUE(until([&] { return told_ok == 1; }));
  EXPECT_EQ(told_failure, 1);
  EXPECT_TRUE(history->status().is_ok());
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, AJournalThatIsDamagedStopsItAndOfferingGoesOn) {
  const Stream stream = random_stream(8, 100);
  HistoryOptions settings = options(stream, stream.size() / 2);
  settings.replay = [](std::uint64_t, std::uint64_t, const BatchVisitor&) -> Result<std::uint64_t> {
    return Status(Code::kDataLoss, "journal_damaged", "a segment is damaged");
  };
  const auto history = open(std::move(settings));
  EXPECT_FALSE(history->wait_for(stream.back().sequence, kPatience)) << "it ended, so no waiting";
  EXPECT_EQ(history->status().reason(), "journal_damaged");
  offer(*history, stream, stream.size() / 2, stream.size());
  EXPECT_GT(history->counters().lag_batches, 0U);
}

TEST_F(HistoryTest, WhatTheJournalDoesNotReachIsCounted) {
  const Stream stream = random_stream(9, 100);
  HistoryOptions settings = options(stream, stream.size());
  settings.replay = [&](std::uint64_t after, std::uint64_t through,
                        const BatchVisitor& visit) -> Result<std::uint64_t> {
    const auto told = tell(stream, std::max<std::uint64_t>(after, 40), through, visit);
    return told.is_ok() ? Result<std::uint64_t>(std::uint64_t{40}) : told;
  };
  const auto history = open(std::move(settings));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  EXPECT_EQ(history->counters().lost_batches, 40U);
  EXPECT_GT(history->counters().orphans, 0U);
}

TEST_F(HistoryTest, ADamagedHistoryIsRefusedAndMadeAnewOnRequest) {
  const Stream stream = random_stream(10, 300);
  open(options(stream, stream.size()))->wait_for(stream.back().sequence, kPatience);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    const auto bytes = std::filesystem::file_size(path()) - 4096;
    file << std::string(bytes, 'x');
  }
  const auto refused = History::open(options(stream, stream.size()));
  ASSERT_FALSE(refused.is_ok());
  EXPECT_EQ(refused.status().reason(), kReasonDamaged);
  ASSERT_TRUE(remove_history(path()).is_ok());
  const auto history = open(options(stream, stream.size()));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(HistoryTest, OldEndedTasksAreErasedInSmallSteps) {
  const Stream stream = random_stream(11, 600);
  const auto expected = expected_content(stream);
  std::atomic<std::int64_t> now = kStart.time_since_epoch().count();
  HistoryOptions settings = options(stream, stream.size());
  settings.now = [&] { return Time(Duration(now.load())); };
  settings.retention.every = Duration(1);
  settings.retention.ended_kept_for = std::chrono::hours(1);
  const auto history = open(std::move(settings));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  EXPECT_EQ(content_of(path()).stories.size(), expected.stories.size()) << "none is an hour old";

  const Time cut =
      expected.stories.at(expected.listed[expected.listed.size() / 2]).task.ended_at.value();
  auto kept = expected.stories;
  std::erase_if(kept, [&](const auto& each) {
    return each.second.task.ended_at && *each.second.task.ended_at < cut;
  });
  ASSERT_LT(kept.size(), expected.stories.size());
  now = (cut + std::chrono::hours(1)).time_since_epoch().count();
  const std::size_t erased = expected.stories.size() - kept.size();
  ASSERT_TRUE(until([&] { return history->counters().erased_tasks == erased; }));
  EXPECT_EQ(content_of(path()).stories, kept);
  EXPECT_EQ(content_of(path()).usage, expected.usage) << "usage has its own time";
}

TEST_F(HistoryTest, NoMoreEndedTasksAreKeptThanAllowed) {
  const Stream stream = random_stream(12, 400);
  const auto expected = expected_content(stream);
  HistoryOptions settings = options(stream, stream.size());
  settings.retention.every = Duration(1);
  settings.retention.ended_kept_max = 10;
  const auto history = open(std::move(settings));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  ASSERT_TRUE(until([&] { return history->counters().ended_tasks == 10; }));
  auto reader = Reader::open(path());
  const auto page = reader->list({.ended_only = true}, 100);
  ASSERT_EQ(page.value().tasks.size(), 10U);
  std::vector<TaskId> latest;
  for (const TaskId& id : expected.listed)
    if (is_ended(expected.stories.at(id).task.state) && latest.size() < 10) latest.push_back(id);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(page.value().tasks[i].id, latest[i]);
}

TEST_F(HistoryTest, OldUsageIsErased) {
  const Stream stream = random_stream(13, 400);
  const auto expected = expected_content(stream);
  HistoryOptions settings = options(stream, stream.size());
  const Day day = *expected.usage[expected.usage.size() / 2].day;
  settings.now = [day] { return Time(day.time_since_epoch()); };
  settings.retention.usage_kept_for = Duration(0);
  settings.retention.every = Duration(1);
  const auto history = open(std::move(settings));
  ASSERT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  auto kept = expected.usage;
  std::erase_if(kept, [&](const UsageRow& row) { return *row.day < day; });
  ASSERT_LT(kept.size(), expected.usage.size());
  EXPECT_TRUE(until([&] { return content_of(path()).usage == kept; }));
}

TEST_F(HistoryTest, QueriesAndTheWriterDoNotDisturbEachOther) {
  const Stream stream = random_stream(14, 800);
  const auto history = open(options(stream, 0));
  std::atomic<bool> done = false;
  std::thread asker([&] {
    auto reader = Reader::open(path());
    ASSERT_TRUE(reader.is_ok()) << reader.status().to_string();
    while (!done) {
      const auto page = reader->list({}, 100);
      ASSERT_TRUE(page.is_ok()) << page.status().to_string();
    }
  });
  for (std::size_t i = 0; i < stream.size(); ++i) {
    offer(*history, stream, i, i + 1);
    if (i % 50 == 0) {
      EXPECT_TRUE(history->wait_for(stream[i].sequence, kPatience));
    }
  }
  EXPECT_TRUE(history->wait_for(stream.back().sequence, kPatience));
  done = true;
  asker.join();
  expect_same(content_of(path()), expected_content(stream));
}

}  // namespace
}  // namespace assay::history
