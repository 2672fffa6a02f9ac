// The client on real sockets against a scripted broker: what only sockets can show. The dialogue
// itself is tested in client_session_test.cc.
#include "assay/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/support/fake_broker.h"

namespace assay {
namespace {

using test::FakeBroker;

TaskSpec task_with_id() {
  TaskSpec task;
  task.id = TaskId::make(Time{});
  task.queue = QueueName("eval");
  task.owner = OwnerName("me");
  return task;
}

ClientOptions options_for(const FakeBroker& broker) {
  ClientOptions options;
  options.endpoint = broker.endpoint();
  options.call_timeout = Duration(15000);
  options.notice = [](std::string_view) {};
  return options;
}

TaskResult result_of(const TaskId& id) {
  TaskResult result;
  result.id = id;
  result.result = id.text();
  return result;
}

// Accepts every submit, says of every awaited task that it is pending.
std::vector<Message> accept_everything(const Message& message) {
  if (const auto* submit = std::get_if<Submit>(&message)) {
    Submitted reply;
    reply.request = submit->request;
    reply.accepted = static_cast<std::uint32_t>(submit->tasks.size());
    return {reply};
  }
  if (const auto* await = std::get_if<Await>(&message)) {
    Results reply;
    reply.request = await->request;
    reply.pending = await->ids;
    return {reply};
  }
  return {};
}

TEST(Client, ManySubmitsAreOnTheirWayAtOnce) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  std::vector<std::uint64_t> tickets;
  for (std::size_t i = 1; i <= 3; ++i) {
    auto ticket = client.begin_submit(std::vector<TaskSpec>(i, task_with_id()));
    ASSERT_TRUE(ticket.is_ok()) << ticket.status().to_string();
    tickets.push_back(*ticket);
  }
  // Answers find their tickets in whatever order they are asked for.
  for (const std::size_t i : {2U, 0U, 1U}) {
    const auto submitted = client.finish_submit(tickets[i]);
    ASSERT_TRUE(submitted.is_ok()) << submitted.status().to_string();
    EXPECT_EQ(submitted->accepted, i + 1);
  }
}

TEST(Client, ATicketIsGoodOnce) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  const auto ticket = client.begin_submit({task_with_id()});
  ASSERT_TRUE(ticket.is_ok());
  EXPECT_TRUE(client.finish_submit(*ticket).is_ok());
  EXPECT_EQ(client.finish_submit(*ticket).status().reason(), "unknown_ticket");
  EXPECT_EQ(client.finish_submit(*ticket + 1).status().reason(), "unknown_ticket");
}

TEST(Client, SubmitIsAnswered) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  auto submitted = client.submit({task_with_id(), task_with_id()});
  ASSERT_TRUE(submitted.is_ok()) << submitted.status().to_string();
  EXPECT_EQ(submitted->accepted, 2U);
}

TEST(Client, NobodyThereIsToldWithTheEndpointAndWhatToDo) {
  FakeBroker broker;
  ClientOptions options = options_for(broker);
  options.call_timeout = Duration(100);
  broker.stop();
  Client client(options);
  const Status status = client.connect();
  EXPECT_EQ(status.code(), Code::kRetryCall);
  EXPECT_EQ(status.reason(), "broker_unreachable");
  EXPECT_THAT(status.message(), testing::HasSubstr(broker.endpoint()));
  EXPECT_THAT(status.message(), testing::HasSubstr("assay up"));
}

TEST(Client, ABadEndpointIsTold) {
  Client client({.endpoint = "nonsense"});
  EXPECT_EQ(client.connect().reason(), "invalid_endpoint");
  EXPECT_EQ(client.queues().status().reason(), "invalid_endpoint");
}

TEST(Client, ConnectWorksAgainOnceTheBrokerIsThere) {
  FakeBroker broker;
  ClientOptions options = options_for(broker);
  options.call_timeout = Duration(50);
  broker.stop();
  {
    Client client(options);
    EXPECT_EQ(client.connect().reason(), "broker_unreachable");
    EXPECT_EQ(client.connect().reason(), "broker_unreachable");
  }
  broker.start();
  Client client(options_for(broker));
  EXPECT_TRUE(client.connect().is_ok());
  EXPECT_TRUE(client.connect().is_ok());
}

