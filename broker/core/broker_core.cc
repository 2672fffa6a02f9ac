#include "broker/core/broker_core.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace assay::core {
namespace {

// How often silence is looked for. Leases are seconds long, so this costs little and is soon
// enough.
constexpr Duration kSweepEvery{250};

// The messages that each door lets in; all others are refused as `wrong_door`.
template <typename M>
constexpr bool kFromClients =
    std::is_same_v<M, ClientHello> || std::is_same_v<M, Submit> || std::is_same_v<M, Await> ||
    std::is_same_v<M, Cancel> || std::is_same_v<M, StatusRequest> ||
    std::is_same_v<M, QueuesRequest> || std::is_same_v<M, WorkersRequest> ||
    std::is_same_v<M, EventsRequest> || std::is_same_v<M, ListRequest> ||
    std::is_same_v<M, Operate> || std::is_same_v<M, ExplainRequest> ||
    std::is_same_v<M, UsageRequest> || std::is_same_v<M, SchedulesRequest> ||
    std::is_same_v<M, QuarantinesRequest> || std::is_same_v<M, ReferencesRequest> ||
    std::is_same_v<M, SnapshotRequest> || std::is_same_v<M, Heartbeat> ||
    std::is_same_v<M, Goodbye>;
template <typename M>
constexpr bool kFromWorkers =
    std::is_same_v<M, WorkerHello> || std::is_same_v<M, Report> || std::is_same_v<M, Progress> ||
    std::is_same_v<M, Heartbeat> || std::is_same_v<M, Goodbye>;
template <typename M>
constexpr bool kIsHello = std::is_same_v<M, ClientHello> || std::is_same_v<M, WorkerHello>;

template <typename M>
std::uint64_t request_of(const M& message) {
  if constexpr (requires { message.request; }) return message.request;
  return 0;
}

}  // namespace

BrokerCore::BrokerCore(const CoreOptions& options)
    : options_(options), state_(options), feed_(options) {}

Status BrokerCore::recover(const Record& record, Location blob) {
  auto applied = state_.apply(record, blob);
  if (!applied.is_ok()) return applied.status();
  if (applied->event) feed_.add(std::move(*applied->event));
  return Status::ok();
}

void BrokerCore::start(Time now, const std::vector<QueueName>& configured, Effects& effects) {
  begin(now, effects);
  commit(BrokerStarted{.sequence = state_.last_sequence() + kSequenceJumpAtStart, .at = now});
  for (const QueueName& queue : configured) {
    if (!state_.find_queue(queue))
      commit(QueueCreated{.sequence = next_sequence(), .queue = queue});
  }
  settle_schedules();
  state_.tasks().for_each([&](TaskIndex task) {
    const TaskState state = state_.tasks().at(task).state;
    if (state == TaskState::kRunning) sessions_.orphans[task] = now + options_.adoption_grace;
    // What it comes after may have failed, and the crash came before it was told.
    if (state == TaskState::kWaiting) to_settle_.push_back(task);
  });
}

void BrokerCore::begin(Time now, Effects& effects) {
  now_ = now;
  effects_ = &effects;
  if (forgotten_ == 0) return;
  effects.append.push_back(
      {EndedForgotten{.sequence = state_.last_sequence(), .count = std::exchange(forgotten_, 0)},
       {}});
}

void BrokerCore::on_turn_over() {
  const std::uint64_t excess = state_.excess_ended();
  if (excess == 0) return;
  const auto applied =
      state_.apply(EndedForgotten{.sequence = state_.last_sequence(), .count = excess}, {});
  ASSAY_ASSERT(applied.is_ok());
  forgotten_ += excess;
}

void BrokerCore::step(Event event, Effects& effects) {
  begin(event.now, effects);
  std::visit([&](auto&& what) { on_event(std::forward<decltype(what)>(what)); },
             std::move(event.what));
}

void BrokerCore::on_stored(const Append& append, Location blob) {
  // A task may be submitted and called off in one turn: its body is nobody's result.
  const bool is_body = std::holds_alternative<TaskSubmitted>(append.record);
  const TaskState state = state_.tasks().at(append.task).state;
  if (is_body && is_ended(state) && state != TaskState::kDead) return;
  state_.blob_stored(append.task, blob);
}

void BrokerCore::set_rules(const CoreOptions& options, Time now, Effects& effects) {
  begin(now, effects);
  options_ = options;
  state_.set_rules(options);
  for (std::size_t i = 0; i < state_.queues().size(); ++i) {
    to_dispatch_.insert(QueueIndex{static_cast<std::uint16_t>(i)});
  }
  settle_schedules();
}

void BrokerCore::on_event(FromPeer&& what) {
  const PeerId peer = what.peer;
  identity_ = what.identity;
  const Door door = what.door;
  std::visit(
      [&]<typename M>(M&& message) {
        using Type = std::decay_t<M>;
        const std::uint64_t request = request_of(message);
        if (!(door == Door::kClients ? kFromClients<Type> : kFromWorkers<Type>)) {
          refuse(
              peer, request,
              fix_input("wrong_door",
                        std::string(to_string(type_of(Message(Type())))) + " is not taken at the " +
                            (door == Door::kClients ? "clients'" : "workers'") + " socket"));
          return;
        }
        if constexpr (kFromClients<Type> || kFromWorkers<Type>) {
          WorkerSession* worker = sessions_.worker(peer);
          ClientSession* client = sessions_.client(peer);
          if (worker != nullptr) worker->last_heard = now_;
          if (client != nullptr) client->last_heard = now_;
          const bool is_known = door == Door::kClients ? client != nullptr : worker != nullptr;
          if (!kIsHello<Type> && !is_known) {
            refuse(
                peer, request,
                Status(Code::kRetryCall, "hello_first",
                       "this broker does not know the peer (it may have restarted): greet first"));
            return;
          }
          on_message(peer, std::forward<M>(message));
        }
      },
      std::move(what.message));
}

