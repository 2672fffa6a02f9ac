// Against values from printed tables and other people's programs.
#include "workers/report/analysis/statistics.h"

#include <gtest/gtest.h>

namespace assay::report {
namespace {

TEST(Statistics, StudentsTIsThatOfTheTables) {
  EXPECT_NEAR(t_quantile_975(1), 12.7062, 1e-3);
  EXPECT_NEAR(t_quantile_975(2), 4.3027, 1e-3);
  EXPECT_NEAR(t_quantile_975(3), 3.1824, 1e-3);
  EXPECT_NEAR(t_quantile_975(5), 2.5706, 1e-3);
  EXPECT_NEAR(t_quantile_975(10), 2.2281, 1e-3);
  EXPECT_NEAR(t_quantile_975(30), 2.0423, 1e-3);
  EXPECT_NEAR(t_quantile_975(1e6), 1.9600, 1e-3);
}

TEST(Statistics, AMeanHasItsInterval) {
  const Estimate one = estimate({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(one.mean, 5);
  EXPECT_NEAR(one.deviation, 2.1381, 1e-4);
  EXPECT_NEAR(one.interval->low, 3.2125, 1e-3);
  EXPECT_NEAR(one.interval->high, 6.7875, 1e-3);
  EXPECT_FALSE(estimate({3}).interval);
  EXPECT_EQ(estimate({}).count, 0U);
}

TEST(Statistics, ADifferenceIsWelchs) {
  const Estimate wide = difference(estimate({1, 2, 3}), estimate({1.5, 2.5, 3.5}));
  EXPECT_DOUBLE_EQ(wide.mean, -0.5);
  EXPECT_LT(wide.interval->low, 0);
  EXPECT_GT(wide.interval->high, 0);
  const Estimate clear = difference(estimate({0.9, 0.91, 0.92}), estimate({0.5, 0.51, 0.52}));
  EXPECT_GT(clear.interval->low, 0.37);
  EXPECT_FALSE(difference(estimate({1}), estimate({1, 2})).interval);
}

TEST(Statistics, AShareNeverLeavesItsScale) {
  EXPECT_NEAR(share(8, 10).low, 0.4902, 1e-3);
  EXPECT_NEAR(share(8, 10).high, 0.9433, 1e-3);
  EXPECT_DOUBLE_EQ(share(0, 10).low, 0);
  EXPECT_DOUBLE_EQ(share(10, 10).high, 1);
  EXPECT_DOUBLE_EQ(share(0, 0).high, 1);
}

TEST(Statistics, AnUnevenSplitIsUnlikelyByChance) {
  EXPECT_DOUBLE_EQ(mcnemar(0, 0), 1);
  EXPECT_DOUBLE_EQ(mcnemar(3, 3), 1);
  EXPECT_NEAR(mcnemar(10, 0), 2.0 / 1024, 1e-9);
  EXPECT_NEAR(mcnemar(5000, 5000), 1, 1e-6);
  EXPECT_LT(mcnemar(40'000, 10'000), 1e-9);
}

TEST(Statistics, PercentilesLieBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4}, 1), 4);
  EXPECT_DOUBLE_EQ(percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace assay::report