TEST(Client, ACallRidesOutARestartInItsMiddle) {
  std::atomic<int> submits = 0;
  FakeBroker broker([&](const Message& message) {
    return ++submits == 1 ? std::vector<Message>() : accept_everything(message);
  });
  Client client(options_for(broker));
  std::thread restarter([&] {
    EXPECT_TRUE(broker.wait_for<Submit>(1));
    broker.restart();
  });
  auto submitted = client.submit({task_with_id()});
  restarter.join();
  ASSERT_TRUE(submitted.is_ok()) << submitted.status().to_string();
  // Under the same number and with the same task: the broker can tell that it is the same call.
  std::set<std::uint64_t> numbers;
  for (const Message& message : broker.heard()) {
    if (const auto* submit = std::get_if<Submit>(&message)) numbers.insert(submit->request);
  }
  EXPECT_EQ(numbers.size(), 1U);
  EXPECT_GE(broker.count<ClientHello>(), 2U);
}

TEST(Client, ALostReplyIsAskedForAgain) {
  std::atomic<int> submits = 0;
  FakeBroker broker([&](const Message& message) {
    return ++submits == 1 ? std::vector<Message>() : accept_everything(message);
  });
  Client client(options_for(broker));
  EXPECT_TRUE(client.submit({task_with_id()}).is_ok());
  EXPECT_EQ(submits, 2);
}

TEST(Client, ABrokerThatForgotItIsGreetedAgain) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  ASSERT_TRUE(client.submit({task_with_id()}).is_ok());
  broker.forget_peers();
  EXPECT_TRUE(client.submit({task_with_id()}).is_ok());
  EXPECT_EQ(broker.count<ClientHello>(), 2U);
}

TEST(Client, ABusyBrokerThatLivesIsToldApartFromNone) {
  FakeBroker broker;  // beats, but answers no call
  ClientOptions options = options_for(broker);
  Client first(options);
  ASSERT_TRUE(first.connect().is_ok());
  options.call_timeout = Duration(200);
  Client client(options);
  EXPECT_EQ(client.queues().status().reason(), "no_answer");
}

TEST(Client, ListAsksForWhatMatchesAndGivesWhatCame) {
  TaskInfo task;
  task.id = TaskId::make(Time{});
  task.queue = QueueName("eval");
  task.owner = OwnerName("me");
  FakeBroker broker([&](const Message& message) -> std::vector<Message> {
    const auto* list = std::get_if<ListRequest>(&message);
    if (list == nullptr) return {};
    return {TaskList{.request = list->request, .complete = false, .tasks = {task}}};
  });
  Client client(options_for(broker));
  ListRequest request;
  request.states = {TaskState::kDead};
  request.owner = OwnerName("me");
  request.limit = 1;
  const auto list = client.list(request);
  ASSERT_TRUE(list.is_ok()) << list.status().to_string();
  EXPECT_FALSE(list->complete);
  EXPECT_THAT(list->tasks, testing::ElementsAre(task));
  const auto heard = std::get<ListRequest>(broker.heard().back());
  request.request = heard.request;
  EXPECT_EQ(heard, request);
}

TEST(Client, OperateSaysHowManyChangedOrWhyNot) {
  FakeBroker broker([](const Message& message) -> std::vector<Message> {
    const auto* operate = std::get_if<Operate>(&message);
    if (operate == nullptr) return {};
    if (operate->operation == Operation::kPurgeQueue && operate->target == "eval") {
      return {Operated{.request = operate->request, .affected = 7}};
    }
    if (operate->operation == Operation::kDropDead) {
      return {Operated{.request = operate->request, .affected = operate->ids.size()}};
    }
    return {Error{.request = operate->request,
                  .code = Code::kNotFound,
                  .reason = "unknown_worker",
                  .message = "nobody bears this name"}};
  });
  Client client(options_for(broker));
  const auto purged = client.operate(Operation::kPurgeQueue, "eval");
  ASSERT_TRUE(purged.is_ok()) << purged.status().to_string();
  EXPECT_EQ(*purged, 7U);
  const std::vector<TaskId> dead{TaskId::make(Time{}), TaskId::make(Time{})};
  EXPECT_EQ(*client.operate(Operation::kDropDead, "", dead), 2U);
  EXPECT_EQ(client.operate(Operation::kDrainWorker, "w").status().reason(), "unknown_worker");
}

