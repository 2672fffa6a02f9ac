// Health, metrics and queues over HTTP.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
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

// Connections that have begun a request and never end it.
class HalfOpenConnections {
 public:
  HalfOpenConnections(const std::string& address, int count) {
    const auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    for (int i = 0; i < count; ++i) {
      const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (made < 0) continue;
      sockets_.push_back(made);
      if (connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) continue;
      ++connected_;
      say("GET /he", made);
    }
  }
  ~HalfOpenConnections() {
    for (const int made : sockets_) close(made);
  }
  HalfOpenConnections(const HalfOpenConnections&) = delete;
  HalfOpenConnections& operator=(const HalfOpenConnections&) = delete;

  int connected() const { return connected_; }
  // Another byte on each: none of them is idle.
  void drip() {
    for (const int made : sockets_) say("a", made);
  }
  bool first_is_closed_within(std::chrono::milliseconds wait) const {
    pollfd first{sockets_.front(), POLLIN | POLLRDHUP, 0};
    return poll(&first, 1, static_cast<int>(wait.count())) == 1;
  }

 private:
  static void say(std::string_view text, int made) {
    static_cast<void>(send(made, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  std::vector<int> sockets_;
  int connected_ = 0;
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

TEST_F(BrokerHttp, FindsNothingBehindANul) {
  EXPECT_NE(http_get(broker_.http(), "/v1/queues/%00").find("there is no such queue"),
            std::string::npos);
  EXPECT_NE(http_get(broker_.http(), "/healthz%00").find("/metrics"), std::string::npos);
  EXPECT_EQ(http_get(broker_.http(), "/%68ealthz"), "alive\n");
}

TEST_F(BrokerHttp, AnswersAProbeSoonAlthoughManyRequestsNeverEnd) {
  using Clock = std::chrono::steady_clock;
  HalfOpenConnections silent(broker_.http(), 600);
  ASSERT_GT(silent.connected(), 500);
  const auto deadline = Clock::now() + std::chrono::seconds(8);
  std::string answer;
  // A refused probe comes back at once.
  while (answer.empty() && Clock::now() < deadline) {
    silent.drip();
    answer = http_get(broker_.http(), "/healthz");
  }
  EXPECT_EQ(answer, "alive\n");
  EXPECT_LT(Clock::now(), deadline);
}

TEST_F(BrokerHttp, ARequestThatDripsInIsCutOff) {
  using Clock = std::chrono::steady_clock;
  HalfOpenConnections dripping(broker_.http(), 1);
  ASSERT_EQ(dripping.connected(), 1);
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (!dripping.first_is_closed_within(std::chrono::milliseconds(200))) {
    ASSERT_LT(Clock::now(), deadline);
    dripping.drip();
  }
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
