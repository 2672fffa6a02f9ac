// The broker as a pure state machine: an Event goes in, Effects come out, and nothing else happens.
// No socket, no disk, no clock, no thread. docs/architecture.md tells why.
//
// Theory of operation. Durable state (state.h) changes only by records: a handler decides on a
// record and calls commit(), which applies it at once and hands it to the shell to be flushed
// before anything is sent. Connections (sessions.h) are forgotten by a restart; peers bring them
// back with HELLO and AWAIT. Messages of one loop turn are stepped one by one; the Tick that ends
// the turn lets time pass (leases, timers), gives queued tasks to workers with free slots and
// pushes results to those who wait, so that one turn makes few, large messages.
//
// The handlers are in files by what they are about: submit.cc, lease.cc, report.cc, dispatch.cc,
// client.cc.
#ifndef ASSAY_BROKER_CORE_BROKER_CORE_H_
#define ASSAY_BROKER_CORE_BROKER_CORE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/effects.h"
#include "broker/core/event.h"
#include "broker/core/feed_log.h"
#include "broker/core/limits.h"
#include "broker/core/quarantine.h"
#include "broker/core/service_times.h"
#include "broker/core/sessions.h"
#include "broker/core/state.h"

namespace assay::core {

// What the metrics count. Monotonic since the start.
struct Counters {
  std::uint64_t submitted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t scheduled = 0;          // of the submitted: by the clock
  std::uint64_t schedules_delayed = 0;  // times that a due task could not be taken yet
  std::uint64_t leased = 0;
  std::uint64_t lost = 0;  // attempts that ended with their worker
  std::uint64_t stale_reports = 0;
  std::uint64_t adopted = 0;  // attempts that went on over a reconnect or a restart
  std::uint64_t handed_over = 0;
  std::uint64_t shared = 0;       // tasks that ended as another of the same work did
  std::uint64_t quarantined = 0;  // bodies and images
  std::map<std::pair<QueueIndex, TaskState>, std::uint64_t> ended;
  std::map<std::string, std::uint64_t> refused;  // by reason
};

// Thread: one.
class BrokerCore {
 public:
  explicit BrokerCore(const CoreOptions& options);

  // Recovery: every record of the journal, in order, before start().
  // Errors: `impossible_record` (data_loss).
  Status recover(const Record& record, Location blob);
  // After that, if a repair has given up tasks of which records spoke.
  void mend_after_repair() { state_.mend(); }
  // The broker is up: attempts that were running wait for their workers from now on.
  void start(Time now, const std::vector<QueueName>& configured, Effects& effects);

  // Takes one event and adds what follows from it to `effects`.
  void step(Event event, Effects& effects);
  // The journal has the blob of this record here; call it for each Append with a blob, before
  // sending.
  void on_stored(const Append& append, Location blob);
  // The turn is over, everything is sent: ended tasks beyond the bound may be forgotten now. The
  // record of it is the first of the next turn.
  void on_turn_over();
  // The journal has moved the blob of this task. Only between turns.
  void on_blob_moved(const TaskId& id, Location from, Location to) {
    state_.blob_moved(id, from, to);
  }
  // Submits are refused while this is false; what runs is finished.
  void set_accepting(bool accepting) { accepting_ = accepting; }

  const State& state() const { return state_; }
  const Sessions& sessions() const { return sessions_; }
  const Counters& counters() const { return counters_; }
  std::vector<QueueInfo> queue_infos(Time now) const;

  // Other weights, quotas, limits and schedules from now on. What peers were told when they greeted
  // (the lease, how often to beat) stays for them.
  void set_rules(const CoreOptions& options, Time now, Effects& effects);

 private:
  // What goes to one worker in one message.
  struct Parcel {
    Tasks tasks;
    std::vector<TaskIndex> blobs;
    std::vector<std::vector<TaskIndex>> inputs;
    std::size_t bytes = 0;
  };
  using Parcels = std::map<PeerId, Parcel>;

  // submit.cc
  void on_message(PeerId peer, Submit&& submit);
  TaskIndex record_submitted(TaskSpec&& task, std::uint64_t fingerprint, TaskId follows = {});
  Status check_submit(const Submit& submit, std::vector<std::uint64_t>& fingerprints) const;
  Status check_task(const TaskSpec& task) const;
  Status check_room(const Submit& submit) const;
  Status check_owners_room(const Submit& submit) const;
  Status check_clients_room(PeerId peer, const Submit& submit) const;
  Status check_dependencies(const Submit& submit, std::vector<std::size_t>& order) const;

