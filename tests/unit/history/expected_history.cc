#include "tests/unit/history/expected_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

namespace assay::history::testing {
namespace {

struct Model {
  std::map<TaskId, TaskStory> stories;
  std::map<TaskId, std::size_t> order;
  std::map<std::tuple<Day, OwnerName, QueueName>, UsageRow> usage;

  UsageRow& usage_at(const TaskRow& task, Time at) {
    const Day day = std::chrono::floor<std::chrono::days>(at);
    UsageRow& row = usage[{day, task.owner, task.queue}];
    row.day = day;
    row.owner = task.owner;
    row.queue = task.queue;
    return row;
  }

  void end_attempt(TaskStory& story, Attempt number, Time at, Cause cause,
                   const std::string& because, std::optional<Time> ready_at) {
    for (AttemptRow& attempt : story.attempts) {
      if (attempt.attempt != number || attempt.ended_at) continue;
      attempt.ended_at = at;
      attempt.cause = cause;
      attempt.ended_because = because;
      attempt.ready_at = ready_at;
      UsageRow& row = usage_at(story.task, at);
      row.attempts += 1;
      // In thousandths, so that sums are exact.
      row.wall_seconds += static_cast<double>((at - attempt.started_at).count());
    }
  }

  void apply(const core::BrokerStarted&, const std::string&) {}
  void apply(const core::QueueCreated&, const std::string&) {}
  void apply(const core::TaskSubmitted& record, const std::string&) {
    TaskStory story;
    story.task.id = record.id;
    story.task.queue = record.queue;
    story.task.owner = record.owner;
    story.task.priority = record.priority;
    story.task.max_attempts = record.max_attempts;
    story.task.submitted_at = record.at;
    story.task.labels = record.labels;
    bool waits = record.not_before > record.at || record.follows != TaskId();
    for (const TaskId& id : record.after)
      waits = waits || (stories.contains(id) && !is_ended(stories.at(id).task.state));
    if (waits) story.task.state = TaskState::kWaiting;
    stories[record.id] = story;
    order[record.id] = record.sequence;
  }
  void apply(const core::TaskLeased& record, const std::string&) {
    TaskStory& story = stories.at(record.id);
    story.task.state = TaskState::kRunning;
    story.task.attempts = record.attempt.number;
    if (!story.task.started_at) story.task.started_at = record.at;
    // One that was handed over goes on with another worker, under the same number.
    std::erase_if(story.attempts,
                  [&](const AttemptRow& old) { return old.attempt == record.attempt; });
    story.attempts.push_back(
        {.attempt = record.attempt, .worker = record.worker, .started_at = record.at});
  }
  void apply(const core::AttemptEnded& record, const std::string&) {
    TaskStory& story = stories.at(record.id);
    story.task.state = record.ready_at > record.at ? TaskState::kWaiting : TaskState::kQueued;
    end_attempt(story, record.attempt, record.at, record.cause, record.because, record.ready_at);
  }
  void apply(const core::TaskReady& record, const std::string&) {
    stories.at(record.id).task.state = TaskState::kQueued;
  }
  void apply(const core::CancelRequested& record, const std::string&) {
    stories.at(record.id).task.cancel_requested_at = record.at;
    stories.at(record.id).task.reason = record.reason;
  }
  void apply(const core::QueuePaused&, const std::string&) {}
  void apply(const core::TaskForgotten&, const std::string&) {}
  void apply(const core::EndedForgotten&, const std::string&) {}
  // The journals of these tests begin at the beginning.
  void apply(const core::CheckpointBegun&, const std::string&) {}
  void apply(const core::TaskCarried&, const std::string&) {}
  void apply(const core::DependentsCarried&, const std::string&) {}
  void apply(const core::RunCarried&, const std::string&) {}
  void apply(const core::QueueCarried&, const std::string&) {}
  void apply(const core::ScheduleSet&, const std::string&) {}
  void apply(const core::ScheduleFired&, const std::string&) {}
  void apply(const core::ScheduleRemoved&, const std::string&) {}
  void apply(const core::TaskPinned&, const std::string&) {}
  void apply(const core::TaskHeld& record, const std::string&) {
    stories.at(record.id).task.state = TaskState::kWaiting;
  }
  void apply(const core::Quarantined&, const std::string&) {}
  void apply(const core::QuarantineReleased&, const std::string&) {}
  void apply(const core::TaskRevived& record, const std::string&) {
    TaskStory& story = stories.at(record.id);
    story.task.state = TaskState::kQueued;
    story.task.cause = Cause::kNone;
    story.task.reason.clear();
    story.task.ended_at.reset();
    story.task.result_bytes = 0;
    story.result.reset();
  }
  void apply(const core::TaskEnded& record, const std::string& blob) {
    TaskStory& story = stories.at(record.id);
    story.task.state = record.state;
    story.task.cause = record.cause;
    if (!record.reason.empty()) story.task.reason = record.reason;
    story.task.ended_at = record.at;
    story.task.result_bytes = blob.size();
    if (!blob.empty() && blob.size() <= kResultBytesKeptMax) story.result = blob;
    UsageRow& row = usage_at(story.task, record.at);
    row.tasks += 1;
    row.failed += record.state == TaskState::kFailed || record.state == TaskState::kDead ? 1 : 0;
    row.cancelled += record.state == TaskState::kCancelled ? 1 : 0;
    end_attempt(story, record.attempt, record.at, record.cause,
                record.reason.empty() ? std::string(to_string(record.state)) : record.reason,
                std::nullopt);
  }
};

int phase_of(TaskState state) {
  switch (state) {
    case TaskState::kRunning:
      return 0;
    case TaskState::kQueued:
      return 1;
    case TaskState::kWaiting:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

Content expected_content(const Stream& stream) {
  Model model;
  for (const StoredBatch& batch : stream) {
    for (const StoredRecord& each : batch.records)
      std::visit([&](const auto& record) { model.apply(record, each.blob); }, each.record);
  }
  Content content;
  for (auto& [key, row] : model.usage) {
    row.wall_seconds /= 1000;
    content.usage.push_back(row);
  }
  for (const auto& [id, story] : model.stories) content.listed.push_back(id);
  const auto place = [&](const TaskId& id) {
    const TaskRow& task = model.stories.at(id).task;
    return std::tuple(-phase_of(task.state), task.ended_at.value_or(Time()), model.order.at(id));
  };
  std::sort(content.listed.begin(), content.listed.end(),
            [&](const TaskId& a, const TaskId& b) { return place(a) > place(b); });
  content.stories = std::move(model.stories);
  return content;
}

Content content_of(const std::string& path) {
  Content content;
  auto reader = Reader::open(path);
  EXPECT_TRUE(reader.is_ok()) << reader.status().to_string();
  if (!reader.is_ok()) return content;
  std::string cursor;
  do {
    const auto page = reader->list({}, 7, cursor);
    EXPECT_TRUE(page.is_ok()) << page.status().to_string();
    if (!page.is_ok()) return content;
    for (const TaskRow& task : page.value().tasks) {
      content.listed.push_back(task.id);
      auto story = reader->task(task.id.text());
      EXPECT_TRUE(story.is_ok()) << story.status().to_string();
      if (story.is_ok()) content.stories[task.id] = std::move(*story);
    }
    cursor = page.value().next;
  } while (!cursor.empty());
  const auto usage = reader->usage({.by_owner = true, .by_queue = true, .by_day = true});
  EXPECT_TRUE(usage.is_ok()) << usage.status().to_string();
  if (usage.is_ok()) content.usage = usage.value();
  return content;
}

void expect_same(const Content& found, const Content& expected) {
  EXPECT_EQ(found.stories.size(), expected.stories.size());
  for (const auto& [id, story] : expected.stories) {
    const auto at = found.stories.find(id);
    ASSERT_NE(at, found.stories.end()) << id.text() << " is missing";
    ASSERT_EQ(at->second.task, story.task) << id.text();
    ASSERT_EQ(at->second.attempts, story.attempts) << id.text();
    ASSERT_EQ(at->second.result, story.result) << id.text();
  }
  EXPECT_EQ(found.listed, expected.listed);
  EXPECT_EQ(found.usage, expected.usage);
}

}  // namespace assay::history::testing
