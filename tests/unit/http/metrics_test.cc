#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/http/client.h"
#include "sdk/metrics/endpoint.h"
#include "sdk/metrics/registry.h"

namespace assay::metrics {
namespace {

using ::testing::HasSubstr;

TEST(MetricsRegistry, CountsByLabelsAndWritesWhatPrometheusReads) {
  Registry registry;
  registry.counter("assay_things_total", "Things.");
  registry.gauge("assay_level", "A level.");
  registry.histogram("assay_wait_seconds", "Waits.", {0.1, 1});
  registry.add("assay_things_total", {{"kind", "a\"b"}});
  registry.add("assay_things_total", {{"kind", "a\"b"}}, 2);
  registry.before_text([](Registry& one) { one.set("assay_level", {}, 0.5); });
  registry.observe("assay_wait_seconds", 0.5);
  registry.add("assay_unknown_total");
  EXPECT_EQ(registry.value("assay_things_total", {{"kind", "a\"b"}}), 3);
  EXPECT_EQ(registry.text(),
            "# HELP assay_level A level.\n# TYPE assay_level gauge\nassay_level 0.5\n"
            "# HELP assay_things_total Things.\n# TYPE assay_things_total counter\n"
            "assay_things_total{kind=\"a\\\"b\"} 3\n"
            "# HELP assay_wait_seconds Waits.\n# TYPE assay_wait_seconds histogram\n"
            "assay_wait_seconds_bucket{le=\"0.1\"} 0\nassay_wait_seconds_bucket{le=\"1\"} 1\n"
            "assay_wait_seconds_bucket{le=\"+Inf\"} 1\nassay_wait_seconds_sum 0.5\n"
            "assay_wait_seconds_count 1\n");
}

TEST(MetricsRegistry, LabelsWithoutEndAreBounded) {
  Registry registry;
  registry.counter("assay_things_total", "Things.");
  for (std::size_t i = 0; i < 2 * Registry::kSeriesMax; ++i) {
    registry.add("assay_things_total", {{"id", std::to_string(i)}});
  }
  EXPECT_EQ(registry.value("assay_things_total", {{"other", "other"}}),
            static_cast<double>(Registry::kSeriesMax));
}

TEST(MetricsEndpoint, ServesTheTextAndItsHealthAndNothingElse) {
  Registry registry;
  registry.counter("assay_things_total", "Things.");
  registry.add("assay_things_total");
  const auto endpoint = Endpoint::listen("127.0.0.1:0", registry);
  ASSERT_TRUE(endpoint.is_ok()) << endpoint.status().to_string();
  http::Client client;
  const auto ask = [&](const std::string& path, const std::string& method) {
    http::Request request;
    request.method = method;
    request.url = "http://" + (*endpoint)->address() + path;
    return client.perform(request).value();
  };
  EXPECT_THAT(ask("/metrics", "GET").body, HasSubstr("\nassay_things_total 1\n"));
  EXPECT_EQ(ask("/healthz", "GET").status, 200U);
  EXPECT_EQ(ask("/other", "GET").status, 404U);
  EXPECT_EQ(ask("/metrics", "DELETE").status, 405U);
  EXPECT_EQ(Endpoint::listen((*endpoint)->address() + "x", registry).status().reason(),
            "invalid_endpoint");
}

}  // namespace
}  // namespace assay::metrics
