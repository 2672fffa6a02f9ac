// The dialogue of a worker with its broker, as a pure state machine: no socket, no clock, no
// thread, no handler. Told what arrived, what a handler finished and what time it is, it says what
// to send, what to start, what to stop, and when it wants to be told the time again.
#ifndef ASSAY_SDK_WORKER_SESSION_H_
#define ASSAY_SDK_WORKER_SESSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "assay/message.h"
#include "assay/status.h"
#include "assay/worker.h"
#include "sdk/transport/contact.h"
#include "sdk/transport/instant.h"
#include "sdk/worker/held_attempt_hash.h"

namespace assay::worker {

using transport::Instant;

struct SessionOptions {
  std::string endpoint;  // for messages to people
  WorkerName name;
  std::vector<QueueName> queues;
  std::uint32_t slots = 1;
  Duration drain_timeout{30000};
  bool hands_over = false;
  std::map<std::string, std::string> labels = {};
};

// A handler that must be told that its work is not wanted any more.
struct StopOrder {
  HeldAttempt held;
  StopReason reason = StopReason::kCancelled;
  friend bool operator==(const StopOrder&, const StopOrder&) = default;
};

// An attempt whose end is on the broker's disk.
struct RecordedEnd {
  HeldAttempt held;
  Outcome outcome = Outcome::kSucceeded;
  friend bool operator==(const RecordedEnd&, const RecordedEnd&) = default;
};

// What the loop must do next, in the order of the members.
struct Effects {
  bool fresh_socket = false;  // throw the socket away with all that is queued in it
  std::vector<Message> send;
  std::vector<TaskAssignment> start;
  std::vector<StopOrder> stop;
  std::vector<RecordedEnd> recorded;
  std::vector<HeldAttempt> collect;  // take their progress and hand it to on_collected
  std::vector<std::string> notices;  // lines for people
};

// Theory of operation. An attempt is held from TASKS until its report is recorded; every heartbeat
// and every greeting names all that is held, which renews the leases and, after an outage, lets the
// broker decide what is still ours (Welcome.drop names what is not). A report is kept and repeated
// until the broker has answered it. A dropped attempt is held no longer, but its handler occupies a
// slot until it has returned: the credit told to the broker counts that.
//
// It ends in steps: draining (no credit, running handlers go on), quitting (they are told to stop),
// leaving (reports wait to be recorded), over. What is held at the end goes back by GOODBYE.
class Session {
 public:
  explicit Session(SessionOptions options);

  void start(Instant now);
  void on_message(Message message, Instant now);
  // The broker's side of the connection does not let this worker in. One that it never let in ends
  // with this status; another goes on asking.
  void on_refused(const Status& status, Instant now);
  void on_time(Instant now);
  // A handler has returned; `rest` is the progress that was not collected before.
  void on_finished(TaskReport report, std::vector<ProgressReport> rest, Instant now);
  // A handler has something to tell; it is collected when it is due.
  void on_progress(const HeldAttempt& held, Instant now);
  void on_collected(std::vector<ProgressReport> reports);
  // The first request drains, the second quits.
  void on_stop_request(Instant now);

  Effects take_effects();
  Instant wake_at() const;
  bool is_over() const { return phase_ == Phase::kOver; }
  // Why it is over, if not because it was asked to.
  const Status& status() const { return status_; }

 private:
  enum class Phase { kWorking, kDraining, kQuitting, kLeaving, kOver };
  struct Held {
    bool running = true;
    bool dropped = false;  // no longer ours: its report is thrown away
    bool cancel = false;   // the broker asked for its end
    bool let_go = false;   // the broker asked for it to go on elsewhere
    std::optional<TaskReport> report;
    std::vector<ProgressReport> rest;  // to be sent before the report
    Instant report_at{};               // when to send it (again)
    Duration patience{0};
  };

  void on_welcome(const Welcome& welcome, Instant now);
  void on_error(const Error& error, Instant now);
  void on_tasks(Tasks tasks, Instant now);
  void on_recorded(const Recorded& recorded);
  void on_stop(const Stop& stop, Instant now);
  void drop(const std::vector<HeldAttempt>& attempts, Instant now);
  void hand_back(const TaskAssignment& task, Instant now);

  void send_reports(Instant now);
  std::vector<Held*> due_reports(Instant now);
  void send_progress(std::vector<ProgressReport> reports);
  void collect_progress(Instant now);
  void beat(Instant now);
  void refuse(Status status, Instant now);
  void quit(Instant now);
  void advance(Instant now);
  std::vector<HeldAttempt> holding() const;
  std::uint32_t credit() const;

  SessionOptions options_;
  transport::Contact contact_;
  Phase phase_ = Phase::kWorking;
  Instant phase_ends_at_ = transport::kNever;
  std::unordered_map<HeldAttempt, Held, HeldAttemptHash> held_;
  std::uint32_t running_ = 0;  // handlers, dropped ones too
  std::uint32_t dropped_running_ = 0;
  std::uint32_t unrecorded_ = 0;             // reports that wait to be recorded
  std::vector<HeldAttempt> newly_finished_;  // reports that were never sent
  Instant report_at_ = transport::kNever;    // no report has to be repeated before
  std::vector<HeldAttempt> progressed_;      // have something to tell
  Instant collect_at_ = transport::kNever;
  Instant collected_at_{};
  bool was_welcome_ = false;
  bool outage_told_ = false;
  bool refusal_told_ = false;
  Status status_;
  Effects effects_;
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_SESSION_H_
