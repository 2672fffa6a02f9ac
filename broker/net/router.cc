#include "broker/net/router.h"

#include <algorithm>
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

void Router::guard(const Authenticator& authenticator) {
  authenticator_ = &authenticator;
  authenticator.guard(socket_);
  // Who has a key must not take over the connection of another by claiming its name.
  socket_.set(zmq::sockopt::router_handover, 0);
}

std::optional<Received> Router::receive() {
  zmq::message_t route;
  if (!socket_.recv(route, zmq::recv_flags::dontwait)) return std::nullopt;
  zmq::message_t header, payload;
  int frames = 0;
  // A message arrives whole: the other frames are here.
  for (bool more = route.more(); more; ++frames) {
    zmq::message_t surplus;
    zmq::message_t& frame = frames == 0 ? header : frames == 1 ? payload : surplus;
    if (!socket_.recv(frame, zmq::recv_flags::dontwait)) break;
    more = frame.more();
  }
  Received received{core::PeerId(), Status()};
  const auto peer = peer_of(route, authenticator_ == nullptr ? std::string_view() : key_of(header));
  if (!peer.is_ok()) {
    received.what = peer.status();
  } else {
    received.peer = (*peer)->id;
    received.identity = (*peer)->identity;
    if (frames == 2) {
      auto message = wire::decode(bytes_of(header), bytes_of(payload));
      if (message.is_ok()) {
        received.what = std::move(*message);
        return received;
      }
      received.what = message.status();
    } else {
      received.what =
          fix_input("malformed_message", "expected 2 frames, a header and a msgpack map, found " +
                                             std::to_string(frames));
    }
  }
  answer(route, wire::peek_request(bytes_of(payload)), std::get<Status>(received.what));
  return received;
}

void Router::answer(const zmq::message_t& route, std::uint64_t request, const Status& refusal) {
  send_frames(std::string(bytes_of(route)), Error{.request = request,
                                                  .code = refusal.code(),
                                                  .reason = refusal.reason(),
                                                  .message = refusal.message()});
}

bool Router::send(core::PeerId peer, const Message& message) {
  const auto route = routes_.find(peer);
  if (route == routes_.end()) return false;
  if (send_frames(route->second, message)) return true;
  forget(peer);
  return false;
}

bool Router::send_frames(const std::string& route, const Message& message) {
  wire::Frames frames = wire::encode(message);
  const Unread& unread = unread_of(route);
  if (unread->load(std::memory_order_relaxed) > kUnreadBytesMax) {
    ++dropped_unread_;
    return false;
  }
  try {
    constexpr auto kMore = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
    if (!socket_.send(zmq::buffer(route), kMore) ||
        !socket_.send(zmq::buffer(frames.header), kMore)) {
      return false;
    }
    zmq::message_t payload = counted_message(std::move(frames.payload), unread);
    return socket_.send(payload, zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t& error) {
    // The peer is gone; anything else is a fault of ours.
    if (error.num() != EHOSTUNREACH) throw;
    return false;
  }
}

const Unread& Router::unread_of(const std::string& route) {
  Unread& unread = unread_[route];
  if (!unread) unread = std::make_shared<std::atomic<std::size_t>>(0);
  return unread;
}

void Router::forget(core::PeerId peer) {
  const auto route = routes_.find(peer);
  if (route == routes_.end()) return;
  peers_.erase(route->second);
  routes_.erase(route);
}

void Router::forget_if(const std::function<bool(core::PeerId)>& is_strange) {
  std::erase_if(peers_, [&](const auto& peer) {
    if (!is_strange(peer.second.id)) return false;
    routes_.erase(peer.second.id);
    return true;
  });
  std::erase_if(unread_, [this](const auto& unread) {
    return !peers_.contains(unread.first) && unread.second->load() == 0;
  });
}

std::vector<core::PeerId> Router::bar_unknown() {
  std::vector<core::PeerId> barred;
  if (authenticator_ == nullptr) return barred;
  for (auto& [route, peer] : peers_) {
    peer.identity = authenticator_->find(peer.key);
    if (peer.identity == nullptr) barred.push_back(peer.id);
  }
  std::sort(barred.begin(), barred.end());
  for (const core::PeerId peer : barred) forget(peer);
  return barred;
}

// Who speaks. Errors: `unknown_key`.
Result<const Router::Peer*> Router::peer_of(const zmq::message_t& route, std::string_view key) {
  const std::string name(bytes_of(route));
  const auto found = peers_.find(name);
  if (found != peers_.end() && found->second.key == key) return &found->second;
  const core::Identity* identity = nullptr;
  if (authenticator_ != nullptr) {
    identity = authenticator_->find(key);
    if (identity == nullptr) {
      return fix_input("unknown_key",
                       "the broker no longer knows the key of this peer; ask whoever runs it");
    }
  }
  // Somebody else under a name that is free again: what was meant for the former never reaches it.
  if (found != peers_.end()) forget(found->second.id);
  const core::PeerId id = numbers_.next();
  routes_.emplace(id, name);
  return &peers_.insert_or_assign(name, Peer{id, std::string(key), identity}).first->second;
}

}  // namespace assay::net
