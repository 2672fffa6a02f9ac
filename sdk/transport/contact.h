// What the dialogues of a client and of a worker have in common: greet, say something often enough,
// notice a silent broker, greet it again on a fresh socket. Pure: told the time, it says what is
// due.
#ifndef ASSAY_SDK_TRANSPORT_CONTACT_H_
#define ASSAY_SDK_TRANSPORT_CONTACT_H_

#include "assay/message.h"
#include "sdk/transport/instant.h"

namespace assay::transport {

// Theory of operation. A peer is greeted once the broker has answered its HELLO with WELCOME. After
// that it beats every `heartbeat_every`, whatever else it says, because a request may take the
// broker long but each beat is answered at once: so silence for several beats means that the
// connection or the broker is gone. Then, and when the broker says that it does not know the peer
// (`hello_first`), the greeting begins again. It is never repeated on the same socket: libzmq keeps
// HELLO until the broker is there, and a worker's second one would disown the tasks that it was
// given after the first. A connection whose other end vanished without a word looks alive, so after
// some patience the socket is replaced, with all that is queued in it.
class Contact {
 public:
  struct Due {
    bool fresh_socket = false;  // throw the socket away with all that is queued in it
    bool hello = false;
    bool heartbeat = false;
    bool lost = false;  // the broker fell silent: told once an outage
  };

  // `silent_beats`: after how many beats without a word the broker counts as gone.
  explicit Contact(int silent_beats) : silent_beats_(silent_beats) {}

  // Begins to greet. What the broker has said before no longer counts.
  void greet(Instant now);
  // The peer was idle, and nobody listened to the socket: silence is counted from now. Greets again
  // when the broker must have forgotten the peer.
  void resume(Instant now);

  void on_heard(Instant now) { heard_at_ = now; }
  // A message left, which keeps the broker from forgetting the peer.
  void on_said(Instant now) { said_at_ = now; }
  // A heartbeat left before it was due.
  void on_beat(Instant now) {
    said_at_ = now;
    beat_at_ = later(now, heartbeat_every_);
  }
  // True when this ends a greeting, false when it only repeats one.
  bool on_welcome(const Welcome& welcome, Instant now);
  // True when it starts a new greeting; more of them may arrive while that is on its way.
  bool on_hello_first(Instant now);
  // The broker refused the greeting for now: wait before the next.
  void on_refused_for(Duration delay, Instant now);

  // What must be done now. Whoever calls it does it.
  Due on_time(Instant now);
  Instant wake_at() const;

  bool greeted() const { return phase_ == Phase::kGreeted; }
  Instant heard_at() const { return heard_at_; }
  Duration heartbeat_every() const { return heartbeat_every_; }

 private:
  enum class Phase { kIdle, kGreeting, kGreeted };

  Instant silent_at() const { return later(heard_at_, heartbeat_every_ * silent_beats_); }

  int silent_beats_;
  Phase phase_ = Phase::kIdle;
  Duration heartbeat_every_ = Welcome{}.heartbeat_every;  // until the broker has said its own
  Duration lease_ = Welcome{}.lease;
  bool socket_is_fresh_ = true;
  Instant heard_at_{};
  Instant said_at_{};
  Instant told_at_{};          // when it was last told the time
  Instant beat_at_{};          // when the next heartbeat is due
  Instant hello_at_ = kNever;  // when HELLO is due
  Instant fresh_socket_at_{};  // when the greeting's patience ends
  Duration patience_{0};
};

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_CONTACT_H_
