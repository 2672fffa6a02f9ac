// Everything that can happen to the broker. `now` rides in the event: the core never asks for the
// time.
#ifndef ASSAY_BROKER_CORE_EVENT_H_
#define ASSAY_BROKER_CORE_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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

// Who a peer has proved to be with its key, and what was said of that key. It comes with every
// message, so that what a peer may do can be decided where the message is taken. What is decided by
// it today: a worker's name belongs to the key that greeted with it.
struct Identity {
  std::string name;                // of the key
  OwnerName owner;                 // whom it may act for; empty: nothing was said
  std::vector<std::string> roles;  // "produce", "work:eval", ...; empty: nothing was said
};

struct FromPeer {
  PeerId peer;
  Door door = Door::kClients;
  Message message;
  const Identity* identity = nullptr;  // lives as long as the step; null: the broker has no keys
};

// A message could not be delivered: the connection is gone.
struct PeerGone {
  PeerId peer;
};

// The peer's key is no longer known: nothing is taken from it, and what it holds is taken away.
struct PeerBarred {
  PeerId peer;
};

// The turn's messages are stepped; time has passed.
struct Tick {
  bool all_heard = true;  // false: more messages wait, so nobody may be called silent yet
  // The wall clock, which is set and jumps: for schedules, and nothing else. The epoch: as `now`.
  Time wall{};
};

// What the history knows of a request that the core passed on (Effects::ask). What does not apply
// to the request stays empty.
struct HistoryAnswer {
  Status status;                        // not ok: it could not be asked, or knows no such task
  std::vector<TaskInfo> tasks;          // STATUS: one; LIST: the newest first
  std::vector<TaskResult> results;      // AWAIT: of those that have ended
  std::vector<FeedEvent> events;        // EVENTS: in order
  std::vector<UsageRow> usage;          // USAGE
  bool complete = true;                 // false: there are more than the request's limit
  std::uint64_t through = 0;            // EVENTS: all that was durable up to here was looked at
  std::uint64_t oldest = 0;             // EVENTS: the oldest that is kept; 0: there is none
  std::optional<Time> after_submitted;  // LIST: of the task that the page begins behind
};

struct FromHistory {
  PeerId to;
  Message request;
  HistoryAnswer answer;
};

struct Event {
  Time now{};
  std::variant<FromPeer, PeerGone, PeerBarred, FromHistory, Tick> what;
};

}  // namespace assay::core

template <>
struct std::hash<assay::core::PeerId> {
  std::size_t operator()(const assay::core::PeerId& peer) const noexcept { return peer.number; }
};

#endif  // ASSAY_BROKER_CORE_EVENT_H_