TEST(Client, WaitReturnsWhatThePushBrings) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  const TaskId id = TaskId::make(Time{});
  std::thread pusher([&] {
    EXPECT_TRUE(broker.wait_for<Await>(1));
    Results push;
    push.results = {result_of(id)};
    broker.say(push);
  });
  auto result = client.wait(id);
  pusher.join();
  ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  EXPECT_EQ(result->result, id.text());
}

TEST(Client, AWaitSurvivesARestartOfTheBroker) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  const TaskId id = TaskId::make(Time{});
  std::thread restarter([&] {
    EXPECT_TRUE(broker.wait_for<Await>(1));
    broker.restart();
    EXPECT_TRUE(broker.wait_for<Await>(2));
    Results push;
    push.results = {result_of(id)};
    broker.say(push);
  });
  auto result = client.wait(id);
  restarter.join();
  EXPECT_TRUE(result.is_ok()) << result.status().to_string();
}

TEST(Client, AWaitThatTimesOutMayBeRepeated) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  const TaskId id = TaskId::make(Time{});
  EXPECT_EQ(client.wait(id, Duration(30)).status().reason(), "wait_timeout");
  Results push;
  push.results = {result_of(id)};
  broker.say(push);
  EXPECT_TRUE(client.wait(id).is_ok());
  EXPECT_EQ(broker.count<Await>(), 1U);  // it was followed all the time
}

TEST(Client, FiveThousandAwaitsShareOneClient) {
  constexpr std::size_t kTasks = 5000;
  FakeBroker broker(accept_everything);
  broker.set_welcome({});  // beats of a second: a slow machine must not look like a silent broker
  Client client(options_for(broker));
  std::set<TaskId> open;
  while (open.size() < kTasks) open.insert(TaskId::make(Time{}));
  const std::vector<TaskId> all(open.begin(), open.end());
  std::thread pusher([&] {
    EXPECT_TRUE(broker.wait_for<Await>(2));
    for (std::size_t i = 0; i < kTasks; i += 50) {
      Results push;
      for (std::size_t j = i; j < i + 50; ++j) push.results.push_back(result_of(all[j]));
      broker.say(push);
      if (i == kTasks / 2) broker.say(push);  // a push that comes twice does no harm
    }
  });
  while (!open.empty()) {
    const std::vector<TaskId> rest(open.begin(), open.end());
    auto results = client.wait_any(rest);
    if (!results.is_ok()) ADD_FAILURE() << results.status().to_string();
    if (!results.is_ok()) break;
    for (const TaskResult& result : *results) {
      EXPECT_EQ(result.result, result.id.text());
      EXPECT_EQ(open.erase(result.id), 1U);
    }
  }
  pusher.join();
  EXPECT_EQ(broker.count<Await>(), 2U);  // 4096 ids and the rest, asked for once
}

TEST(Client, AMessageOverTheLimitIsRefusedBeforeItIsSent) {
  FakeBroker broker(accept_everything);
  Client client(options_for(broker));
  TaskSpec task = task_with_id();
  task.body.resize(std::size_t{18} << 20);
  const Status status = client.submit({task}).status();
  EXPECT_EQ(status.code(), Code::kFixInput);
  EXPECT_EQ(status.reason(), "message_too_large");
  EXPECT_TRUE(client.submit({task_with_id()}).is_ok());
}

TEST(Client, LeavingIsSaid) {
  FakeBroker broker(accept_everything);
  {
    Client client(options_for(broker));
    ASSERT_TRUE(client.connect().is_ok());
  }
  EXPECT_TRUE(broker.wait_for<Goodbye>(1));
}

}  // namespace
}  // namespace assay
