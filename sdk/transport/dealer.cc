#include "sdk/transport/dealer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <zmq.hpp>

#include "sdk/transport/curve.h"
#include "sdk/transport/handshake_watch.h"
#include "sdk/wire/codec.h"
#include "sdk/wire/limits.h"

namespace assay::transport {
namespace {

constexpr int kReconnectMs = 50;       // the first new try; libzmq doubles it
constexpr int kReconnectMsMax = 1000;  // so that a broker that is back is found within a second
constexpr Duration kWaitMax{60000};    // zmq_poll counts in longs; a wake-up a minute costs nothing

Status socket_error(const std::string& endpoint, const zmq::error_t& error) {
  if (error.num() == EMFILE || error.num() == ENFILE || error.num() == ENOMEM) {
    return {Code::kExhausted, "no_sockets",
            std::string("cannot open a socket: ") + error.what() +
                "; raise the limit of open files (ulimit -n)"};
  }
  return fix_input("invalid_endpoint", "cannot connect to '" + endpoint + "': " + error.what() +
                                           "; expected an address like tcp://127.0.0.1:5555");
}

zmq::message_t message_of(const std::string& bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view view_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

}  // namespace

struct Dealer::Sockets {
  zmq::context_t context{1};
  zmq::socket_t socket;
  std::optional<HandshakeWatch> watch;  // after the socket: it goes first
};

Dealer::Dealer(std::string endpoint, KeySettings keys)
    : endpoint_(std::move(endpoint)), keys_(std::make_unique<KeySettings>(std::move(keys))) {}
Dealer::~Dealer() = default;

Status Dealer::open() {
  const auto keys = read_client_keys(*keys_);
  if (!keys.is_ok()) return keys.status();
  try {
    if (sockets_ == nullptr) sockets_ = std::make_unique<Sockets>();
    zmq::socket_t socket(sockets_->context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMsMax);
    socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(wire::kMessageBytesMax));
    // What arrives was asked for, which bounds it; a limit here would make the broker drop results
    // while a caller is busy between two waits.
    socket.set(zmq::sockopt::rcvhwm, 0);
    if (*keys) use_keys(socket, **keys);
    HandshakeWatch watch(sockets_->context, socket, endpoint_, *keys ? (*keys)->own.name : "");
    socket.connect(endpoint_);
    sockets_->watch.reset();
    sockets_->socket = std::move(socket);
    sockets_->watch.emplace(std::move(watch));
    return Status::ok();
  } catch (const zmq::error_t& error) {
    sockets_.reset();
    return socket_error(endpoint_, error);
  }
}

Status Dealer::send(const Message& message) {
  const wire::Frames frames = wire::encode(message);
  const std::size_t size = frames.header.size() + frames.payload.size();
  if (size > wire::kMessageBytesMax) {
    return fix_input("message_too_large", std::string(to_string(type_of(message))) + " takes " +
                                              std::to_string(size) + " bytes, the limit is " +
                                              std::to_string(wire::kMessageBytesMax) +
                                              "; send fewer tasks at once or smaller bodies");
  }
  if (sockets_ == nullptr) return Status::ok();
  try {
    constexpr auto kFlags = zmq::send_flags::dontwait;
    zmq::message_t header = message_of(frames.header);
    // libzmq takes a whole message or none of it: after the first frame the second is never
    // refused.
    if (sockets_->socket.send(header, kFlags | zmq::send_flags::sndmore)) {
      zmq::message_t payload = message_of(frames.payload);
      static_cast<void>(sockets_->socket.send(payload, kFlags));
    }
  } catch (const zmq::error_t&) {
    // As if the network had lost it: repeating is the session's business.
  }
  return Status::ok();
}

std::optional<Result<Message>> Dealer::receive() {
  if (sockets_ == nullptr) return std::nullopt;
  try {
    std::array<zmq::message_t, 2> frames;
    std::size_t count = 0;
    for (bool more = true; more;) {
      zmq::message_t frame;
      if (!sockets_->socket.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
      more = frame.more();
      if (count < frames.size()) frames[count] = std::move(frame);
      ++count;
    }
    if (count != frames.size()) {
      return Result<Message>(
          fix_input("not_assay", "expected a message of 2 frames, found " + std::to_string(count)));
    }
    return wire::decode(view_of(frames[0]), view_of(frames[1]));
  } catch (const zmq::error_t&) {
    return std::nullopt;
  }
}

std::optional<Status> Dealer::take_refusal() {
  if (sockets_ == nullptr || !sockets_->watch) return std::nullopt;
  try {
    return sockets_->watch->take_refusal();
  } catch (const zmq::error_t&) {
    return std::nullopt;  // as if nothing was known
  }
}

void Dealer::wait(Instant until, int wake_descriptor) {
  std::array<zmq::pollitem_t, 3> items{};
  std::size_t count = 0;
  if (sockets_ != nullptr && sockets_->watch) {
    items[count++] = {sockets_->socket.handle(), 0, ZMQ_POLLIN, 0};
    items[count++] = {sockets_->watch->handle(), 0, ZMQ_POLLIN, 0};
  }
  if (wake_descriptor >= 0) items[count++] = {nullptr, wake_descriptor, ZMQ_POLLIN, 0};
  // Rounded up, because a wait that ends a fraction early only makes the caller wait again.
  const auto left = std::chrono::ceil<Duration>(std::min<std::chrono::steady_clock::duration>(
      until == kNever ? kWaitMax : until - std::chrono::steady_clock::now(), kWaitMax));
  try {
    zmq::poll(items.data(), count, std::max(left, Duration(0)));
  } catch (const zmq::error_t&) {
    // Interrupted by a signal: as good as woken.
  }
}

void Dealer::close(Duration linger) {
  if (sockets_ == nullptr) return;
  try {
    sockets_->socket.set(zmq::sockopt::linger, static_cast<int>(linger.count()));
  } catch (const zmq::error_t&) {
    // It closes without lingering.
  }
  sockets_.reset();
}

}  // namespace assay::transport
