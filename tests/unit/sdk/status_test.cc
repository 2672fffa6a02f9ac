// What a Result gives away.
#include "assay/status.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

namespace assay {
namespace {

using Names = std::vector<std::string>;

Result<Names> two_names() {
  return Names{"one whose text is too long to lie in the string", "two"};
}

TEST(ResultValue, OfATemporaryOutlivesIt) {
  // A reference would dangle in the loop below.
  static_assert(std::is_same_v<decltype(two_names().value()), Names>);
  static_assert(std::is_same_v<decltype(*two_names()), Names>);
  Names seen;
  for (const std::string& name : two_names().value()) seen.push_back(name);
  for (const std::string& name : *two_names()) seen.push_back(name);
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0], two_names()->front());
}

}  // namespace
}  // namespace assay