  // share.cc
  void settle_followers(TaskIndex ended);
  void settle_follower(TaskIndex follower);
  void end_like(TaskIndex follower, TaskIndex other);

  // quarantine_rules.cc
  void on_message(PeerId peer, QuarantinesRequest&& request);
  Status check_quarantine(const TaskSpec& task) const;
  void suspect(TaskIndex lost, const std::string& because);
  void clear_suspicion(const Task& task);
  Result<std::uint64_t> release_quarantine(const std::string& key);
  void release_held(const std::string& key);

  // client.cc
  void on_message(PeerId peer, ClientHello&& hello);
  void on_message(PeerId peer, Await&& await);
  void on_message(PeerId peer, Cancel&& cancel);
  void cancel_one(TaskIndex task, const std::string& reason, Cancelled& reply,
                  std::set<PeerId>& workers);
  std::vector<TaskId> with_dependents(const std::vector<TaskId>& ids) const;
  void on_message(PeerId peer, StatusRequest&& request);
  void on_message(PeerId peer, QueuesRequest&& request);
  void on_message(PeerId peer, WorkersRequest&& request);
  void on_message(PeerId peer, EventsRequest&& request);
  void on_message(PeerId peer, ListRequest&& request);
  // The task whose id's text this is, or begins with this and no other's does.
  // Errors: `invalid_id`, `ambiguous_id` (fix_input), `unknown_task` (not_found).
  Result<TaskIndex> find_by_prefix(const std::string& text) const;
  bool may_be_in_history(const Result<TaskIndex>& found, const std::string& text) const;
  TaskInfo info_of(TaskIndex index, bool in_full = true) const;
  TaskResult result_of(TaskIndex index) const;
  void push_results();
  void send_results(PeerId peer, Results reply, const std::vector<TaskIndex>& ended);

  // list.cc
  void list(PeerId peer, const ListRequest& request, const HistoryAnswer& answer);
  bool is_listed(const Task& task, const ListRequest& request) const;

  // history_answers.cc
  void on_event(FromHistory&& what);
  void inquire(PeerId peer, Message request);
  void on_answer(PeerId peer, const StatusRequest& request, HistoryAnswer&& answer);
  void on_answer(PeerId peer, const Await& await, HistoryAnswer&& answer);
  void on_answer(PeerId peer, const ListRequest& request, HistoryAnswer&& answer);
  void on_answer(PeerId peer, const EventsRequest& request, HistoryAnswer&& answer);
  void on_answer(PeerId peer, const UsageRequest& request, HistoryAnswer&& answer);
  void on_message(PeerId peer, UsageRequest&& request);

  // explain.cc
  void on_message(PeerId peer, ExplainRequest&& request);
  Explanation explain(TaskIndex index) const;
  void gather_waits(const Task& task, Explanation& out) const;
  void gather_run(TaskIndex index, Explanation& out) const;
  void gather_share(const Task& task, Explanation& out) const;
  void gather_workers(const Task& task, Explanation& out) const;
  void estimate(const Task& task, Explanation& out) const;
  void say(const Task& task, Explanation& out) const;
  void say_waits(const Task& task, Explanation& out) const;
  void say_run(const Task& task, Explanation& out) const;

  // retain.cc
  void on_message(PeerId peer, ReferencesRequest&& request);
  Result<std::uint64_t> pin(const std::vector<TaskId>& ids, bool pinned);

  // announce.cc
  void on_message(PeerId peer, SchedulesRequest&& request);
  void on_message(PeerId peer, SnapshotRequest&& request);

  // operate.cc
  void on_message(PeerId peer, Operate&& operate);
  Result<std::uint64_t> pause(const QueueName& queue, bool paused);
  Result<std::uint64_t> purge(const QueueName& queue);
  Result<std::uint64_t> drain(const WorkerName& worker);
  Result<std::uint64_t> forget(const std::vector<TaskId>& ids);
  Result<std::uint64_t> settle_dead(const Operate& operate);

