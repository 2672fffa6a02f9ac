#include "broker/history/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "broker/history/list_query.h"
#include "broker/history/schema.h"
#include "tests/unit/history/expected_history.h"
#include "tests/unit/history/history_folder.h"
#include "tests/unit/history/record_stream.h"

namespace assay::history {
namespace {

using testing::Content;
using testing::expected_content;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::random_stream;
using testing::Stream;
using testing::task_id;

class ReaderTest : public testing::HistoryFolder {
 protected:
  void SetUp() override {
    HistoryFolder::SetUp();
    stream_ = random_stream(42, 500);
    expected_ = expected_content(stream_);
    auto database = open_for_writing(path());
    ASSERT_TRUE(database.is_ok()) << database.status().to_string();
    auto projection = Projection::open(*database, 1, UINT64_MAX);
    ASSERT_TRUE(projection.is_ok());
    for (const auto& batch : stream_)
      ASSERT_TRUE(projection->apply(batch.sequence, batch.as_read()).is_ok());
    ASSERT_TRUE(projection->commit().is_ok());
    database_ = std::make_unique<Database>(std::move(*database));
    auto reader = Reader::open(path());
    ASSERT_TRUE(reader.is_ok()) << reader.status().to_string();
    reader_ = std::make_unique<Reader>(std::move(*reader));
  }

  static bool passes(const TaskFilter& filter, const TaskRow& task) {
    const Time at = task.ended_at.value_or(task.submitted_at);
    for (const auto& label : filter.labels) {
      const auto found = task.labels.find(label.first);
      if (found == task.labels.end() || found->second != label.second) return false;
    }
    return (!filter.state || task.state == *filter.state) &&
           (!filter.ended_only || is_ended(task.state)) &&
           (!filter.queue || task.queue == *filter.queue) &&
           (!filter.owner || task.owner == *filter.owner) &&
           (!filter.since || at >= *filter.since) && (!filter.until || at < *filter.until) &&
           task.id.text().starts_with(upper_case(filter.id_prefix));
  }
  std::vector<TaskId> expected_list(const TaskFilter& filter) const {
    std::vector<TaskId> ids;
    for (const TaskId& id : expected_.listed)
      if (passes(filter, expected_.stories.at(id).task)) ids.push_back(id);
    return ids;
  }
  std::vector<TaskId> all_pages(const TaskFilter& filter, std::size_t limit) {
    std::vector<TaskId> ids;
    std::string cursor;
    do {
      const auto page = reader_->list(filter, limit, cursor);
      EXPECT_TRUE(page.is_ok()) << page.status().to_string();
      if (!page.is_ok()) return ids;
      EXPECT_TRUE(page.value().next.empty() || page.value().tasks.size() == limit);
      for (const TaskRow& task : page.value().tasks) {
        EXPECT_EQ(task, expected_.stories.at(task.id).task);
        ids.push_back(task.id);
      }
      cursor = page.value().next;
    } while (!cursor.empty());
    return ids;
  }
  TaskFilter random_filter(std::mt19937& random) const {
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    const auto any = expected_.listed[random() % expected_.listed.size()];
    const TaskRow& task = expected_.stories.at(any).task;
    TaskFilter filter;
    if (one_in(3)) filter.state = task.state;
    if (one_in(5)) filter.ended_only = !filter.state || is_ended(*filter.state);
    if (one_in(3)) filter.queue = task.queue;
    if (one_in(3)) filter.owner = task.owner;
    if (one_in(3)) filter.labels = task.labels;
    if (one_in(3)) filter.since = task.submitted_at;
    if (one_in(3)) filter.until = task.ended_at.value_or(task.submitted_at + Duration(1));
    if (one_in(6)) filter.id_prefix = task.id.text().substr(0, 4 + random() % 23);
    return filter;
  }

