// What goes by age, count and size, and what a wrong policy is told.
#include "workers/cleanup/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::cleanup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Duration kHour{3'600'000};
const Time kNow = Time(kHour * 1000);

std::vector<std::string> ids(const std::vector<Doomed>& doomed) {
  std::vector<std::string> out;
  for (const Doomed& one : doomed) out.push_back(one.item.id);
  return out;
}

// a is ten hours old, b nine, ... each with ten bytes.
std::vector<Item> items() {
  std::vector<Item> out;
  for (int i = 0; i < 5; ++i) {
    out.push_back({std::string(1, static_cast<char>('a' + i)), kNow - kHour * (10 - i), 10});
  }
  return out;
}

TEST(Plan, ByAgeTheOldestFirst) {
  const auto doomed = plan(items(), {.keep_for = kHour * 8}, kHour, kNow);
  EXPECT_THAT(ids(doomed), ElementsAre("a", "b"));
  EXPECT_EQ(doomed[0].reason, "older than 8h");
}

TEST(Plan, ByCountAndBySize) {
  EXPECT_THAT(ids(plan(items(), {.keep_count = 2}, kHour, kNow)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ids(plan(items(), {.keep_bytes = 39}, kHour, kNow)), ElementsAre("a", "b"));
  EXPECT_THAT(ids(plan(items(), {.keep_bytes = 50}, kHour, kNow)), IsEmpty());
}

TEST(Plan, NothingYoungGoesWhateverTheBounds) {
  const Retention nothing{.keep_for = Duration(1), .keep_count = 1, .keep_bytes = 1};
  EXPECT_THAT(ids(plan(items(), nothing, kHour * 9, kNow)), ElementsAre("a", "b"));
}

TEST(Plan, WithoutBoundsAllStays) {
  EXPECT_THAT(plan(items(), {}, Duration(0), kNow), IsEmpty());
}

TEST(Policy, ATaskMayNarrowIt) {
  const auto policy = read_policy(R"({"dry_run":true,"safety_delay":"1h","keep_labels":{},
      "artifacts":{"keep_for":"7d","keep_count":5,"keep_bytes":"10GiB"}})",
                                  {});
  ASSERT_TRUE(policy.is_ok()) << policy.status().to_string();
  EXPECT_TRUE(policy->dry_run);
  EXPECT_EQ(policy->artifacts.keep_bytes, 10ULL << 30);
  EXPECT_TRUE(policy->keep_labels.empty());
}

TEST(Policy, NamesTheMistake) {
  const auto message = [](const char* body) { return read_policy(body, {}).status().message(); };
  EXPECT_EQ(message(R"({"dry_run":"yes"})"), R"(dry_run: expected true or false, found "yes")");
  EXPECT_EQ(message(R"({"artifacts":{"keep_for":"soon"}})"),
            R"(artifacts.keep_for: expected a duration such as 30d or 12h, found "soon")");
  EXPECT_FALSE(read_policy(R"({"dryrun":true})", {}).is_ok());
  EXPECT_FALSE(read_policy("[]", {}).is_ok());
}

}  // namespace
}  // namespace assay::cleanup
