#include "broker/history/projection.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>

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
using testing::stored;
using testing::StoredBatch;
using testing::Stream;
using testing::task_id;

constexpr std::uint64_t kJournal = 0xFFFF'0000'1234'5678;
constexpr std::uint64_t kNoEnd = UINT64_MAX;

class ProjectionTest : public testing::HistoryFolder {
 protected:
  // A process that comes up: whatever was not committed is gone.
  void restart() {
    projection_.reset();
    database_.reset();
    auto database = open_for_writing(path());
    ASSERT_TRUE(database.is_ok()) << database.status().to_string();
    database_.emplace(std::move(*database));
    auto projection = Projection::open(*database_, kJournal, kNoEnd);
    ASSERT_TRUE(projection.is_ok()) << projection.status().to_string();
    projection_.emplace(std::move(*projection));
  }
  void apply(const StoredBatch& batch) {
    const Status status = projection_->apply(batch.sequence, batch.as_read());
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  void apply_all(const Stream& stream) {
    for (const StoredBatch& batch : stream) apply(batch);
  }
  void commit() {
    const Status status = projection_->commit();
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }

  std::optional<Database> database_;
  std::optional<Projection> projection_;
};

class RandomStreamTest : public ProjectionTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomStreamTest, ::testing::Range(1, 9));

TEST(RandomStream, EveryKindOfRecordComesUp) {
  std::set<std::size_t> kinds;
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    for (const StoredBatch& batch : random_stream(seed, 400))
      for (const auto& each : batch.records) kinds.insert(each.record.index());
  }
  // Those of a checkpoint stand last; a broker's life has none.
  const std::size_t of_a_life = core::Record(core::CheckpointBegun()).index();
  for (std::size_t k = 0; k < of_a_life; ++k)
    EXPECT_TRUE(kinds.contains(k)) << "no record of kind " << k;
}

TEST(RandomStream, TasksAreSharedAnsweredAndHandedOver) {
  std::size_t follow = 0, share_a_result = 0, handed_over = 0;
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    for (const StoredBatch& batch : random_stream(seed, 400)) {
      for (const auto& each : batch.records) {
        if (const auto* submitted = std::get_if<core::TaskSubmitted>(&each.record))
          follow += submitted->follows != TaskId() ? 1 : 0;
        if (const auto* ended = std::get_if<core::TaskEnded>(&each.record))
          share_a_result += ended->attempt.number == 0 && !each.blob.empty() ? 1 : 0;
        if (const auto* ended = std::get_if<core::AttemptEnded>(&each.record))
          handed_over += ended->handed_over ? 1 : 0;
      }
    }
  }
  EXPECT_GT(follow, 20U);
  EXPECT_GT(share_a_result, 20U);
  EXPECT_GT(handed_over, 100U);
}

TEST_P(RandomStreamTest, RowsAreWhatTheRecordsSay) {
  const Stream stream = random_stream(static_cast<std::uint64_t>(GetParam()), 400);
  restart();
  apply_all(stream);
  commit();
  EXPECT_EQ(projection_->position(), stream.back().sequence);
  EXPECT_EQ(projection_->counters().transactions, 1U);
  EXPECT_EQ(projection_->counters().orphans, 0U);
  expect_same(content_of(path()), expected_content(stream));
}

TEST_P(RandomStreamTest, CommitsAfterAnyBatchGiveTheSameRows) {
  const Stream stream = random_stream(static_cast<std::uint64_t>(GetParam()), 400);
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  restart();
  for (const StoredBatch& batch : stream) {
    apply(batch);
    if (random() % 3 == 0) commit();
  }
  commit();
  expect_same(content_of(path()), expected_content(stream));
}

TEST_P(RandomStreamTest, KilledBetweenTransactionsItGoesOnFromItsPositionAndRepeatsChangeNothing) {
  const Stream stream = random_stream(static_cast<std::uint64_t>(GetParam()), 400);
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  restart();
  std::size_t next = 0;
  while (next < stream.size()) {
    apply(stream[next++]);
    if (random() % 5 == 0) commit();
    if (random() % 20 != 0) continue;
    restart();
    // Told again from before its position on, it takes what is after it.
    next = 0;
    while (next < stream.size() && stream[next].sequence <= projection_->position()) ++next;
    next -= std::min<std::size_t>(next, random() % 10);
  }
  commit();
  expect_same(content_of(path()), expected_content(stream));
}

