#include "sdk/transport/contact.h"

#include <gtest/gtest.h>

namespace assay::transport {
namespace {

constexpr Instant kStart = Instant(Duration(1'000'000));

Instant at(int milliseconds) {
  return kStart + Duration(milliseconds);
}

// Lives through the time until `until` and tells when what was due.
struct Log {
  std::vector<int> hellos, beats, sockets, losses;
};
Log live(Contact& contact, int from, int until) {
  Log log;
  for (int now = from; now < until; ++now) {
    if (at(now) < contact.wake_at()) continue;
    const Contact::Due due = contact.on_time(at(now));
    if (due.hello) log.hellos.push_back(now);
    if (due.heartbeat) log.beats.push_back(now);
    if (due.fresh_socket) log.sockets.push_back(now);
    if (due.lost) log.losses.push_back(now);
  }
  return log;
}

Welcome welcome(int every = 1000) {
  Welcome message;
  message.heartbeat_every = Duration(every);
  return message;
}

using Times = std::vector<int>;

TEST(Contact, NothingIsDueBeforeTheFirstGreeting) {
  Contact contact(3);
  EXPECT_EQ(contact.wake_at(), kNever);
  EXPECT_EQ(live(contact, 0, 5000).hellos, Times{});
}

TEST(Contact, AGreetingIsRepeatedOnFreshSocketsOnly) {
  Contact contact(3);
  contact.greet(at(0));
  const Log log = live(contact, 0, 20000);
  EXPECT_EQ(log.hellos, (Times{0, 3000, 6000, 12000, 18000}));
  EXPECT_EQ(log.sockets, (Times{3000, 6000, 12000, 18000}));
  EXPECT_EQ(log.losses, Times{});  // it never was there
}

TEST(Contact, BeatsAreAsOftenAsTheBrokerAsked) {
  Contact contact(3);
  contact.greet(at(0));
  live(contact, 0, 1);
  EXPECT_TRUE(contact.on_welcome(welcome(200), at(1)));
  EXPECT_TRUE(contact.greeted());
  EXPECT_EQ(live(contact, 1, 602).beats, (Times{201, 401}));
}

TEST(Contact, ABrokerThatAsksForTooManyBeatsDoesNotMakeItSpin) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(0), at(0));
  EXPECT_LE(live(contact, 0, 30).beats.size(), 3U);
}

TEST(Contact, SilenceIsOneLossAndAFreshSocket) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(), at(0));
  const Log log = live(contact, 0, 7000);
  EXPECT_EQ(log.beats, (Times{1000, 2000}));
  EXPECT_EQ(log.losses, Times{3000});
  EXPECT_EQ(log.sockets, (Times{3000, 6000}));
  EXPECT_EQ(log.hellos, (Times{3000, 6000}));
}

TEST(Contact, AnyWordIsASignOfLife) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(), at(0));
  live(contact, 0, 2900);
  contact.on_heard(at(2900));
  EXPECT_EQ(live(contact, 2900, 5800).losses, Times{});
  EXPECT_EQ(live(contact, 5800, 6000).losses, Times{5900});
}

TEST(Contact, APeerThatWasStoppedGivesTheBrokerABeatToBeHeard) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(), at(0));
  Contact::Due due = contact.on_time(at(60000));
  EXPECT_FALSE(due.lost);
  EXPECT_TRUE(due.heartbeat);
  EXPECT_EQ(live(contact, 60001, 62000).losses, Times{61000});
}

TEST(Contact, HelloFirstGreetsOnceOnTheSameSocket) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(), at(0));
  EXPECT_TRUE(contact.on_hello_first(at(10)));
  EXPECT_FALSE(contact.on_hello_first(at(10)));
  Contact::Due due = contact.on_time(at(10));
  EXPECT_TRUE(due.hello);
  EXPECT_FALSE(due.fresh_socket);
  EXPECT_FALSE(contact.on_hello_first(at(11)));
  EXPECT_TRUE(contact.on_welcome(welcome(), at(12)));
  EXPECT_FALSE(contact.on_welcome(welcome(), at(12)));
}

TEST(Contact, ARefusalForNowIsWaitedOut) {
  Contact contact(3);
  contact.greet(at(0));
  contact.on_time(at(0));
  contact.on_refused_for(Duration(5000), at(5));
  const Log log = live(contact, 5, 6000);
  EXPECT_EQ(log.hellos, Times{5005});
  EXPECT_EQ(log.sockets, Times{});
}

TEST(Contact, AfterALongIdleTimeItGreetsAgain) {
  Contact contact(3);
  contact.resume(at(0));
  contact.on_time(at(0));
  contact.on_welcome(welcome(), at(0));
  contact.resume(at(9000));
  EXPECT_TRUE(contact.greeted());  // the silence was ours, and shorter than the lease
  EXPECT_TRUE(contact.on_time(at(9000)).heartbeat);
  contact.resume(at(20000));
  Contact::Due due = contact.on_time(at(20000));
  EXPECT_TRUE(due.hello);
  EXPECT_FALSE(due.fresh_socket);
  // That greeting was not answered: the next begins on a fresh socket.
  contact.resume(at(21000));
  due = contact.on_time(at(21000));
  EXPECT_TRUE(due.hello);
  EXPECT_TRUE(due.fresh_socket);
}

}  // namespace
}  // namespace assay::transport
