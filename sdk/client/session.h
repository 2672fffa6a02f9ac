// The dialogue of a client with its broker, as a pure state machine: no socket, no clock, no
// thread. Told what was asked, what arrived and what time it is, it says what to send, which calls
// are answered, and when it wants to be told the time again.
#ifndef ASSAY_SDK_CLIENT_SESSION_H_
#define ASSAY_SDK_CLIENT_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "assay/message.h"
#include "assay/status.h"
#include "sdk/transport/contact.h"
#include "sdk/transport/instant.h"

namespace assay::client {

using transport::Instant;

struct SessionOptions {
  std::string endpoint;  // for messages to people
  std::string name;
  Duration call_timeout{3000};
};

// Theory of operation. Two kinds of things are outstanding at the broker:
// - calls: a request with a number, repeated under the same number until it is answered, refused,
// or
//   its time is up;
// - followed tasks: ids that an AWAIT named. They stay followed between two waits, so that waiting
//   for the rest of thousands again and again costs no new message; their results are kept until
//   they are asked for. Results are told apart by their task, never by the number they came under,
//   so a push that arrives twice, late or under an old number does no harm.
// After a new greeting the broker knows nothing of either: unanswered calls are repeated, and what
// the present wait is for is followed again.
class Session {
 public:
  explicit Session(SessionOptions options);

  // Makes sure of a greeting; answered (with Welcome) once the broker has answered it.
  std::uint64_t connect(Instant now);
  // A request; its number is given by the session and returned. The ids of an AWAIT must differ.
  std::uint64_t call(Message request, Instant now);
  // Whether a call by this number is unanswered, or its answer not taken yet.
  bool knows(std::uint64_t number) const {
    return calls_.contains(number) || replies_.contains(number);
  }
  // The answer to a call, once. An Error has become its Status.
  std::optional<Result<Message>> take_reply(std::uint64_t number);

  // Begins the one wait, for any of `ids`. Ends when take_ended is not empty or wait_failure is
  // set.
  void wait_for(std::span<const TaskId> ids, Instant now);
  bool wait_is_over() const { return !ready_.empty() || wait_failure_.has_value(); }
  Result<std::vector<TaskResult>> end_wait();
  // What to say of a wait whose own time is up.
  Status wait_timed_out(Duration timeout, Instant now);

  void on_message(Message message, Instant now);
  // The broker's side of the connection does not let this client in: what is outstanding fails.
  void on_refused(const Status& status);
  void on_time(Instant now);

  bool take_fresh_socket();
  // Hands over what is to be sent, in order. What cannot be sent, whatever one does, fails its
  // call.
  void drain_sends(const std::function<Status(const Message&)>& send);
  // Lines for people: the broker fell silent, it answers again.
  std::vector<std::string> take_notices();
  Instant wake_at() const;
  // True while a call is unanswered or the wait is not over.
  bool is_waiting_for_broker() const { return !calls_.empty() || (waiting_ && !wait_is_over()); }
  // True when the broker knows this client, so that it is worth a GOODBYE.
  bool greeted() const { return contact_.greeted(); }

 private:
  struct Call {
    Message request;  // empty of meaning for connect()
    bool is_greeting = false;
    // What the broker had said before: more now means that it lives and has not answered.
    std::uint64_t messages_before = 0;
    Instant started_at{};
    Instant deadline{};
    Instant next_try{};
    Duration patience{0};
    Results answer = {};  // to an AWAIT, as far as it has come
    std::unordered_set<TaskId> mentioned = {};
    std::optional<Status> refusal = std::nullopt;  // the retry_later it was answered last
  };
  struct Followed {
    std::uint64_t request = 0;
    std::uint64_t wait = 0;     // the wait that wants it; older ones have been given up
    bool acknowledged = false;  // the broker said that it is pending
  };
  using Outgoing = std::variant<Message, std::uint64_t>;  // a message, or the call that holds it

  void begin_outstanding(Instant now);
  std::uint64_t add_call(Call call, Instant now);
  void send_call(std::uint64_t number, Call& call, Instant now);
  void complete(std::uint64_t number, Result<Message> reply);
  void fail_everything(const Status& status);
  void repeat_calls(Instant now);
  void ask_for(std::span<const TaskId> ids, Instant now);
  void ask_again(bool all, Instant now);
  void forget_other_waits();
  void keep(TaskResult result);
  void check_wait(Instant now);
  Status why_unanswered(const Call& call, Instant now) const;
  Status unreachable(Instant since, Instant now) const;

  void on_welcome(const Welcome& welcome, Instant now);
  void on_error(const Error& error, Instant now);
  void on_await_refused(const Error& error, Instant now);
  void on_part(std::uint64_t number, Results part);
  void on_results(Results results, Instant now);

  SessionOptions options_;
  transport::Contact contact_;
  std::uint64_t next_number_ = 1;
  std::uint64_t messages_heard_ = 0;
  Instant calls_due_at_ = transport::kNever;  // no call is due before
  std::map<std::uint64_t, Call> calls_;
  std::map<std::uint64_t, Result<Message>> replies_;

  std::unordered_map<TaskId, Followed> followed_;
  std::unordered_map<TaskId, TaskResult> kept_;  // ended, not asked for by the present wait
  std::size_t kept_bytes_ = 0;
  std::uint64_t wait_ = 0;  // counts waits; followed ids of older ones are not wanted now
  bool waiting_ = false;
  Instant wait_started_at_{};
  bool wait_heard_ = false;
  Instant wait_seen_at_{};  // when a wait was last under way
  Instant ask_again_at_{};  // for ids that the broker has not mentioned
  Duration resync_after_{0};
  Instant resync_at_{};  // for all: a push may have been lost
  std::vector<TaskResult> ready_;
  std::vector<TaskId> unknown_;
  std::optional<Status> wait_failure_;

  bool fresh_socket_ = false;
  bool outage_told_ = false;
  std::vector<Outgoing> sends_;
  std::vector<std::string> notices_;
};

}  // namespace assay::client

#endif  // ASSAY_SDK_CLIENT_SESSION_H_