// Compaction appends again what is still needed: old records under new positions.
TEST_P(RandomStreamTest, RecordsCarriedForwardChangeNothing) {
  const Stream stream = random_stream(static_cast<std::uint64_t>(GetParam()), 400);
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  restart();
  std::uint64_t shift = 0;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    StoredBatch batch = stream[i];
    batch.sequence += shift;
    apply(batch);
    if (random() % 10 != 0) continue;
    StoredBatch carried = stream[random() % (i + 1)];
    carried.sequence = batch.sequence + 1;
    shift += 1;
    apply(carried);
    if (random() % 2 == 0) commit();
  }
  commit();
  expect_same(content_of(path()), expected_content(stream));
}

TEST_F(ProjectionTest, WhatWorkersSayThatAttemptsTookIsSummedOnce) {
  const Usage used{.cpu_seconds = 2, .memory_byte_seconds = 100, .gpu_seconds = 0.5};
  restart();
  StoredBatch batch{.sequence = 1, .records = {}};
  const auto add = [&](core::Record record) { batch.records.push_back(stored(std::move(record))); };
  add(core::TaskSubmitted{.sequence = 1,
                          .id = task_id(1),
                          .at = kStart,
                          .queue = QueueName("eval"),
                          .owner = OwnerName("ann")});
  for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
    add(core::TaskLeased{.sequence = attempt * 2,
                         .id = task_id(1),
                         .at = kStart,
                         .attempt = Attempt{attempt},
                         .worker = WorkerName("w")});
    if (attempt == 2) break;
    add(core::AttemptEnded{.sequence = 3,
                           .id = task_id(1),
                           .at = kStart,
                           .attempt = Attempt{attempt},
                           .ready_at = kStart,
                           .usage = used});
  }
  add(core::TaskEnded{
      .sequence = 5, .id = task_id(1), .at = kStart, .attempt = Attempt{2}, .usage = used});
  apply(batch);
  batch.sequence = 2;  // carried forward: nothing is counted again
  apply(batch);
  commit();
  auto reader = Reader::open(path());
  ASSERT_TRUE(reader.is_ok()) << reader.status().to_string();
  const auto usage = reader->usage({.by_owner = true});
  ASSERT_TRUE(usage.is_ok()) << usage.status().to_string();
  ASSERT_EQ(usage->size(), 1U);
  EXPECT_EQ((*usage)[0].cpu_seconds, 4);
  EXPECT_EQ((*usage)[0].memory_byte_seconds, 200);
  EXPECT_EQ((*usage)[0].gpu_seconds, 1);
  EXPECT_EQ((*usage)[0].attempts, 2U);
}

TEST_F(ProjectionTest, ItAgreesWithTheBrokersOwnState) {
  const Stream stream = random_stream(77, 300);
  core::State state({.ended_tasks_kept_max = 40});
  restart();
  for (const StoredBatch& batch : stream) {
    apply(batch);
    for (const auto& each : batch.records) ASSERT_TRUE(state.apply(each.record, {}).is_ok());
  }
  commit();
  const auto content = content_of(path());
  std::size_t compared = 0;
  state.tasks().for_each([&](core::TaskIndex index) {
    const core::Task& task = state.tasks().at(index);
    const TaskRow& row = content.stories.at(task.id).task;
    EXPECT_EQ(row.state, task.state);
    EXPECT_EQ(row.cause, task.cause);
    EXPECT_EQ(row.attempts, task.attempt);
    EXPECT_EQ(row.owner, state.owner(task.owner));
    if (task.details) {
      EXPECT_EQ(row.reason, task.details->reason);
    }
    ++compared;
  });
  EXPECT_GT(compared, 40U);
}

TEST_F(ProjectionTest, WhatWasNotCommittedIsNotInTheFile) {
  const Stream stream = random_stream(5, 100);
  restart();
  const std::size_t half = stream.size() / 2;
  for (std::size_t i = 0; i < half; ++i) apply(stream[i]);
  commit();
  for (std::size_t i = half; i < stream.size(); ++i) apply(stream[i]);
  // As a crash of the machine would leave it: the file and its log, without a checkpoint.
  for (const char* suffix : {"", "-wal"})
    std::filesystem::copy_file(path() + suffix, path("crashed.db") + suffix);
  expect_same(content_of(path("crashed.db")),
              expected_content(Stream(stream.begin(), stream.begin() + static_cast<int>(half))));
}

