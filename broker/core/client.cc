// What producers and operators ask: await, cancel, status, queues, workers, missed events.
#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <utility>

#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::on_message(PeerId peer, ClientHello&& hello) {
  const Status status = check_version(hello.version_min, hello.version_max);
  if (!status.is_ok()) return refuse(peer, 0, status);
  sessions_.remove_client(peer);  // greeting again drops the waits: the client asks again
  sessions_.add_client(peer, now_);
  send(peer, Welcome{.version = kProtocolVersion,
                     .broker = ASSAY_VERSION,
                     .heartbeat_every = options_.heartbeat_every,
                     .lease = options_.client_silence,
                     .drop = {}});
}

void BrokerCore::on_message(PeerId peer, Await&& await) {
  ClientSession& session = *sessions_.client(peer);
  if (session.awaits.size() + await.ids.size() > kAwaitsPerClientMax) {
    return refuse(
        peer, await.request,
        Status(Code::kExhausted, "too_many_awaits",
               "a client may wait for " + std::to_string(kAwaitsPerClientMax) + " tasks at once"));
  }
  Results reply{.request = await.request, .results = {}, .pending = {}, .unknown = {}};
  std::vector<TaskIndex> ended;
  for (const TaskId& id : await.ids) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) {
      reply.unknown.push_back(id);
    } else if (is_ended(state_.tasks().at(index).state)) {
      ended.push_back(index);
    } else {
      reply.pending.push_back(id);
      if (await.follow) sessions_.add_await(session, index, await.request);
    }
  }
  if (options_.history && !reply.unknown.empty()) {
    inquire(peer, Await{await.request, std::exchange(reply.unknown, {}), await.follow});
    if (ended.empty() && reply.pending.empty()) return;  // the history's answer is the whole answer
  }
  send_results(peer, std::move(reply), ended);
}

// One answer, or several where the results are too many or too large for one; the first carries the
// lists.
void BrokerCore::send_results(PeerId peer, Results reply, const std::vector<TaskIndex>& ended) {
  const std::uint64_t request = reply.request;
  std::vector<TaskIndex> blobs;
  std::size_t bytes = 0;
  for (TaskIndex index : ended) {
    const Task& task = state_.tasks().at(index);
    const bool has_result = task.state != TaskState::kDead;  // the dead keep their body there
    const std::size_t length = has_result ? task.blob.length : 0;
    if (!blobs.empty() &&
        (blobs.size() == kResultsPerPushMax || bytes + length > kResultBytesPerPushMax)) {
      send(peer, std::move(reply), std::move(blobs));
      reply = Results{.request = request, .results = {}, .pending = {}, .unknown = {}};
      blobs.clear();
      bytes = 0;
    }
    reply.results.push_back(result_of(index));
    blobs.push_back(has_result ? index : kNoTask);
    bytes += length;
  }
  send(peer, std::move(reply), std::move(blobs));
}

void BrokerCore::push_results() {
  std::map<std::pair<PeerId, std::uint64_t>, std::vector<TaskIndex>> by_wait;
  for (TaskIndex task : to_push_) {
    for (const auto& wait : sessions_.take_awaits(task)) by_wait[wait].push_back(task);
  }
  to_push_.clear();
  for (const auto& [wait, ended] : by_wait) {
    send_results(wait.first,
                 Results{.request = wait.second, .results = {}, .pending = {}, .unknown = {}},
                 ended);
  }
}

TaskResult BrokerCore::result_of(TaskIndex index) const {
  const Task& task = state_.tasks().at(index);
  return {.id = task.id,
          .state = task.state,
          .cause = task.cause,
          .reason = task.details ? task.details->reason : std::string(),
          .attempt = Attempt{task.attempt},
          .ended_at = task.changed_at,
          .result = {},
          .usage = task.details ? task.details->usage : Usage(),
          .cached_from = task.details ? task.details->cached_from : TaskId(),
          .artifacts = task.details ? task.details->result_artifacts : std::vector<std::string>()};
}

void BrokerCore::on_message(PeerId peer, StatusRequest&& request) {
  const Result<TaskIndex> found = find_by_prefix(request.id_prefix);
  if (may_be_in_history(found, request.id_prefix)) return inquire(peer, std::move(request));
  if (!found.is_ok()) return refuse(peer, request.request, found.status());
  send(peer, TaskStatus{.request = request.request, .task = info_of(*found)});
}