  // lease.cc
  void on_message(PeerId peer, WorkerHello&& hello);
  void on_message(PeerId peer, Heartbeat&& heartbeat);
  void on_message(PeerId peer, Goodbye&& goodbye);
  Duration heartbeat_of_crowd() const;
  Status check_hello(const WorkerHello& hello);
  std::vector<TaskIndex> end_session(PeerId peer);
  bool adopt(WorkerSession& session, const HeldAttempt& held);
  void send_stops(WorkerSession& session, std::vector<HeldAttempt> drop);
  void lose(TaskIndex task, const std::string& because, bool counts_as_loss);
  void lose_all(const std::vector<TaskIndex>& tasks, const std::string& because,
                bool counts_as_loss);
  void lose_silent_workers();
  void lose_orphans();
  void forget_silent_clients();

  // report.cc
  void on_message(PeerId peer, Report&& report);
  void on_message(PeerId peer, Progress&& progress);
  bool accept(const WorkerSession& session, TaskReport& report);
  void finish(TaskIndex task, TaskReport& report);
  static void clean(TaskReport& report);
  void retry(TaskIndex task, TaskReport& report);
  void give_back(TaskIndex task, TaskReport& report);
  void end_attempt(TaskIndex task, const TaskReport& report, Duration delay);

  // dispatch.cc
  void release(TaskIndex task);
  bool give_next(QueueIndex queue, WorkerSession& worker, Parcels& parcels);
  bool bears(const WorkerSession& worker, RequireIndex require) const;
  Lease lease_of(const Task& task, const WorkerSession& worker) const;
  void send_parcel(PeerId peer, Parcel& parcel);
  bool gather_inputs(const Task& task, TaskAssignment& assignment,
                     std::vector<TaskIndex>& inputs) const;

  // schedule.cc
  void settle_schedules();
  void note_next_due(const std::string& name, const Schedule& schedule);
  void submit_scheduled();
  bool submit_for(const std::string& name, const Schedule& schedule, Time due);
  Time next_scheduled_at() const;

  // time.cc
  void dispatch(QueueIndex queue);
  void ready_timers();
  void end_at_deadlines();
  void end_at_timeouts();
  void settle_dependents();
  Duration backoff_of(const Task& task, std::uint32_t tries) const;

  // broker_core.cc
  void begin(Time now, Effects& effects);
  static Status check_version(std::uint8_t version_min, std::uint8_t version_max);
  void on_event(FromPeer&& what);
  void on_event(const PeerGone& what);
  void on_event(const PeerBarred& what);
  void on_event(const Tick& tick);
  TaskIndex commit(Record record, std::string blob = {});
  TaskIndex commit_copy(Record record, std::string blob, TaskIndex blob_of);
  void publish(FeedEvent event);
  void publish_worker_event(const WorkerSession& session, const std::string& text);
  // Beside its state event, so that who looks for dead letters alone sees nothing else.
  void publish_dead_letter(TaskIndex index);
  void publish_queue_event(QueueIndex queue, const std::string& text);
  // A task's latest event as far as it is known: the one that is kept, or one made of its state.
  FeedEvent event_of(TaskIndex index) const;
  void send(PeerId to, Message message, std::vector<TaskIndex> blobs = {});
  void refuse(PeerId peer, std::uint64_t request, const Status& status);
  // The broker's last event number is its whole clock of events: the next durable one.
  std::uint64_t next_sequence() { return state_.last_sequence() + 1; }
  void end_task(TaskIndex task, TaskState state, Cause cause, std::string reason,
                TaskReport* report = nullptr);

  CoreOptions options_;
  State state_;
  Sessions sessions_;
  FeedLog feed_;
  Counters counters_;
  std::map<QueueIndex, ServiceTimes> service_times_;
  Suspects suspects_;
  bool accepting_ = true;

  // Of the current step.
  Time now_{};
  Effects* effects_ = nullptr;
  const Identity* identity_ = nullptr;  // of the peer whose message is being taken

  // Between the steps of one turn.
  std::set<QueueIndex> to_dispatch_;
  std::vector<TaskIndex> to_push_;
  std::vector<TaskIndex> to_settle_;  // ended or submitted: what comes after may have to end too
  std::uint64_t forgotten_ = 0;       // ended tasks, and the journal does not know it yet
  Time next_sweep_{};
  Time wall_{};                           // as the last Tick told it
  std::map<std::string, Time> next_due_;  // of each schedule, by the wall
  Time try_schedules_again_at_{};
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_BROKER_CORE_H_
