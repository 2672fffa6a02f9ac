// What the configuration says about clusters, and what follows from it.
#include "workers/eval/executor/kubernetes/read_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::eval::kubernetes {
namespace {

using Labels = std::map<std::string, std::string>;
using ::testing::HasSubstr;

Result<Settings> read(const std::string& yaml) {
  Settings settings;
  const Status status = config::read_yaml_text(yaml, "eval.yaml", [&](config::Map& top) {
    top.map("kubernetes", [&](config::Map& map) { read_settings(map, settings); });
  });
  if (!status.is_ok()) return status;
  return settings;
}

TEST(ReadSettings, ATaskMayRequireWhatAllClustersBearThatTakePods) {
  const auto settings = read(R"(
kubernetes:
  clusters:
    east: {labels: {region: eu, gpu: a100, zone: a}}
    west: {labels: {region: eu, gpu: a100, zone: b}, weight: 3}
    old: {labels: {region: us}, weight: 0}
)");
  ASSERT_TRUE(settings.is_ok()) << settings.status().to_string();
  EXPECT_EQ(common_labels(*settings), (Labels{{"region", "eu"}, {"gpu", "a100"}}));
}

TEST(ReadSettings, OneClusterGivesAllItsLabelsAndNoClusterNone) {
  const auto one = read("kubernetes: {clusters: {lab: {labels: {gpu: h100}}}}");
  ASSERT_TRUE(one.is_ok()) << one.status().to_string();
  EXPECT_EQ(common_labels(*one), (Labels{{"gpu", "h100"}}));
  EXPECT_EQ(common_labels(Settings()), Labels());
}

TEST(ReadSettings, LabelsThatAreNoMapAreNamed) {
  const auto status = read("kubernetes: {clusters: {lab: {labels: gpu}}}").status();
  EXPECT_EQ(status.code(), Code::kFixInput);
  EXPECT_THAT(status.message(), HasSubstr("labels"));
}

}  // namespace
}  // namespace assay::eval::kubernetes