void BrokerCore::on_event(const PeerGone& what) {
  // A worker may come back within its lease and keep what it holds; a client asks again.
  sessions_.remove_client(what.peer);
  effects_->forget.push_back(what.peer);
}

void BrokerCore::on_event(const PeerBarred& what) {
  sessions_.remove_client(what.peer);
  if (const WorkerSession* session = sessions_.worker(what.peer)) {
    publish_worker_event(*session, "barred: its key is no longer known");
    lose_all(end_session(what.peer), "its worker's key is no longer known", false);
  }
  effects_->forget.push_back(what.peer);
}

void BrokerCore::on_event(const Tick& tick) {
  wall_ = tick.wall == Time() ? now_ : tick.wall;
  submit_scheduled();
  end_at_deadlines();
  end_at_timeouts();
  if (now_ >= next_sweep_ && tick.all_heard) {
    lose_silent_workers();
    lose_orphans();
    forget_silent_clients();
    next_sweep_ = now_ + kSweepEvery;
  }
  settle_dependents();
  ready_timers();
  for (QueueIndex queue : to_dispatch_) dispatch(queue);
  to_dispatch_.clear();
  push_results();

  const bool someone_may_fall_silent =
      !sessions_.workers().empty() || !sessions_.clients().empty() || !sessions_.orphans.empty();
  if (someone_may_fall_silent) effects_->wake_at = std::min(effects_->wake_at, next_sweep_);
  for (const State::Timers* timers : {&state_.timers(), &state_.timeouts(), &state_.deadlines()}) {
    // What is overdue and still there waits for somebody else: a worker that must stop it.
    const auto next = timers->upper_bound({now_, kNoTask});
    if (next != timers->end()) effects_->wake_at = std::min(effects_->wake_at, next->first);
  }
  effects_->wake_at = std::min(effects_->wake_at, next_scheduled_at());
}

// Both doors greet by the same rule.
Status BrokerCore::check_version(std::uint8_t version_min, std::uint8_t version_max) {
  if (version_min <= kProtocolVersion && kProtocolVersion <= version_max) return Status::ok();
  return fix_input("unsupported_version",
                   "this broker speaks protocol version " + std::to_string(kProtocolVersion) +
                       ", the peer " + std::to_string(version_min) + " to " +
                       std::to_string(version_max) + "; upgrade the older of the two");
}

TaskIndex BrokerCore::commit(Record record, std::string blob) {
  return commit_copy(std::move(record), std::move(blob), kNoTask);
}

// With `blob_of`, the record's blob is that task's, which the shell copies.
TaskIndex BrokerCore::commit_copy(Record record, std::string blob, TaskIndex blob_of) {
  const std::uint32_t length = blob_of == kNoTask ? static_cast<std::uint32_t>(blob.size())
                                                  : state_.tasks().at(blob_of).blob.length;
  auto applied = state_.apply(record, {.segment = 0, .offset = 0, .length = length});
  ASSAY_ASSERT(applied.is_ok());  // a handler decided on what the state can't do
  effects_->append.push_back({std::move(record), std::move(blob), applied->task, blob_of});
  if (applied->task != kNoTask) {
    const Task& task = state_.tasks().at(applied->task);
    if (task.state == TaskState::kQueued) to_dispatch_.insert(task.queue);
    if (is_ended(task.state)) {
      sessions_.settle(applied->task);
      to_push_.push_back(applied->task);
      to_settle_.push_back(applied->task);
    }
  }
  const bool died = applied->event && applied->event->state == TaskState::kDead;
  if (applied->event) publish(std::move(*applied->event));
  if (died) publish_dead_letter(applied->task);
  return applied->task;
}

void BrokerCore::send(PeerId to, Message message, std::vector<TaskIndex> blobs) {
  effects_->send.push_back({to, std::move(message), std::move(blobs)});
}

void BrokerCore::refuse(PeerId peer, std::uint64_t request, const Status& status) {
  ++counters_.refused[status.reason()];
  send(peer, Error{.request = request,
                   .code = status.code(),
                   .reason = status.reason(),
                   .message = status.message(),
                   .retry_after = status.retry_after()});
}

// With `report`, its worker said so, and its result is the task's.
void BrokerCore::end_task(TaskIndex index, TaskState state, Cause cause, std::string reason,
                          TaskReport* report) {
  const Task& task = state_.tasks().at(index);
  release(index);
  ++counters_.ended[{task.queue, state}];
  commit(TaskEnded{.sequence = next_sequence(),
                   .id = task.id,
                   .at = now_,
                   .attempt = Attempt{task.attempt},
                   .state = state,
                   .cause = cause,
                   .reason = std::move(reason),
                   .by_report = report != nullptr,
                   .artifacts = report == nullptr ? std::vector<std::string>()
                                                  : std::move(report->artifacts),
                   .usage = report == nullptr ? Usage() : report->usage},
         report == nullptr ? std::string() : std::move(report->result));
}

}  // namespace assay::core
