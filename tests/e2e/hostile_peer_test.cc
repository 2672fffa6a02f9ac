// Peers that send nonsense harm only themselves: a typed error, a counter, and the next peer is
// served.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <thread>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "assay/client.h"
#include "assay/worker.h"
#include "sdk/wire/codec.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

class HostilePeer : public testing::Test {
 protected:
  zmq::socket_t connect(const std::string& endpoint, bool reads = true) {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 10'000);
    if (!reads) socket.set(zmq::sockopt::rcvhwm, 1);
    socket.connect(endpoint);
    return socket;
  }
  static TaskSpec a_task(const std::string& queue) {
    TaskSpec task;
    task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
    task.queue = QueueName(queue);
    task.owner = OwnerName("ann");
    return task;
  }
  // The reason of the error that answers these frames.
  std::string answer_to(zmq::socket_t& socket, const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      socket.send(zmq::buffer(frames[i]),
                  i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
    std::vector<zmq::message_t> reply;
    if (!zmq::recv_multipart(socket, std::back_inserter(reply)) || reply.size() != 2)
      return "no answer";
    auto message = wire::decode(reply[0].to_string_view(), reply[1].to_string_view());
    if (!message.is_ok()) return message.status().to_string();
    const auto* error = std::get_if<Error>(&*message);
    return error == nullptr ? std::string(to_string(type_of(*message))) : error->reason;
  }
  void expect_the_broker_serves_others() {
    Client client({.endpoint = broker_.clients()});
    EXPECT_TRUE(client.queues().is_ok());
  }

  zmq::context_t context_;
  support::TemporaryFolder folder_;
  support::BrokerProcess broker_{folder_.path()};
};

TEST_F(HostilePeer, IsToldWhatIsWrongWithItsFrames) {
  auto peer = connect(broker_.clients());
  const std::string header("ASSAY\x01\x00\x10", 8);
  EXPECT_EQ(answer_to(peer, {"hello"}), "malformed_message");
  EXPECT_EQ(answer_to(peer, {header, "\x80", "surplus"}), "malformed_message");
  EXPECT_EQ(answer_to(peer, {"HTTP/1.1", "\x80"}), "not_assay");
  EXPECT_EQ(answer_to(peer, {std::string("ASSAY\x09\x00\x10", 8), "\x80"}), "unsupported_version");
  EXPECT_EQ(answer_to(peer, {std::string("ASSAY\x01\x7F\x7F", 8), "\x80"}), "unknown_message");
  EXPECT_EQ(answer_to(peer, {header, "\xc1"}), "malformed_message");
  EXPECT_EQ(answer_to(peer, {header, ""}), "malformed_message");
  EXPECT_EQ(answer_to(peer, {header, std::string(200, '\x91')}), "malformed_message");
  EXPECT_EQ(answer_to(peer, {header, std::string(20 << 20, 'x')}), "message_too_large");
  const std::string metrics = support::http_get(broker_.http(), "/metrics");
  EXPECT_NE(metrics.find("assay_rejected_messages_total{reason=\"not_assay\"} 1\n"),
            std::string::npos);
  expect_the_broker_serves_others();
}

TEST_F(HostilePeer, IsLetInByTheRightDoorOnly) {
  auto peer = connect(broker_.workers());
  TaskSpec task;
  task.queue = QueueName("eval");
  task.owner = OwnerName("ann");
  const auto frames = wire::encode(Submit{.request = 7, .tasks = {task}});
  EXPECT_EQ(answer_to(peer, {frames.header, frames.payload}), "wrong_door");
  auto stranger = connect(broker_.clients());
  EXPECT_EQ(answer_to(stranger, {frames.header, frames.payload}), "hello_first");
}

TEST_F(HostilePeer, IsToldTheSameOfAVersionATaskAndAnAttemptThatAreNotThere) {
  auto client = connect(broker_.clients());
  const auto ask = [&](zmq::socket_t& socket, const Message& message) {
    const auto frames = wire::encode(message);
    return answer_to(socket, {frames.header, frames.payload});
  };
  EXPECT_EQ(ask(client, ClientHello{.version_min = 7, .version_max = 9}), "unsupported_version");
  EXPECT_EQ(ask(client, ClientHello{.name = "x"}), "WELCOME");
  EXPECT_EQ(ask(client, StatusRequest{.request = 1, .id_prefix = "01HZZZZZ"}), "unknown_task");
  EXPECT_EQ(ask(client, Submit{.request = 2, .tasks = {a_task("nowhere")}}), "unknown_queue");
  // Half a message: the map claims more than there is.
  const auto whole = wire::encode(Submit{.request = 3, .tasks = {a_task("eval")}});
  for (std::size_t size = 0; size < whole.payload.size(); size += 7) {
    EXPECT_EQ(answer_to(client, {whole.header, whole.payload.substr(0, size)}),
              "malformed_message");
  }
  // A task once more is the same task; a report of an attempt that was never given counts nothing.
  const TaskSpec task = a_task("eval");
  EXPECT_EQ(ask(client, Submit{.request = 4, .tasks = {task}}), "SUBMITTED");
  EXPECT_EQ(ask(client, Submit{.request = 5, .tasks = {task}}), "SUBMITTED");
  TaskSpec other = task;
  other.body = "another body";
  EXPECT_EQ(ask(client, Submit{.request = 6, .tasks = {other}}), "task_conflict");
  auto worker = connect(broker_.workers());
  EXPECT_EQ(ask(worker, WorkerHello{.name = WorkerName("w"), .queues = {QueueName("build")}}),
            "WELCOME");
  EXPECT_EQ(ask(worker, Report{{{.id = task.id, .attempt = {1}, .result = "mine"}}}), "RECORDED");
  Client watcher({.endpoint = broker_.clients()});
  const auto info = watcher.status(task.id.text());
  ASSERT_TRUE(info.is_ok());
  EXPECT_EQ(info->state, TaskState::kQueued);
  EXPECT_NE(support::http_get(broker_.http(), "/metrics").find("assay_stale_reports_total 1\n"),
            std::string::npos);
}

TEST_F(HostilePeer, ThatNeverReadsIsCutShortAndCostsBoundedMemory) {
  // A task with a large result, which anybody may ask for again and again.
  const TaskSpec task = a_task("eval");
  const std::size_t bytes = 4 << 20;
  Worker worker({.endpoint = broker_.workers(), .queues = {QueueName("eval")}},
                [bytes](const TaskAssignment&, TaskContext&) {
                  return TaskOutcome::done(std::string(bytes, 'x'));
                });
  std::thread works([&worker] { EXPECT_TRUE(worker.run().is_ok()); });
  Client client({.endpoint = broker_.clients()});
  ASSERT_TRUE(client.submit({task}).is_ok());
  EXPECT_TRUE(client.wait(task.id, std::chrono::seconds(20)).is_ok());
  worker.request_stop();
  works.join();

  auto silent = connect(broker_.clients(), /*reads=*/false);
  const auto say = [&](const Message& message) {
    const auto frames = wire::encode(message);
    silent.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
    silent.send(zmq::buffer(frames.payload), zmq::send_flags::none);
  };
  say(ClientHello{.name = "silent"});
  for (std::uint64_t i = 1; i <= 200; ++i)
    say(Await{.request = i, .ids = {task.id}, .follow = false});  // 800 MiB of answers
  EXPECT_TRUE(support::eventually([&] {
    const std::string metrics = support::http_get(broker_.http(), "/metrics");
    return metrics.find("assay_messages_dropped_total") != std::string::npos &&
           metrics.find("assay_messages_dropped_total 0\n") == std::string::npos;
  }));
  expect_the_broker_serves_others();
  EXPECT_TRUE(client.results({&task.id, 1}).is_ok());
  std::ifstream status("/proc/" + std::to_string(broker_.process().id()) + "/status");
  long most = 0;
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> most;
  }
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 400 << 10) << "KiB";
}

TEST_F(HostilePeer, ThatSendsNoiseIsOutlived) {
  std::mt19937 chance(7);
  auto peer = connect(broker_.clients());
  auto worker = connect(broker_.workers());
  for (int i = 0; i < 2000; ++i) {
    std::string header = "ASSAY\x01";
    header.push_back('\0');
    header.push_back(static_cast<char>(chance() % 60));
    std::string payload(chance() % 64, '\0');
    for (char& byte : payload) byte = static_cast<char>(chance());
    for (zmq::socket_t* socket : {&peer, &worker}) {
      socket->send(zmq::buffer(header), zmq::send_flags::sndmore);
      socket->send(zmq::buffer(payload), zmq::send_flags::none);
    }
  }
  expect_the_broker_serves_others();
}

}  // namespace
}  // namespace assay