TEST_F(ProjectionTest, RecordsOfTasksThatTheJournalHasForgottenAreCountedAndSkipped) {
  restart();
  apply({1,
         {stored(core::TaskLeased{.sequence = 9,
                                  .id = task_id(1),
                                  .at = kStart,
                                  .attempt = Attempt{2},
                                  .worker = WorkerName("w")}),
          stored(core::TaskEnded{
              .sequence = 10, .id = task_id(1), .at = kStart, .attempt = Attempt{2}})}});
  commit();
  EXPECT_EQ(projection_->counters().orphans, 2U);
  EXPECT_TRUE(content_of(path()).stories.empty());
  EXPECT_TRUE(content_of(path()).usage.empty());
}

// The broker still knows tasks that retention took out of the history, and carries them forward.
TEST_F(ProjectionTest, AnErasedTaskThatIsCarriedForwardIsNotCountedTwice) {
  const StoredBatch batch{1,
                          {stored(core::TaskSubmitted{.sequence = 1,
                                                      .id = task_id(1),
                                                      .at = kStart,
                                                      .queue = QueueName("eval"),
                                                      .owner = OwnerName("ann")}),
                           stored(core::TaskLeased{.sequence = 2,
                                                   .id = task_id(1),
                                                   .at = kStart,
                                                   .attempt = Attempt{1},
                                                   .worker = WorkerName("w")}),
                           stored(core::TaskEnded{.sequence = 3,
                                                  .id = task_id(1),
                                                  .at = kStart + Duration(500),
                                                  .attempt = Attempt{1},
                                                  .state = TaskState::kFailed})}};
  restart();
  apply(batch);
  ASSERT_EQ(projection_->erase_ended_before(Time::max(), 10).value(), 1U);
  EXPECT_TRUE(content_of(path()).stories.empty());
  EXPECT_EQ(projection_->ended_tasks(), 0U);
  apply({2, batch.records});
  commit();
  const auto content = content_of(path());
  EXPECT_EQ(content.stories.size(), 1U);
  ASSERT_EQ(content.usage.size(), 1U);
  EXPECT_EQ(content.usage[0].tasks, 1U);
  EXPECT_EQ(content.usage[0].failed, 1U);
  EXPECT_EQ(content.usage[0].attempts, 1U);
  EXPECT_EQ(content.usage[0].wall_seconds, 0.5);
}

TEST_F(ProjectionTest, AMalformedRecordIsRefusedAndTheRestCanBeForgotten) {
  const Stream stream = random_stream(6, 50);
  restart();
  apply(stream[0]);
  commit();
  apply(stream[1]);
  const EntryBytes bad{.head = "\x03 no record"};
  EXPECT_EQ(projection_->apply(stream[2].sequence, std::span(&bad, 1)).reason(),
            "malformed_record");
  projection_->discard();
  EXPECT_EQ(projection_->position(), stream[0].sequence);
}

TEST_F(ProjectionTest, AHistoryOfAnotherJournalIsRefused) {
  restart();
  apply_all(random_stream(6, 50));
  commit();
  const std::uint64_t position = projection_->position();
  EXPECT_EQ(Projection::open(*database_, kJournal + 1, kNoEnd).status().reason(),
            kReasonOtherJournal);
  EXPECT_EQ(Projection::open(*database_, kJournal, position - 1).status().reason(),
            kReasonOtherJournal);
  EXPECT_TRUE(Projection::open(*database_, kJournal, position).is_ok());
}

TEST_F(ProjectionTest, ErasingTakesATaskOutOfEveryTableButUsage) {
  const Stream stream = random_stream(8, 400);
  restart();
  apply_all(stream);
  commit();
  const auto before = content_of(path());
  while (projection_->erase_ended_before(Time::max(), 7).value() > 0) {
  }
  auto expected = before;
  std::erase_if(expected.stories,
                [](const auto& each) { return is_ended(each.second.task.state); });
  std::erase_if(expected.listed, [&](const TaskId& id) { return !expected.stories.contains(id); });
  expect_same(content_of(path()), expected);
  for (const char* table : {"attempts", "labels", "results"}) {
    EXPECT_EQ(database_
                  ->number("SELECT COUNT(*) FROM " + std::string(table) +
                           " WHERE task NOT IN (SELECT key FROM tasks)")
                  .value(),
              0)
        << table;
  }
}

}  // namespace
}  // namespace assay::history
