#include "workers/eval/executor/kubernetes/pressure.h"

#include <gtest/gtest.h>

namespace assay::eval::kubernetes {
namespace {

Instant at(int milliseconds) {
  return Instant(std::chrono::hours(1)) + Milliseconds(milliseconds);
}

TEST(TokenBucket, LetsABurstThroughAndThenSoManyASecond) {
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(at(0)), Milliseconds(0));
  EXPECT_EQ(bucket.take(at(0)), Milliseconds(100));
  EXPECT_EQ(bucket.take(at(0)), Milliseconds(200));
  EXPECT_EQ(bucket.take(at(1000)), Milliseconds(0));
}

TEST(CircuitBreaker, OpensAfterFailuresInARowTriesOnceAndClosesOnSuccess) {
  CircuitBreaker breaker(2, Milliseconds(100), Milliseconds(300));
  breaker.on_failure(at(0));
  breaker.on_success();
  breaker.on_failure(at(0));
  EXPECT_FALSE(breaker.open());
  breaker.on_failure(at(0));
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.wait(at(40)), Milliseconds(60));
  EXPECT_EQ(breaker.wait(at(100)), Milliseconds(0));  // one may try
  EXPECT_GT(breaker.wait(at(100)), Milliseconds(0));  // the others wait
  breaker.on_failure(at(110));
  EXPECT_EQ(breaker.wait(at(110)), Milliseconds(200));  // twice as long
  EXPECT_EQ(breaker.wait(at(310)), Milliseconds(0));
  breaker.on_failure(at(310));
  EXPECT_EQ(breaker.wait(at(310)), Milliseconds(300));  // and no longer than that
  EXPECT_EQ(breaker.wait(at(610)), Milliseconds(0));
  breaker.on_success();
  EXPECT_FALSE(breaker.open());
  EXPECT_EQ(breaker.wait(at(611)), Milliseconds(0));
}

TEST(PodWindow, HalvesWhenPodsWaitAndGrowsWithEachThatStarts) {
  PodWindow window(16, Milliseconds(1000));
  window.on_pending(Milliseconds(999), at(0));
  EXPECT_EQ(window.size(), 16U);
  window.on_pending(Milliseconds(1000), at(0));
  window.on_pending(Milliseconds(5000), at(500));  // the same trouble
  EXPECT_EQ(window.size(), 8U);
  window.on_pending(Milliseconds(5000), at(1000));
  EXPECT_EQ(window.size(), 4U);
  window.on_started();
  EXPECT_EQ(window.size(), 5U);
  for (int i = 0; i < 100; ++i) window.on_started();
  EXPECT_EQ(window.size(), 16U);
  for (int i = 0; i < 100; ++i) window.on_pending(Milliseconds(5000), at(2000 + i * 1000));
  EXPECT_EQ(window.size(), 1U);
}

}  // namespace
}  // namespace assay::eval::kubernetes
