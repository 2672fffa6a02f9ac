// A history beside a real journal, as a broker has it.
#include "broker/history/journal_history.h"

#include <gtest/gtest.h>

#include <atomic>

#include "broker/compaction/checkpoint_maker.h"
#include "broker/core/state.h"
#include "broker/history/schema.h"
#include "broker/journal/journal.h"
#include "tests/unit/history/expected_history.h"
#include "tests/unit/history/history_folder.h"
#include "tests/unit/history/record_stream.h"

namespace assay::history {
namespace {

using testing::content_of;
using testing::expect_same;
using testing::expected_content;
using testing::random_stream;
using testing::StoredBatch;
using testing::Stream;

constexpr Duration kPatience{20'000};

class JournalHistoryTest : public testing::HistoryFolder {
 protected:
  void open_journal() {
    journal_.reset();
    auto opened = journal::Journal::open(file_system_, path("journal"),
                                         {.segment_bytes = 64 << 10, .written_ahead_bytes = 4096},
                                         [](const journal::EntryView&) { return Status(); });
    ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
    journal_ = std::move(*opened);
  }
  void open_history(bool rebuild = false) {
    history_.reset();
    JournalHistoryOptions options;
    options.journal_directory = path("journal");
    options.last_sequence = journal_->last_sequence();
    options.rebuild = rebuild;
    // Records are of a past that retention would take out at once.
    options.retention.ended_kept_for = std::chrono::hours(24 * 365 * 100);
    options.retention.usage_kept_for = std::chrono::hours(24 * 365 * 100);
    auto opened = JournalHistory::open(options);
    ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
    history_ = std::move(*opened);
  }
  // What a broker's storage does with each turn's records.
  void store(const Stream& stream, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto entries = stream[i].as_offered();
      const auto appended = journal_->append(entries);
      ASSERT_TRUE(appended.is_ok()) << appended.status().to_string();
      ASSERT_TRUE(journal_->flush().is_ok());
      if (history_) history_->history().offer(appended.value().sequence, entries);
    }
  }
  void expect_complete(const Stream& stream) {
    ASSERT_TRUE(history_->history().wait_for(journal_->last_sequence(), kPatience))
        << history_->history().status().to_string();
    EXPECT_EQ(history_->history().counters().lost_batches, 0U);
    expect_same(content_of(history_->path()), expected_content(stream));
  }

  journal::PosixFileSystem file_system_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<JournalHistory> history_;
};

TEST_F(JournalHistoryTest, ItFollowsAJournalOverRestartsOfEither) {
  const Stream stream = random_stream(1, 300);
  const std::size_t third = stream.size() / 3;
  open_journal();
  open_history();
  store(stream, 0, third);
  history_.reset();
  store(stream, third, 2 * third);  // without a history
  ASSERT_TRUE(journal_->close().is_ok());
  open_journal();
  open_history();
  store(stream, 2 * third, stream.size());
  expect_complete(stream);
}

TEST_F(JournalHistoryTest, ATurnOfSeveralBatchesIsReadFromTheJournal) {
  const Stream stream = random_stream(4, 200);
  open_journal();
  open_history();
  store(stream, 0, 50);
  ASSERT_TRUE(history_->history().wait_for(journal_->last_sequence(), kPatience));
  auto history = std::move(history_);
  store(stream, 50, 60);  // not offered
  history->history().offer_by_journal(journal_->last_sequence());
  history_ = std::move(history);
  store(stream, 60, stream.size());
  expect_complete(stream);
  EXPECT_GE(history_->history().counters().gaps, 1U);
}

TEST_F(JournalHistoryTest, ItIsMadeAnewFromTheJournal) {
  const Stream stream = random_stream(2, 200);
  open_journal();
  open_history();
  store(stream, 0, stream.size());
  expect_complete(stream);
  history_.reset();
  {
    auto database = Database::open(JournalHistory::default_path(path("journal")), Access::kWrite);
    ASSERT_TRUE(database->execute("DELETE FROM tasks; DELETE FROM usage").is_ok());
  }
  open_history(/*rebuild=*/true);
  expect_complete(stream);
}

// Made anew from a journal that was compacted, it knows every task that the broker knows.
TEST_F(JournalHistoryTest, ItIsMadeAnewFromACheckpoint) {
  const Stream stream = random_stream(3, 300);
  open_journal();
  store(stream, 0, stream.size());
  const std::uint32_t through = journal_->active_segment() - 1;
  ASSERT_GT(through, 1U);
  const std::atomic<bool> stop{false};
  const auto made = compaction::make_checkpoint(
      file_system_, {.journal_directory = path("journal"), .through_segment = through, .rules = {}},
      stop);
  ASSERT_TRUE(made.is_ok()) << made.status().to_string();
  ASSERT_GT(made->tasks, 10U);
  ASSERT_TRUE(journal_->drop_segments_before(through + 1).is_ok());
  core::State state{core::CoreOptions()};
  for (const StoredBatch& batch : stream) {
    for (const auto& each : batch.records) ASSERT_TRUE(state.apply(each.record, {}).is_ok());
  }
  open_history(/*rebuild=*/true);
  ASSERT_TRUE(history_->history().wait_for(journal_->last_sequence(), kPatience))
      << history_->history().status().to_string();
  EXPECT_GT(history_->history().counters().lost_batches, 0U);
  const auto content = content_of(history_->path());
  const auto whole = expected_content(stream);
  std::size_t results = 0;
  state.tasks().for_each([&](core::TaskIndex index) {
    const TaskId id = state.tasks().at(index).id;
    ASSERT_TRUE(content.stories.contains(id)) << id.text();
    const TaskStory& story = content.stories.at(id);
    const TaskStory& wanted = whole.stories.at(id);
    EXPECT_EQ(story.task.state, wanted.task.state);
    EXPECT_EQ(story.task.reason, wanted.task.reason);
    EXPECT_EQ(story.task.labels, wanted.task.labels);
    EXPECT_EQ(story.task.ended_at, wanted.task.ended_at);
    EXPECT_EQ(story.task.started_at, wanted.task.started_at);
    EXPECT_EQ(story.attempts.size(), wanted.attempts.size());
    EXPECT_EQ(story.result, wanted.result);
    if (story.result) ++results;
  });
  EXPECT_GT(results, 10U);
}

TEST_F(JournalHistoryTest, AJournalThatWentBackInTimeIsNotItsOwn) {
  const Stream stream = random_stream(3, 100);
  open_journal();
  open_history();
  store(stream, 0, stream.size());
  ASSERT_TRUE(history_->history().wait_for(journal_->last_sequence(), kPatience));
  history_.reset();
  journal_.reset();
  std::filesystem::rename(JournalHistory::default_path(path("journal")), path("kept.db"));
  std::filesystem::remove_all(path("journal"));
  open_journal();
  std::filesystem::rename(path("kept.db"), JournalHistory::default_path(path("journal")));
  const auto opened = JournalHistory::open({.journal_directory = path("journal")});
  EXPECT_EQ(opened.status().reason(), kReasonOtherJournal);
}

TEST_F(JournalHistoryTest, WithoutAJournalThereIsNone) {
  EXPECT_EQ(JournalHistory::open({.journal_directory = path("none")}).status().code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace assay::history
