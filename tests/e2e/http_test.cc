// Health, metrics and queues over HTTP.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::http_get;

class BrokerHttp : public testing::Test {
 protected:
  support::TemporaryFolder folder_;
  support::BrokerProcess broker_{folder_.path()};
};

TEST_F(BrokerHttp, IsAliveAndReady) {
  EXPECT_EQ(http_get(broker_.http(), "/healthz"), "alive\n");
  EXPECT_EQ(http_get(broker_.http(), "/readyz"), "ready\n");
}

TEST_F(BrokerHttp, TellsOneQueueAsAutoscalersReadIt) {
  const auto queue = nlohmann::json::parse(http_get(broker_.http(), "/v1/queues/eval"));
  EXPECT_EQ(queue.at("name"), "eval");
  for (const char* key :
       {"queued", "running", "waiting", "pending", "workers", "capacity", "wanted_workers"}) {
    EXPECT_EQ(queue.at(key), 0) << key;
  }
  EXPECT_TRUE(queue.at("oldest_seconds").is_number());
}

TEST_F(BrokerHttp, ListsTheQueues) {
  const auto queues = nlohmann::json::parse(http_get(broker_.http(), "/v1/queues"));
  std::vector<std::string> names;
  for (const auto& queue : queues) names.push_back(queue.at("name"));
  EXPECT_EQ(names, (std::vector<std::string>{"eval", "build", "report", "cleanup"}));
}

TEST_F(BrokerHttp, SaysWhatThereIsWhenThereIsNothing) {
  EXPECT_NE(http_get(broker_.http(), "/v1/queues/none").find("there is no such queue"),
            std::string::npos);
  EXPECT_NE(http_get(broker_.http(), "/elsewhere").find("/metrics"), std::string::npos);
}

TEST_F(BrokerHttp, ServesTheMetricsOfTheContract) {
  const std::string metrics = http_get(broker_.http(), "/metrics");
  for (const char* line :
       {"assay_queue_depth{queue=\"eval\",state=\"queued\"} 0\n",
        "assay_workers{queue=\"eval\"} 0\n", "# TYPE assay_tasks_total counter\n",
        "# TYPE assay_task_duration_seconds histogram\n",
        "# TYPE assay_queue_wait_seconds histogram\n", "assay_journal_flush_seconds_count 1\n",
        "# TYPE assay_worker_slots gauge\n", "# TYPE assay_queue_oldest_seconds gauge\n",
        "# TYPE assay_journal_bytes gauge\n", "# TYPE assay_events_sequence gauge\n",
        "# TYPE assay_rejected_messages_total counter\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace assay