Result<TaskIndex> BrokerCore::find_by_prefix(const std::string& text) const {
  std::string prefix = text;
  std::transform(prefix.begin(), prefix.end(), prefix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string padded = prefix;
  padded.resize(26, '0');
  if (prefix.size() < kIdPrefixLengthMin || prefix.size() > 26 || !TaskId::parse(padded)) {
    return fix_input("invalid_id", "expected a task id (26 characters) or its first " +
                                       std::to_string(kIdPrefixLengthMin) + " or more, found '" +
                                       text.substr(0, 80) + "'");
  }
  std::vector<TaskIndex> matches;
  if (const auto id = TaskId::parse(prefix)) {
    const TaskIndex index = state_.tasks().find(*id);
    if (index != kNoTask) matches.push_back(index);
  } else {
    matches = state_.tasks().with_prefix(prefix, 3);
  }
  if (matches.empty()) {
    return not_found("unknown_task",
                     "there is no task " + prefix + " (ended tasks are forgotten after a while)");
  }
  if (matches.size() > 1) {
    std::string some;
    for (TaskIndex match : matches) some += " " + state_.tasks().at(match).id.text();
    return fix_input("ambiguous_id", "more than one task begins with " + prefix + ":" + some +
                                         (matches.size() == 3 ? " ..." : "") +
                                         "; give more characters");
  }
  return matches[0];
}

// Not in full: without its position and attempts, which take long to tell or much to carry.
TaskInfo BrokerCore::info_of(TaskIndex index, bool in_full) const {
  const Task& task = state_.tasks().at(index);
  const QueueState& queue = state_.queue(task.queue);
  TaskInfo info;
  info.id = task.id;
  info.queue = queue.name;
  info.owner = state_.owner(task.owner);
  info.priority = task.priority;
  info.state = task.state;
  info.cause = task.cause;
  info.submitted_at = task.submitted_at;
  info.cancel_requested = task.cancel_requested;
  info.pinned = task.pinned;
  if (is_ended(task.state)) info.ended_at = task.changed_at;
  if (in_full && task.state == TaskState::kQueued)
    info.position = queue.queued.position(state_.tasks(), index);
  if (task.details) {
    info.labels = task.details->labels;
    info.reason = task.details->reason;
    if (in_full) info.attempts = task.details->attempts;
    info.usage = task.details->usage;
    info.cached_from = task.details->cached_from;
    info.after = task.details->after;
    if (in_full) info.artifacts = task.details->result_artifacts;
  }
  return info;
}

void BrokerCore::on_message(PeerId peer, QueuesRequest&& request) {
  send(peer, QueueList{.request = request.request, .queues = queue_infos(now_)});
}

std::vector<QueueInfo> BrokerCore::queue_infos(Time now) const {
  std::vector<QueueInfo> infos;
  for (const QueueState& queue : state_.queues()) {
    QueueInfo info;
    info.name = queue.name;
    info.queued = queue.queued.size();
    info.running = queue.running;
    info.waiting = queue.waiting;
    info.paused = queue.paused;
    if (const auto oldest = queue.queued.oldest(state_.tasks())) {
      info.oldest_seconds = std::max(0.0, std::chrono::duration<double>(now - *oldest).count());
    }
    infos.push_back(std::move(info));
  }
  for (const auto& [peer, session] : sessions_.workers()) {
    for (QueueIndex queue : session.queues) {
      QueueInfo& info = infos[static_cast<std::size_t>(queue)];
      ++info.workers;
      info.capacity += session.slots;
    }
  }
  return infos;
}

void BrokerCore::on_message(PeerId peer, WorkersRequest&& request) {
  WorkerList reply{.request = request.request, .workers = {}};
  for (const auto& [id, session] : sessions_.workers()) {
    WorkerInfo info;
    info.name = session.name;
    for (QueueIndex queue : session.queues) info.queues.push_back(state_.queue(queue).name);
    info.slots = session.slots;
    info.running = static_cast<std::uint32_t>(session.held.size());
    info.silent_seconds = std::chrono::duration<double>(now_ - session.last_heard).count();
    info.joined_at = session.joined_at;
    info.labels = session.labels;
    info.draining = session.draining;
    reply.workers.push_back(std::move(info));
  }
  std::sort(reply.workers.begin(), reply.workers.end(),
            [](const WorkerInfo& a, const WorkerInfo& b) { return a.name < b.name; });
  send(peer, std::move(reply));
}

void BrokerCore::on_message(PeerId peer, EventsRequest&& request) {
  const bool wants_states =
      request.kinds.empty() || std::find(request.kinds.begin(), request.kinds.end(),
                                         EventKind::kState) != request.kinds.end();
  const std::uint64_t oldest = feed_.oldest() == 0 ? state_.last_sequence() + 1 : feed_.oldest();
  if (options_.history && wants_states && request.after + 1 < oldest)
    return inquire(peer, std::move(request));
  send(peer, feed_.answer(request, state_.last_sequence()));
}

}  // namespace assay::core
