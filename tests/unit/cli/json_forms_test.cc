// The JSON forms are a contract: what a program finds under which name.
#include "cli/json_forms.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

using nlohmann::json;

TaskId id_of(std::uint8_t last) {
  TaskId id;
  id.bytes[15] = last;
  return id;
}

TaskResult result_with(std::string bytes) {
  TaskResult result;
  result.id = id_of(7);
  result.state = TaskState::kFailed;
  result.cause = Cause::kTask;
  result.reason = "two tests failed";
  result.attempt = {2};
  result.ended_at = Time(Duration(1'782'909'005'250));
  result.result = std::move(bytes);
  return result;
}

TEST(JsonForms, AResultEmbedsJsonAndKeepsTextAndBytes) {
  const json document = json::parse(to_json(result_with(R"({"status":"failed","tests":[]})")));
  EXPECT_EQ(document["id"], id_of(7).text());
  EXPECT_EQ(document["state"], "failed");
  EXPECT_EQ(document["attempt"], 2);
  EXPECT_EQ(document["ended_at"], "2026-07-01T12:30:05.250Z");
  EXPECT_EQ(document["result"]["status"], "failed");
  EXPECT_EQ(json::parse(to_json(result_with("hello")))["result"], "hello");
  EXPECT_EQ(json::parse(to_json(result_with("")))["result"], nullptr);
  EXPECT_EQ(json::parse(to_json(result_with("\xff\x01")))["result_base64"], "/wE=");
}

TEST(JsonForms, HostileTextsMakeValidJson) {
  FeedEvent event;
  event.text = "\x1b[2J\xff\"\n";
  const std::string line = to_json(event);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_FALSE(json::parse(line, nullptr, false).is_discarded());
}

TEST(JsonForms, ATasksHistoryIsThere) {
  TaskInfo task;
  task.id = id_of(1);
  task.queue = QueueName("eval");
  task.labels = {{"name", "battery"}};
  task.state = TaskState::kRunning;
  task.attempts = {{{1}, WorkerName("w1"), Time(Duration(0)), Time(Duration(5)), "lease expired"},
                   {{2}, WorkerName("w2"), Time(Duration(9)), std::nullopt, ""}};
  const json form = json::parse(to_json(task));
  EXPECT_EQ(form["labels"]["name"], "battery");
  EXPECT_EQ(form["attempts"].size(), 2U);
  EXPECT_EQ(form["attempts"][0]["ended_because"], "lease expired");
  EXPECT_EQ(form["attempts"][1]["ended_at"], nullptr);
  EXPECT_EQ(form["ended_at"], nullptr);
}

TEST(JsonForms, AListSaysWhetherItIsCompleteAndWhatComesAfterWhat) {
  TaskInfo task;
  task.id = id_of(1);
  task.after = {id_of(2), id_of(3)};
  TaskList list;
  list.complete = false;
  list.tasks = {task};
  const json form = json::parse(to_json(list));
  EXPECT_EQ(form["complete"], false);
  EXPECT_EQ(form["tasks"][0]["id"], id_of(1).text());
  EXPECT_EQ(form["tasks"][0]["after"], json::array({id_of(2).text(), id_of(3).text()}));
  EXPECT_EQ(json::parse(affected_to_json(7))["affected"], 7);
}

TEST(JsonForms, PausedQueuesAndDrainingWorkersAreTold) {
  QueueInfo queue;
  queue.paused = true;
  EXPECT_EQ(json::parse(to_json(std::vector{queue}))["queues"][0]["paused"], true);
  WorkerInfo worker;
  worker.labels = {{"gpu", "a100"}};
  worker.draining = true;
  const json form = json::parse(to_json(std::vector{worker}))["workers"][0];
  EXPECT_EQ(form["labels"]["gpu"], "a100");
  EXPECT_EQ(form["draining"], true);
}

TEST(JsonForms, EndpointsAreReadAsTheBrokerWritesThem) {
  const auto endpoints = parse_endpoints(
      R"({"clients":"tcp://a:1","workers":"tcp://a:2","feed":"tcp://a:3","http":"a:4"})"
      "\n");
  ASSERT_TRUE(endpoints.has_value());
  EXPECT_EQ(endpoints->clients, "tcp://a:1");
  EXPECT_EQ(endpoints->http, "a:4");
  EXPECT_FALSE(parse_endpoints("{}").has_value());
  EXPECT_FALSE(parse_endpoints("ready").has_value());
  EXPECT_FALSE(parse_endpoints(R"({"clients":1,"workers":"x","feed":"y"})").has_value());
}

}  // namespace
}  // namespace assay::cli
