// One door of the broker: a ROUTER socket, and the numbers by which the core knows the peers behind
// it. It turns frames into messages and back; it decides nothing.
#ifndef ASSAY_BROKER_NET_ROUTER_H_
#define ASSAY_BROKER_NET_ROUTER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "assay/message.h"
#include "assay/status.h"
#include "broker/core/event.h"
#include "broker/net/authenticator.h"
#include "broker/net/unread.h"

namespace assay::net {

// Numbers peers over both doors, so that a PeerId names one connection.
class PeerNumbers {
 public:
  core::PeerId next() { return core::PeerId{++last_}; }

 private:
  std::uint64_t last_ = 0;
};

// What came in: a message, or a refusal that the router has answered by itself.
struct Received {
  core::PeerId peer;
  std::variant<Message, Status> what;
  const core::Identity* identity = nullptr;  // null: the broker has no keys
};

// Thread: one.
class Router {
 public:
  Router(zmq::context_t& context, core::Door door, PeerNumbers& numbers);

  // Lets in nobody but those whom `authenticator` admits. Before bind.
  void guard(const Authenticator& authenticator);
  // Errors: `address_in_use`, `invalid_endpoint` (fix_input), each with what to do.
  Status bind(const std::string& endpoint);
  // The endpoint as bound, with the port that the system chose.
  const std::string& endpoint() const { return endpoint_; }

  // The next message, or nothing when there is none now.
  std::optional<Received> receive();
  // False when the peer is gone or does not read (kUnreadBytesMax wait for it): it is forgotten.
  bool send(core::PeerId peer, const Message& message);
  void forget(core::PeerId peer);
  // Forgets every peer for which `is_strange` says so.
  void forget_if(const std::function<bool(core::PeerId)>& is_strange);
  // After the known keys have changed: the peers whose key is not among them any more, all
  // forgotten. Their connections are still there; what comes over them is answered `unknown_key`.
  std::vector<core::PeerId> bar_unknown();

  core::Door door() const { return door_; }
  bool knows(core::PeerId peer) const { return routes_.contains(peer); }
  // Messages that were not sent because too much waited for their peer.
  std::uint64_t dropped_unread() const { return dropped_unread_; }
  std::size_t peer_count() const { return routes_.size(); }
  zmq::socket_ref socket() { return socket_; }

 private:
  struct Peer {
    core::PeerId id;
    std::string key;  // that it has proved to have; empty: none was asked for
    const core::Identity* identity = nullptr;
  };
  Result<const Peer*> peer_of(const zmq::message_t& route, std::string_view key);
  void answer(const zmq::message_t& route, std::uint64_t request, const Status& refusal);
  bool send_frames(const std::string& route, const Message& message);
  const Unread& unread_of(const std::string& route);

  core::Door door_;
  PeerNumbers& numbers_;
  zmq::socket_t socket_;
  std::string endpoint_;
  const Authenticator* authenticator_ = nullptr;
  std::unordered_map<std::string, Peer> peers_;
  std::unordered_map<core::PeerId, std::string> routes_;
  // By connection, whoever it is by now: greeting again frees nobody of what waits.
  std::unordered_map<std::string, Unread> unread_;
  std::uint64_t dropped_unread_ = 0;
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_ROUTER_H_
