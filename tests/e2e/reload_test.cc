// SIGHUP: what may change does, what needs a restart is named, and a mistake changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "assay/client.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::read_file;
using testing::HasSubstr;

class Reload : public testing::Test {
 protected:
  Reload() {
    configure("queue_rules:\n  eval: {tasks_max: 1}\n");
    broker_.emplace(folder_.path(),
                    std::vector<std::string>{"--config", folder_.path() / "broker.yaml"});
    client_.emplace(ClientOptions{.endpoint = broker_->clients(),
                                  .call_timeout = Duration(500),
                                  .notice = [](std::string_view) {}});
  }

  void configure(const std::string& yaml) { std::ofstream(folder_.path() / "broker.yaml") << yaml; }
  // Sends the signal and waits until the log has the event for the `times`th time.
  void reload(const std::string& event, int times = 1) {
    broker_->process().signal(SIGHUP);
    EXPECT_TRUE(support::eventually([&] {
      const std::string log = read_file(broker_->log());
      int found = 0;
      for (std::size_t at = 0; (at = log.find("\"" + event + "\"", at)) != std::string::npos; ++at)
        ++found;
      return found >= times;
    })) << read_file(broker_->log());
  }
  std::string submit() {
    TaskSpec task;
    task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
    task.queue = QueueName("eval");
    task.owner = OwnerName("ann");
    return client_->submit({task}).status().reason();
  }

  support::TemporaryFolder folder_;
  std::optional<support::BrokerProcess> broker_;
  std::optional<Client> client_;
};

TEST_F(Reload, ChangesWhatMayChangeAndNamesWhatNeedsARestart) {
  EXPECT_EQ(submit(), "");
  EXPECT_EQ(submit(), "queue_full");
  configure(
      "queue_rules:\n  eval: {tasks_max: 9}\nlease: 20s\nlog_level: debug\n"
      "schedules:\n  yearly: {cron: '@yearly', queue: archive, owner: ops}\n");
  reload("reloaded");
  EXPECT_EQ(submit(), "");
  EXPECT_THAT(read_file(broker_->log()), HasSubstr("\"need_restart\":\"lease\""));
  const auto schedules = client_->schedules();
  ASSERT_TRUE(schedules.is_ok()) << schedules.status().message();
  ASSERT_EQ(schedules->size(), 1U);
  EXPECT_EQ(schedules->front().name, "yearly");
  EXPECT_EQ(schedules->front().queue.value, "archive");
  EXPECT_TRUE(schedules->front().next_at.has_value());
  // What is not in the file any more is gone.
  configure("");
  reload("reloaded", 2);
  EXPECT_TRUE(client_->schedules()->empty());
}

TEST_F(Reload, WithAMistakeChangesNothingAndNamesAllOfThem) {
  EXPECT_EQ(submit(), "");
  configure("queue_rules:\n  eval: {tasks_max: 9}\nlosses_max: many\nhurry: yes\n");
  reload("reload_refused", 2);
  const std::string log = read_file(broker_->log());
  EXPECT_THAT(log, HasSubstr("broker.yaml:3: losses_max: expected"));
  EXPECT_THAT(log, HasSubstr("broker.yaml:4: unknown key 'hurry'"));
  EXPECT_EQ(submit(), "queue_full");
  EXPECT_EQ(support::http_get(broker_->http(), "/readyz"), "ready\n");
}

}  // namespace
}  // namespace assay
