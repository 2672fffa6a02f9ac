#include "broker/core/feed_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::core {
namespace {

FeedEvent event(std::uint64_t sequence, const std::string& text = {}) {
  FeedEvent made;
  made.sequence = sequence;
  made.queue = QueueName(sequence % 2 == 0 ? "even" : "odd");
  made.text = text;
  return made;
}

EventsRequest all_after(std::uint64_t after) {
  EventsRequest request;
  request.after = after;
  request.limit = 5000;
  return request;
}

TEST(FeedLog, EventsComeBackAsTheyWere) {
  FeedEvent full;
  full.sequence = 7;
  full.previous = 3;
  full.previous_in_queue = 5;
  full.at = Time(Duration(1234));
  full.kind = EventKind::kProgress;
  full.queue = QueueName("eval");
  full.task = *TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  full.attempt = Attempt{2};
  full.state = TaskState::kRunning;
  full.worker = WorkerName("w1");
  full.done = 4;
  full.total = 9;
  full.text = "half way";
  FeedLog log{CoreOptions()};
  log.add(event(6));
  log.add(full);
  EXPECT_THAT(log.answer(all_after(0), 7).events, testing::ElementsAre(event(6), full));
}

TEST(FeedLog, TheOldestGoWhenTheBytesAreUsedUp) {
  CoreOptions options;
  options.event_bytes_kept_max = 100'000;
  FeedLog log(options);
  for (std::uint64_t i = 1; i <= 100; ++i) log.add(event(i, std::string(10'000, 't')));
  const EventList kept = log.answer(all_after(0), 100);
  EXPECT_EQ(kept.events.size(), 9U);  // each is somewhat larger than its text
  EXPECT_EQ(kept.oldest, 92U);
  EXPECT_EQ(kept.events.back(), event(100, std::string(10'000, 't')));
}

TEST(FeedLog, TheOldestGoWhenThereAreTooMany) {
  CoreOptions options;
  options.events_kept_max = 10;
  FeedLog log(options);
  for (std::uint64_t i = 1; i <= 25; ++i) log.add(event(i));
  EXPECT_EQ(log.answer(all_after(0), 25).events.size(), 10U);
  EXPECT_EQ(log.answer(all_after(20), 25).events.front(), event(21));
}

}  // namespace
}  // namespace assay::core
