// Peers that send nonsense harm only themselves: a typed error, a counter, and the next peer is
// served.
#include <gtest/gtest.h>

#include <random>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "assay/client.h"
#include "sdk/wire/codec.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

class HostilePeer : public testing::Test {
 protected:
  zmq::socket_t connect(const std::string& endpoint) {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 10'000);
    socket.connect(endpoint);
    return socket;
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