  Stream stream_;
  Content expected_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderTest, PagesOfAnySizeMakeUpTheWholeList) {
  for (const std::size_t limit : {1, 2, 3, 50, 1000}) {
    EXPECT_EQ(all_pages({}, limit), expected_.listed) << limit;
  }
}

TEST_F(ReaderTest, EveryFilterListsWhatPassesItInOrder) {
  std::mt19937 random(1);
  std::size_t listed = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    const TaskFilter filter = random_filter(random);
    const auto ids = all_pages(filter, 1 + random() % 20);
    ASSERT_EQ(ids, expected_list(filter));
    listed += ids.size();
  }
  EXPECT_GT(listed, 500U);
}

// A scan of all tasks, or a sort of all that match, would grow with the history.
TEST_F(ReaderTest, EveryPageIsServedByAnIndexInItsOrder) {
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    TaskFilter filter = random_filter(random);
    if (filter.id_prefix.size() >= kNarrowPrefixLength) filter.id_prefix.clear();
    for (const Phase phase : {Phase::kRunning, Phase::kQueued, Phase::kWaiting, Phase::kEnded}) {
      const Query query = list_query(
          filter, phase, i % 2 == 0 ? std::optional(Cursor{phase, 5, 5}) : std::nullopt, 10);
      auto plan = database_->prepare("EXPLAIN QUERY PLAN " + query.sql);
      ASSERT_TRUE(plan.is_ok()) << plan.status().to_string();
      plan->start();
      for (auto row = plan->next(); row.is_ok() && *row; row = plan->next()) {
        EXPECT_THAT(plan->text(3), Not(HasSubstr("TEMP B-TREE"))) << query.sql;
        if (plan->text(3).starts_with("SCAN")) {
          EXPECT_THAT(plan->text(3), HasSubstr("USING INDEX tasks_by_end")) << query.sql;
        }
      }
    }
  }
}

TEST_F(ReaderTest, ATaskIsFoundByAPrefixThatFitsNoOther) {
  for (const auto& [id, story] : expected_.stories) {
    const auto found = reader_->task(id.text());
    ASSERT_TRUE(found.is_ok()) << found.status().to_string();
    ASSERT_EQ(found.value(), story);
  }
  std::string lower = task_id(3).text();
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(reader_->task(lower).value().task.id, task_id(3));
  EXPECT_EQ(reader_->task(task_id(3).text().substr(0, 10)).status().reason(), kReasonAmbiguous);
  EXPECT_EQ(reader_->task("7ZZZ").status().reason(), kReasonUnknownTask);
  EXPECT_EQ(reader_->task("ABC").status().reason(), kReasonInvalidQuery);
  EXPECT_EQ(reader_->task("").status().reason(), kReasonInvalidQuery);
  EXPECT_EQ(reader_->task("'; DROP").status().reason(), kReasonInvalidQuery);
}

