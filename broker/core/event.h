// Everything that can happen to the broker. `now` rides in the event: the core never asks for the
// time.
#ifndef ASSAY_BROKER_CORE_EVENT_H_
#define ASSAY_BROKER_CORE_EVENT_H_

#include <cstdint>
#include <variant>

#include "assay/ids.h"
#include "assay/message.h"

namespace assay::core {

// Which of the two doors a peer came in by. It decides what a peer may say.
enum class Door : std::uint8_t { kClients, kWorkers };

// A connection as the shell numbers it; never used again while the broker lives.
struct PeerId {
  std::uint64_t number = 0;
  friend auto operator<=>(const PeerId&, const PeerId&) = default;
};

struct FromPeer {
  PeerId peer;
  Door door = Door::kClients;
  Message message;
};

// A message could not be delivered: the connection is gone.
struct PeerGone {
  PeerId peer;
};

// The turn's messages are stepped; time has passed.
struct Tick {
  bool all_heard = true;  // false: more messages wait, so nobody may be called silent yet
};

struct Event {
  Time now{};
  std::variant<FromPeer, PeerGone, Tick> what;
};

}  // namespace assay::core

template <>
struct std::hash<assay::core::PeerId> {
  std::size_t operator()(const assay::core::PeerId& peer) const noexcept { return peer.number; }
};

#endif  // ASSAY_BROKER_CORE_EVENT_H_
