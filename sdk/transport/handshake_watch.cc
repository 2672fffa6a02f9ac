#include "sdk/transport/handshake_watch.h"

#include <zmq.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "sdk/transport/plain_connection.h"

namespace assay::transport {
namespace {

constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
// A broker that is killed hangs up once; one that can't read what is said to it does so each time.
constexpr int kHungUpMax = 4;

std::string monitor_address() {
  static std::atomic<std::uint64_t> count{0};
  return "inproc://handshakes-" + std::to_string(++count);
}

}  // namespace

HandshakeWatch::HandshakeWatch(zmq::context_t& context, zmq::socket_t& watched,
                               std::string endpoint, std::string key_name)
    : endpoint_(std::move(endpoint)),
      key_name_(std::move(key_name)),
      monitor_(context, zmq::socket_type::pair) {
  const std::string address = monitor_address();
  monitor_.set(zmq::sockopt::linger, 0);
  if (zmq_socket_monitor(watched.handle(), address.c_str(), kEvents) != 0) throw zmq::error_t();
  monitor_.connect(address);
}

std::optional<Status> HandshakeWatch::take_refusal() {
  for (;;) {
    zmq::message_t event, address;
    if (!monitor_.recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
    if (event.more()) static_cast<void>(monitor_.recv(address, zmq::recv_flags::dontwait));
    if (event.size() < 6) continue;
    std::uint16_t kind = 0;
    std::uint32_t value = 0;
    std::memcpy(&kind, event.data(), sizeof kind);
    std::memcpy(&value, static_cast<const char*>(event.data()) + sizeof kind, sizeof value);
    if (kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      hung_up_ = 0;
      continue;
    }
    if (kind == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL && ++hung_up_ < kHungUpMax) continue;
    hung_up_ = 0;
    return refusal_of(kind, value);
  }
}

Status HandshakeWatch::refusal_of(int event, unsigned value) const {
  if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
    return fix_input("unknown_key", "the broker at " + endpoint_ + " does not know the key '" +
                                        key_name_ + "' (status " + std::to_string(value) +
                                        "); ask whoever runs it to add " + key_name_ +
                                        ".pub to its known_keys");
  }
  // Where the mechanisms differ both sides hang up, and which is first is chance: it is looked at.
  const std::string theirs = mechanism_at(endpoint_);
  if (!theirs.empty() && theirs != (key_name_.empty() ? "NULL" : "CURVE")) {
    return fix_input(
        "keys_differ",
        key_name_.empty()
            ? "the broker at " + endpoint_ +
                  " lets nobody in without a key; make one with 'assay keygen NAME' and name it, "
                  "and the broker's public key, here"
            : "the broker at " + endpoint_ +
                  " has no keys, and this side has; connect without them, or configure keys there");
  }
  return fix_input("handshake_failed",
                   "what answers at " + endpoint_ + " breaks every handshake off; " +
                       (key_name_.empty() ? "is it an assay-broker?"
                                          : "is the broker's public key that is configured here "
                                            "the one it has now?"));
}

}  // namespace assay::transport
