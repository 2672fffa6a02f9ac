#include "sdk/transport/contact.h"

#include <algorithm>

namespace assay::transport {
namespace {

constexpr Duration kHeartbeatMin{10};  // a broker's WELCOME must not make its peers spin

}  // namespace

void Contact::greet(Instant now) {
  phase_ = Phase::kGreeting;
  patience_ = heartbeat_every_ * silent_beats_;
  hello_at_ = now;
  fresh_socket_at_ = socket_is_fresh_ ? later(now, patience_) : now;
}

void Contact::resume(Instant now) {
  heard_at_ = now;
  if (phase_ == Phase::kGreeted && now - said_at_ < lease_) return;
  // A broker forgets a peer that says nothing for so long, and the connection is good all the same.
  // A greeting that nobody answered leaves HELLOs in the socket's queue: better a new one.
  if (phase_ == Phase::kGreeted) socket_is_fresh_ = true;
  if (phase_ == Phase::kGreeting) socket_is_fresh_ = false;
  greet(now);
}

bool Contact::on_welcome(const Welcome& welcome, Instant now) {
  heard_at_ = now;
  heartbeat_every_ = std::max(welcome.heartbeat_every, kHeartbeatMin);
  lease_ = std::max(welcome.lease, heartbeat_every_);
  const bool ends_greeting = phase_ != Phase::kGreeted;
  phase_ = Phase::kGreeted;
  socket_is_fresh_ = false;
  if (ends_greeting) {
    told_at_ = now;
    on_beat(now);
  }
  return ends_greeting;
}

bool Contact::on_hello_first(Instant now) {
  if (phase_ != Phase::kGreeted) return false;
  socket_is_fresh_ = true;  // it carried the answer: it needs no replacing
  greet(now);
  return true;
}

void Contact::on_refused_for(Duration delay, Instant now) {
  if (phase_ != Phase::kGreeting) return;
  hello_at_ = later(now, std::max(delay, heartbeat_every_));
  fresh_socket_at_ = later(hello_at_, patience_);
}

Contact::Due Contact::on_time(Instant now) {
  Due due;
  if (phase_ == Phase::kIdle) return due;
  // Whoever was stopped, or starved, for longer than a beat has not listened: the silence may be
  // his own, and the broker gets another beat to be heard.
  const bool stalled = now > later(told_at_, heartbeat_every_ + heartbeat_every_ / 2);
  told_at_ = now;
  if (phase_ == Phase::kGreeted) {
    if (stalled) heard_at_ = std::max(heard_at_, now - heartbeat_every_ * (silent_beats_ - 1));
    if (now < silent_at()) {
      due.heartbeat = now >= beat_at_;
      if (due.heartbeat) on_beat(now);
      return due;
    }
    due.lost = true;
    greet(now);
  }
  if (now >= fresh_socket_at_) {
    due.fresh_socket = true;
    socket_is_fresh_ = true;
    fresh_socket_at_ = later(now, patience_);
    // A broker that is overrun by greetings gets more time, but one that died with a HELLO in its
    // hands is found again within its grace for adoption.
    patience_ = heartbeat_every_ * silent_beats_ * 2;
    hello_at_ = now;
  }
  if (now >= hello_at_) {
    due.hello = true;
    said_at_ = now;
    hello_at_ = kNever;
  }
  return due;
}

Instant Contact::wake_at() const {
  switch (phase_) {
    case Phase::kIdle:
      return kNever;
    case Phase::kGreeting:
      return std::min(hello_at_, fresh_socket_at_);
    case Phase::kGreeted:
      return std::min(beat_at_, silent_at());
  }
  return kNever;
}

}  // namespace assay::transport
