#include "cli/suggestion.h"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

TEST(Suggestion, TheNearestWordIsOffered) {
  const std::vector<std::string> words{"eval", "wait", "watch", "workers", "status", "cancel"};
  EXPECT_EQ(nearest("evla", words), "eval");
  EXPECT_EQ(nearest("wiat", words), "wait");
  EXPECT_EQ(nearest("worker", words), "workers");
  EXPECT_EQ(nearest("canc", words), "cancel");
}

TEST(Suggestion, NothingNearIsNotGuessed) {
  const std::vector<std::string> words{"eval", "wait", "watch"};
  EXPECT_EQ(nearest("frobnicate", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace assay::cli
