#include "broker/net/router.h"

#include <cerrno>

#include "broker/net/bind.h"
#include "sdk/wire/codec.h"
#include "sdk/wire/limits.h"

namespace assay::net {
namespace {

// A message somewhat over the limit is read, so that its sender can be told; far over it the
// connection is closed.
constexpr std::int64_t kFrameBytesMax = 4 * static_cast<std::int64_t>(wire::kMessageBytesMax);
// Messages that wait for one peer. A peer that lets so many pile up does not read.
constexpr int kMessagesWaitingMax = 100'000;
constexpr int kConnectionBacklog = 4096;

std::string_view bytes_of(const zmq::message_t& frame) {
  return {static_cast<const char*>(frame.data()), frame.size()};
}

}  // namespace

Router::Router(zmq::context_t& context, core::Door door, PeerNumbers& numbers)
    : door_(door), numbers_(numbers), socket_(context, zmq::socket_type::router) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::router_mandatory, 1);
  // A peer that comes back under its old name takes the name over instead of being ignored.
  socket_.set(zmq::sockopt::router_handover, 1);
  socket_.set(zmq::sockopt::maxmsgsize, kFrameBytesMax);
  socket_.set(zmq::sockopt::sndhwm, kMessagesWaitingMax);
  socket_.set(zmq::sockopt::rcvhwm, kMessagesWaitingMax);
  socket_.set(zmq::sockopt::backlog, kConnectionBacklog);
}

Status Router::bind(const std::string& endpoint) {
  return bind_socket(socket_, endpoint, endpoint_);
}

std::optional<Received> Router::receive() {
  zmq::message_t route;
  if (!socket_.recv(route, zmq::recv_flags::dontwait)) return std::nullopt;
  Received received{peer_of(route), Status()};
  zmq::message_t header, payload;
  int frames = 0;
  // A message arrives whole: the other frames are here.
  for (bool more = route.more(); more; ++frames) {
    zmq::message_t surplus;
    zmq::message_t& frame = frames == 0 ? header : frames == 1 ? payload : surplus;
    if (!socket_.recv(frame, zmq::recv_flags::dontwait)) break;
    more = frame.more();
  }
  if (frames != 2) {
    received.what =
        fix_input("malformed_message",
                  "expected 2 frames, a header and a msgpack map, found " + std::to_string(frames));
  } else {
    auto message = wire::decode(bytes_of(header), bytes_of(payload));
    if (message.is_ok()) {
      received.what = std::move(*message);
      return received;
    }
    received.what = message.status();
  }
  const Status& refusal = std::get<Status>(received.what);
  send(received.peer, Error{.request = wire::peek_request(bytes_of(payload)),
                            .code = refusal.code(),
                            .reason = refusal.reason(),
                            .message = refusal.message()});
  return received;
}

bool Router::send(core::PeerId peer, const Message& message) {
  const auto route = routes_.find(peer);
  if (route == routes_.end()) return false;
  const wire::Frames frames = wire::encode(message);
  try {
    constexpr auto kMore = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
    if (socket_.send(zmq::buffer(route->second), kMore) &&
        socket_.send(zmq::buffer(frames.header), kMore) &&
        socket_.send(zmq::buffer(frames.payload), zmq::send_flags::dontwait)) {
      return true;
    }
  } catch (const zmq::error_t& error) {
    // The peer is gone; anything else is a fault of ours.
    if (error.num() != EHOSTUNREACH) throw;
  }
  forget(peer);
  return false;
}

void Router::forget(core::PeerId peer) {
  const auto route = routes_.find(peer);
  if (route == routes_.end()) return;
  peers_.erase(route->second);
  routes_.erase(route);
}

void Router::forget_if(const std::function<bool(core::PeerId)>& is_strange) {
  std::erase_if(peers_, [&](const auto& peer) {
    if (!is_strange(peer.second)) return false;
    routes_.erase(peer.second);
    return true;
  });
}

core::PeerId Router::peer_of(const zmq::message_t& route) {
  const std::string name(bytes_of(route));
  const auto found = peers_.find(name);
  if (found != peers_.end()) return found->second;
  const core::PeerId peer = numbers_.next();
  peers_.emplace(name, peer);
  routes_.emplace(peer, name);
  return peer;
}

}  // namespace assay::net