// Of an id that was used again, only what happened to the latest task.
TEST_F(ReaderTest, TheEventsOfATaskAreFoundFromItsLastOneBack) {
  const auto all = reader_->events({}, 100'000);
  ASSERT_TRUE(all.is_ok()) << all.status().to_string();
  ASSERT_TRUE(all->complete);
  std::map<TaskId, std::vector<FeedEvent>> stories;
  for (const FeedEvent& event : all->events) {
    std::vector<FeedEvent>& story = stories[event.task];
    if (event.previous == 0) story.clear();
    story.push_back(event);
  }
  ASSERT_GT(stories.size(), 300U);
  for (const auto& [id, story] : stories) {
    const auto found = reader_->events({.tasks = {id}}, 1000);
    ASSERT_TRUE(found.is_ok()) << found.status().to_string();
    ASSERT_EQ(found->events, story) << id.text();
    const std::uint64_t after = story.front().sequence;
    const auto later = reader_->events({.after = after, .tasks = {id}}, 1000);
    ASSERT_TRUE(later.is_ok()) << later.status().to_string();
    ASSERT_EQ(later->events.size(), story.size() - 1) << id.text();
  }
  // Of several at once, in the order in which they happened.
  const auto two = reader_->events({.tasks = {task_id(3), task_id(4)}}, 1000);
  ASSERT_TRUE(two.is_ok()) << two.status().to_string();
  EXPECT_EQ(two->events.size(), stories[task_id(3)].size() + stories[task_id(4)].size());
  EXPECT_TRUE(std::is_sorted(two->events.begin(), two->events.end(),
                             [](const auto& a, const auto& b) { return a.sequence < b.sequence; }));
}

TEST_F(ReaderTest, UsageCanBeToldApartByAnyOfItsKeys) {
  std::mt19937 random(3);
  for (int i = 0; i < 100; ++i) {
    UsageFilter filter{
        .by_owner = random() % 2 == 0, .by_queue = random() % 2 == 0, .by_day = random() % 2 == 0};
    const UsageRow& any = expected_.usage[random() % expected_.usage.size()];
    if (random() % 3 == 0) filter.owner = any.owner;
    if (random() % 3 == 0) filter.queue = any.queue;
    if (random() % 3 == 0) filter.since = any.day;
    if (random() % 3 == 0) filter.until = *any.day + std::chrono::days(1);
    std::map<std::tuple<std::optional<Day>, std::optional<OwnerName>, std::optional<QueueName>>,
             UsageRow>
        sums;
    for (const UsageRow& row : expected_.usage) {
      if (filter.owner && row.owner != filter.owner) continue;
      if (filter.queue && row.queue != filter.queue) continue;
      if (filter.since && *row.day < *filter.since) continue;
      if (filter.until && *row.day >= *filter.until) continue;
      const auto key = std::tuple(filter.by_day ? row.day : std::nullopt,
                                  filter.by_owner ? row.owner : std::nullopt,
                                  filter.by_queue ? row.queue : std::nullopt);
      UsageRow& sum = sums[key];
      std::tie(sum.day, sum.owner, sum.queue) = key;
      sum.tasks += row.tasks;
      sum.failed += row.failed;
      sum.cancelled += row.cancelled;
      sum.attempts += row.attempts;
      sum.wall_seconds += row.wall_seconds;
    }
    const auto found = reader_->usage(filter);
    ASSERT_TRUE(found.is_ok()) << found.status().to_string();
    ASSERT_EQ(found.value().size(), sums.size());
    auto row = found.value().begin();
    for (auto& [key, sum] : sums) {
      EXPECT_NEAR(row->wall_seconds, sum.wall_seconds, 1e-6);
      sum.wall_seconds = row->wall_seconds;
      EXPECT_EQ(*row++, sum);
    }
  }
}

TEST_F(ReaderTest, CountsTellTheQueuesStates) {
  std::map<std::pair<QueueName, TaskState>, std::uint64_t> expected;
  for (const auto& [id, story] : expected_.stories)
    ++expected[{story.task.queue, story.task.state}];
  const auto found = reader_->counts({}, {});
  ASSERT_TRUE(found.is_ok()) << found.status().to_string();
  EXPECT_EQ(found.value().size(), expected.size());
  for (const CountRow& row : found.value())
    EXPECT_EQ(row.tasks, (expected[{row.queue, row.state}]));
  const auto none = reader_->counts(Time::max(), {});
  for (const CountRow& row : none.value()) EXPECT_FALSE(is_ended(row.state));
}

TEST_F(ReaderTest, WrongQuestionsAreRefused) {
  EXPECT_EQ(reader_->list({}, 0).status().reason(), kReasonInvalidQuery);
  EXPECT_EQ(reader_->list({}, kPageRowsMax + 1).status().reason(), kReasonInvalidQuery);
  for (const char* cursor : {"x", "1", "1.2", "1.2.3.4", "9.1.1", "-1.1.1", "1.2.3x", "."})
    EXPECT_EQ(reader_->list({}, 5, cursor).status().reason(), kReasonInvalidQuery) << cursor;
  EXPECT_EQ(reader_->list({.id_prefix = "ABC"}, 5).status().reason(), kReasonInvalidQuery);
  EXPECT_EQ(reader_->list({.state = TaskState::kQueued, .ended_only = true}, 5).status().reason(),
            kReasonInvalidQuery);
}

TEST_F(ReaderTest, AQueryThatTakesTooLongIsGivenUp) {
  // Enough steps for a look at the clock.
  ASSERT_TRUE(database_
                  ->execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                            "i < 20000) INSERT INTO usage (day, owner, queue) SELECT i, 'o', 'q' "
                            "FROM n")
                  .is_ok());
  reader_->set_patience(Duration(-1));
  EXPECT_EQ(reader_->usage({.by_day = true}).status().reason(), kReasonTooLong);
  reader_->set_patience(Duration(60'000));
  EXPECT_EQ(reader_->usage({.by_day = true}).status().reason(), kReasonInvalidQuery)
      << "there are more sums than a page has";
  EXPECT_TRUE(reader_->usage({.by_owner = true}).is_ok());
}

TEST_F(ReaderTest, ItSeesWhatIsCommittedMeanwhile) {
  const auto before = reader_->position();
  ASSERT_TRUE(database_->execute("UPDATE meta SET position = position + 5").is_ok());
  EXPECT_EQ(reader_->position().value(), before.value() + 5);
}

TEST_F(ReaderTest, AStoryIsToldInOrder) {
  for (const auto& [id, story] : expected_.stories) {
    const auto events = events_of(story);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.front().state, TaskState::kQueued);
    EXPECT_EQ(events.front().at, story.task.submitted_at);
    for (std::size_t i = 1; i < events.size(); ++i) EXPECT_GE(events[i].at, events[i - 1].at);
    if (story.task.ended_at) {
      EXPECT_EQ(events.back().state, story.task.state);
    }
  }
}

TEST_F(ReaderTest, WhereThereIsNoHistoryItSaysSo) {
  EXPECT_EQ(Reader::open(path("none.db")).status().reason(), kReasonUnreachable);
}

}  // namespace
}  // namespace assay::history
