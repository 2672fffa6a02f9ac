// The subscriber on real sockets: a PUB socket that loses what the test wants lost, and a scripted
// broker that keeps every event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <zmq.hpp>

#include "assay/progress.h"
#include "sdk/wire/codec.h"
#include "tests/support/fake_broker.h"

namespace assay {
namespace {

using test::FakeBroker;
using test::kDeadline;

const TaskId kTask = *TaskId::parse("01HZZZZZZZZZZZZZZZZZZZZZZA");

// A feed of which each event is kept, and published unless the test holds it back.
class FakeFeed {
 public:
  FakeFeed() : broker_([this](const Message& message) { return answer(message); }) {
    publisher_.set(zmq::sockopt::linger, 0);
    publisher_.bind("tcp://127.0.0.1:*");
  }

  SubscriberOptions options() {
    SubscriberOptions options;
    options.feed_endpoint = publisher_.get(zmq::sockopt::last_endpoint);
    options.broker_endpoint = broker_.endpoint();
    options.call_timeout = Duration(15000);
    options.notice = [](std::string_view) {};
    return options;
  }

  // Waits until a subscription has arrived.
  void wait_for_subscription() {
    zmq::pollitem_t item{publisher_.handle(), 0, ZMQ_POLLIN, 0};
    ASSERT_EQ(zmq::poll(&item, 1, std::chrono::milliseconds(kDeadline)), 1);
    zmq::message_t subscription;
    ASSERT_TRUE(publisher_.recv(subscription));
  }

  void happen(bool published = true) {
    FeedEvent event;
    {
      const std::scoped_lock lock(mutex_);
      event.sequence = kept_.size() + 1;
      event.previous = kept_.size();
      event.task = kTask;
      event.queue = QueueName("eval");
      event.kind = EventKind::kLog;
      event.text = "event " + std::to_string(event.sequence);
      kept_.push_back(event);
    }
    if (!published) return;
    const wire::EventFrames frames = wire::encode_event(event);
    publisher_.send(zmq::buffer(frames.topic), zmq::send_flags::sndmore);
    publisher_.send(zmq::buffer(frames.payload));
  }

  FakeBroker& broker() { return broker_; }

 private:
  std::vector<Message> answer(const Message& message) {
    if (const auto* status = std::get_if<StatusRequest>(&message)) {
      TaskStatus reply;
      reply.request = status->request;
      reply.task.id = kTask;
      reply.task.queue = QueueName("eval");
      reply.task.owner = OwnerName("me");
      return {reply};
    }
    const auto* request = std::get_if<EventsRequest>(&message);
    if (request == nullptr) return {};
    const std::scoped_lock lock(mutex_);
    EventList list;
    list.request = request->request;
    list.oldest = 1;
    list.newest = kept_.size();
    for (const FeedEvent& event : kept_) {
      if (event.sequence > request->after) list.events.push_back(event);
    }
    return {list};
  }

  std::mutex mutex_;
  std::vector<FeedEvent> kept_;
  zmq::context_t context_;
  zmq::socket_t publisher_{context_, zmq::socket_type::xpub};
  FakeBroker broker_;
};

void expect_events(Subscriber& subscriber, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t i = from; i <= to; ++i) {
    auto event = subscriber.next(kDeadline);
    ASSERT_TRUE(event.is_ok()) << event.status().to_string();
    ASSERT_TRUE(event->has_value()) << "event " << i;
    EXPECT_EQ((*event)->sequence, i);
    EXPECT_EQ((*event)->text, "event " + std::to_string(i));
  }
}

TEST(Subscriber, ANewOneGetsWhatComesFromNowOn) {
  FakeFeed feed;
  feed.happen();
  Subscriber subscriber(feed.options());
  ASSERT_TRUE(subscriber.start().is_ok());
  feed.wait_for_subscription();
  feed.happen();
  feed.happen();
  expect_events(subscriber, 2, 3);
  EXPECT_EQ(subscriber.lost(), 0U);
}

TEST(Subscriber, ALateOneCatchesUpFirst) {
  FakeFeed feed;
  for (int i = 0; i < 20; ++i) feed.happen();
  SubscriberOptions options = feed.options();
  options.after = 5;
  Subscriber subscriber(options);
  expect_events(subscriber, 6, 20);
  feed.wait_for_subscription();
  feed.happen();
  expect_events(subscriber, 21, 21);
}

TEST(Subscriber, WhatTheFeedDroppedIsFetchedInOrder) {
  FakeFeed feed;
  Subscriber subscriber(feed.options());
  ASSERT_TRUE(subscriber.start().is_ok());
  feed.wait_for_subscription();
  for (int i = 0; i < 30; ++i) feed.happen(i % 3 == 0);
  feed.happen();
  expect_events(subscriber, 1, 31);
}

TEST(Subscriber, ALossAtTheTailIsFoundInTheSilence) {
  FakeFeed feed;
  Subscriber subscriber(feed.options());
  ASSERT_TRUE(subscriber.start().is_ok());
  feed.happen(false);
  expect_events(subscriber, 1, 1);
}

TEST(Subscriber, OneTaskIsFollowedUnderItsQueue) {
  FakeFeed feed;
  SubscriberOptions options = feed.options();
  options.tasks = {kTask};
  Subscriber subscriber(options);
  ASSERT_TRUE(subscriber.start().is_ok());
  feed.wait_for_subscription();
  feed.happen();
  feed.happen(false);
  feed.happen();
  expect_events(subscriber, 1, 3);
}

TEST(Subscriber, SilenceIsNothingNew) {
  FakeFeed feed;
  Subscriber subscriber(feed.options());
  auto event = subscriber.next(Duration(1));
  ASSERT_TRUE(event.is_ok()) << event.status().to_string();
  EXPECT_FALSE(event->has_value());
}

TEST(Subscriber, AnAbsentBrokerIsToldAndAskedAgain) {
  FakeFeed feed;
  SubscriberOptions options = feed.options();
  options.call_timeout = Duration(100);
  feed.broker().stop();
  Subscriber subscriber(options);
  EXPECT_EQ(subscriber.next(Duration(1)).status().reason(), "broker_unreachable");
  feed.broker().start();
  // It may take a few calls, of so short a timeout, until it is found.
  Status status;
  for (int tries = 0; tries < 100; ++tries) {
    status = subscriber.next(Duration(1)).status();
    if (status.is_ok()) break;
  }
  EXPECT_TRUE(status.is_ok()) << status.to_string();
}

}  // namespace
}  // namespace assay
