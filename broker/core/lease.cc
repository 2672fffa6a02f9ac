// Workers come, prove that they live, go, or fall silent; and the attempts they hold are renewed,
// adopted or lost.
#include <algorithm>
#include <unordered_set>

#include "broker/core/broker_core.h"

namespace assay::core {

Status BrokerCore::check_hello(const WorkerHello& hello) {
  Status status = check_version(hello.version_min, hello.version_max);
  if (!status.is_ok()) return status;
  if (!valid_name(hello.name.value)) {
    return fix_input("invalid_name",
                     "worker name: expected 1 to 64 of letters, digits, '.', '_', '-', found '" +
                         hello.name.value.substr(0, 80) + "'");
  }
  if (hello.queues.empty() || hello.queues.size() > kQueueCountMax) {
    return fix_input("invalid_hello", "a worker serves 1 to " + std::to_string(kQueueCountMax) +
                                          " queues, this one names " +
                                          std::to_string(hello.queues.size()));
  }
  std::size_t queue_count = state_.queues().size();
  for (const QueueName& queue : hello.queues) {
    if (!valid_name(queue.value)) {
      return fix_input("invalid_name",
                       "queue name: expected 1 to 64 of letters, digits, '.', '_', '-', found '" +
                           queue.value.substr(0, 80) + "'");
    }
    if (!state_.find_queue(queue)) ++queue_count;
  }
  if (queue_count > kQueueCountMax) {
    return {Code::kExhausted, "too_many_queues",
            "this broker has " + std::to_string(kQueueCountMax) + " queues, its limit"};
  }
  const WorkerSession* same_name = sessions_.worker_named(hello.name);
  if (identity_ != nullptr && same_name != nullptr && same_name->key != identity_->name) {
    return {Code::kConflict, "name_taken",
            "a worker with another key is connected under the name '" + hello.name.value +
                "'; choose another name"};
  }
  if (hello.slots > kSlotsPerWorkerMax) {
    return fix_input("invalid_hello", "slots: expected at most " +
                                          std::to_string(kSlotsPerWorkerMax) + ", found " +
                                          std::to_string(hello.slots));
  }
  return Status::ok();
}

void BrokerCore::on_message(PeerId peer, WorkerHello&& hello) {
  Status status = check_hello(hello);
  if (!status.is_ok()) return refuse(peer, 0, status);

  // The same worker over a new connection, or greeting again over the old one: what it held is for
  // it to name.
  std::vector<TaskIndex> held_before = end_session(peer);
  if (const WorkerSession* old = sessions_.worker_named(hello.name)) {
    const PeerId old_peer = old->peer;
    const auto more = end_session(old_peer);
    held_before.insert(held_before.end(), more.begin(), more.end());
    effects_->forget.push_back(old_peer);
  }

  std::set<QueueIndex> queues;
  for (const QueueName& name : hello.queues) {
    if (!state_.find_queue(name)) commit(QueueCreated{.sequence = next_sequence(), .queue = name});
    queues.insert(*state_.find_queue(name));
  }
  WorkerSession& session = sessions_.add_worker({.peer = peer,
                                                 .name = hello.name,
                                                 .queues = {queues.begin(), queues.end()},
                                                 .slots = hello.slots,
                                                 .held = {},
                                                 .last_heard = now_,
                                                 .joined_at = now_,
                                                 .labels = std::move(hello.labels),
                                                 .key = identity_ ? identity_->name : ""});
  Welcome welcome{.version = kProtocolVersion,
                  .broker = ASSAY_VERSION,
                  .heartbeat_every = heartbeat_of_crowd(),
                  .lease = options_.lease,
                  .drop = {}};
  for (const HeldAttempt& held : hello.holding) {
    if (adopt(session, held)) {
      ++counters_.adopted;
    } else {
      welcome.drop.push_back(held);
    }
  }
  send(peer, std::move(welcome));
  publish_worker_event(session, "joined");
  std::erase_if(held_before, [&](TaskIndex task) { return sessions_.holder(task) != nullptr; });
  // A process that dies of a task and is started again under its name is a worker lost to it, as if
  // it had stayed away.
  lose_all(held_before, "its worker came back without it", true);
  send_stops(session, {});
  to_dispatch_.insert(session.queues.begin(), session.queues.end());
}

// Ten thousand idle workers that beat every second would keep the broker busy with nothing else, so
// whoever joins a crowd beats more rarely, but often enough that one lost message loses no task.
Duration BrokerCore::heartbeat_of_crowd() const {
  const auto workers = static_cast<Duration::rep>(sessions_.workers().size());
  const Duration shared(workers * 1000 / kHeartbeatsPerSecondMax);
  return std::max(options_.heartbeat_every, std::min(shared, options_.lease / 3));
}

// Ends the session of this peer and returns what it held, all orphans now.
std::vector<TaskIndex> BrokerCore::end_session(PeerId peer) {
  std::vector<TaskIndex> tasks;
  WorkerSession* session = sessions_.worker(peer);
  if (session == nullptr) return tasks;
  for (const auto& [task, lease] : session->held) tasks.push_back(task);
  std::sort(tasks.begin(), tasks.end());  // one order for every run of the same events
  for (TaskIndex task : tasks) {
    sessions_.release(task);
    sessions_.orphans[task] = now_ + options_.adoption_grace;
  }
  sessions_.remove_worker(peer);
  return tasks;
}

bool BrokerCore::adopt(WorkerSession& session, const HeldAttempt& held) {
  const TaskIndex index = state_.tasks().find(held.id);
  if (index == kNoTask || !sessions_.orphans.contains(index)) return false;
  const Task& task = state_.tasks().at(index);
  const auto& attempts = task.details->attempts;
  // Only the worker that was given this attempt may go on with it.
  if (task.attempt != held.attempt.number || attempts.back().worker != session.name) return false;
  Lease lease = lease_of(task, session);
  lease.attempt = held.attempt;
  sessions_.hold(session, index, lease);
  return true;
}

void BrokerCore::on_message(PeerId peer, Heartbeat&& heartbeat) {
  WorkerSession* session = sessions_.worker(peer);
  if (session == nullptr) return send(peer, Heartbeat());  // a client's

  const std::uint32_t free_before = session->free_slots();
  session->slots = std::min(heartbeat.slots, kSlotsPerWorkerMax);
  std::unordered_set<TaskId> named;
  std::vector<HeldAttempt> drop;
  for (const HeldAttempt& held : heartbeat.holding) {
    named.insert(held.id);
    const TaskIndex index = state_.tasks().find(held.id);
    const auto lease = index == kNoTask ? session->held.end() : session->held.find(index);
    const bool holds = lease != session->held.end() && lease->second.attempt == held.attempt;
    if (!holds && !adopt(*session, held)) drop.push_back(held);
  }
  // A dispatch that this worker does not know of after a whole lease never reached it.
  std::vector<TaskIndex> undelivered;
  for (const auto& [task, lease] : session->held) {
    if (!named.contains(state_.tasks().at(task).id) && now_ - lease.since > options_.lease) {
      undelivered.push_back(task);
    }
  }
  std::sort(undelivered.begin(), undelivered.end());
  send(peer, Heartbeat());
  send_stops(*session, std::move(drop));
  lose_all(undelivered, "it never reached its worker", false);
  sessions_.note_ready(*session);
  // What it had room for before, and did not get, it is not given for beating: thousands of idle
  // workers would ask for a task that none of them may have.
  if (session->free_slots() > free_before)
    to_dispatch_.insert(session->queues.begin(), session->queues.end());
}

void BrokerCore::send_stops(WorkerSession& session, std::vector<HeldAttempt> drop) {
  Stop stop;
  stop.drop = std::move(drop);
  for (const auto& [index, lease] : session.held) {
    const Task& task = state_.tasks().at(index);
    const HeldAttempt held{task.id, lease.attempt};
    if (task.cancel_requested) {
      stop.cancel.push_back(held);
    } else if (session.draining) {
      stop.hand_over.push_back(held);
    }
  }
  std::sort(stop.cancel.begin(), stop.cancel.end());
  std::sort(stop.hand_over.begin(), stop.hand_over.end());
  if (stop != Stop()) send(session.peer, std::move(stop));
}

void BrokerCore::on_message(PeerId peer, Goodbye&&) {
  if (const WorkerSession* session = sessions_.worker(peer)) {
    publish_worker_event(*session, "left");
    lose_all(end_session(peer), "its worker left", false);
  }
  sessions_.remove_client(peer);
  effects_->forget.push_back(peer);
}

// A running task's attempt is over without a report. It goes back to its queue, unless it was to
// end anyway.
void BrokerCore::lose(TaskIndex index, const std::string& because, bool counts_as_loss) {
  const Task& task = state_.tasks().at(index);
  release(index);
  ++counters_.lost;
  if (counts_as_loss) suspect(index, because);
  if (task.cancel_requested) {
    return end_task(index, TaskState::kCancelled, Cause::kNone, task.details->reason);
  }
  if (counts_as_loss && task.losses + 1U >= options_.losses_max) {
    return end_task(
        index, TaskState::kDead, Cause::kInfrastructure,
        "lost with " + std::to_string(task.losses + 1U) + " workers, the last time: " + because);
  }
  commit(AttemptEnded{.sequence = next_sequence(),
                      .id = task.id,
                      .at = now_,
                      .attempt = Attempt{task.attempt},
                      .cause = Cause::kInfrastructure,
                      .counts_as_loss = counts_as_loss,
                      .counts_as_attempt = false,
                      .ready_at = now_,
                      .because = because});
}

// Each goes to the front of its queue, so the last goes first: they keep their order.
void BrokerCore::lose_all(const std::vector<TaskIndex>& tasks, const std::string& because,
                          bool counts_as_loss) {
  for (auto task = tasks.rbegin(); task != tasks.rend(); ++task)
    lose(*task, because, counts_as_loss);
}

void BrokerCore::lose_silent_workers() {
  std::vector<PeerId> silent;
  for (const auto& [peer, session] : sessions_.workers()) {
    if (now_ - session.last_heard > options_.lease) silent.push_back(peer);
  }
  std::sort(silent.begin(), silent.end());
  for (PeerId peer : silent) {
    publish_worker_event(*sessions_.worker(peer), "lost: silent for longer than its lease");
    const std::string name = sessions_.worker(peer)->name.value;
    for (TaskIndex task : end_session(peer))
      lose(task, "its worker " + name + " fell silent", true);
    effects_->forget.push_back(peer);
  }
}

void BrokerCore::lose_orphans() {
  std::vector<TaskIndex> late;
  for (const auto& [task, deadline] : sessions_.orphans) {
    if (deadline <= now_) late.push_back(task);
  }
  std::sort(late.begin(), late.end());
  lose_all(late, "its worker did not come back", true);
}

void BrokerCore::forget_silent_clients() {
  std::vector<PeerId> silent;
  for (const auto& [peer, session] : sessions_.clients()) {
    if (now_ - session.last_heard > options_.client_silence) silent.push_back(peer);
  }
  std::sort(silent.begin(), silent.end());
  for (PeerId peer : silent) {
    sessions_.remove_client(peer);
    effects_->forget.push_back(peer);
  }
}

}  // namespace assay::core
