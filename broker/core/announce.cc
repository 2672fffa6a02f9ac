// What the feed is told besides changes of tasks' states, and where each task stands for those who
// begin to listen.
#include <algorithm>
#include <unordered_set>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

// Does a subscription to `prefix` let through events of this task?
bool is_under(const std::string& prefix, const Task& task, const QueueName& queue) {
  const std::string topic = queue.value + "/" + task.id.text() + "/";
  return topic.starts_with(prefix) || prefix.starts_with(topic);
}

}  // namespace

void BrokerCore::publish(FeedEvent event) {
  feed_.add(event);
  effects_->publish.push_back(std::move(event));
}

void BrokerCore::publish_worker_event(const WorkerSession& session, const std::string& text) {
  for (QueueIndex queue : session.queues) {
    FeedEvent event;
    event.sequence = state_.take_sequence();
    event.at = now_;
    event.kind = EventKind::kWorker;
    event.queue = state_.queue(queue).name;
    event.worker = session.name;
    event.total = session.slots;
    event.text = text;
    event.previous_in_queue = state_.note_event(queue, event.sequence);
    publish(std::move(event));
  }
}

void BrokerCore::publish_queue_event(QueueIndex queue, const std::string& text) {
  FeedEvent event;
  event.sequence = state_.take_sequence();
  event.at = now_;
  event.kind = EventKind::kQueue;
  event.queue = state_.queue(queue).name;
  event.text = text;
  event.previous_in_queue = state_.note_event(queue, event.sequence);
  publish(std::move(event));
}

void BrokerCore::publish_dead_letter(TaskIndex index) {
  FeedEvent event = event_of(index);
  event.sequence = state_.take_sequence();
  event.at = now_;
  event.kind = EventKind::kDead;
  event.previous = state_.note_task_event(index, event.sequence);
  event.previous_in_queue = state_.note_event(state_.tasks().at(index).queue, event.sequence);
  publish(std::move(event));
}

FeedEvent BrokerCore::event_of(TaskIndex index) const {
  const Task& task = state_.tasks().at(index);
  if (auto kept = feed_.find(task.last_sequence)) return std::move(*kept);
  FeedEvent event;
  event.sequence = task.last_sequence;
  event.at = task.changed_at;
  event.queue = state_.queue(task.queue).name;
  event.task = task.id;
  event.attempt = Attempt{task.attempt};
  event.state = task.state;
  if (!task.details) return event;
  event.text = task.details->reason;
  if (!task.details->attempts.empty()) event.worker = task.details->attempts.back().worker;
  return event;
}

void BrokerCore::on_message(PeerId peer, SnapshotRequest&& request) {
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kEventsPerReplyMax);
  const std::unordered_set<TaskId> wanted(request.tasks.begin(), request.tasks.end());
  std::vector<TaskIndex> found;  // a heap of the smallest ids, one more than fit
  const auto before = [this](TaskIndex a, TaskIndex b) {
    return state_.tasks().at(a).id < state_.tasks().at(b).id;
  };
  const auto consider = [&](TaskIndex index) {
    const Task& task = state_.tasks().at(index);
    if (task.id <= request.after) return;
    // One that was asked for by its id is told of when it has ended, too.
    if (is_ended(task.state) && wanted.empty()) return;
    const QueueName& queue = state_.queue(task.queue).name;
    if (!request.queue.value.empty() && queue != request.queue) return;
    if (!request.topic_prefix.empty() && !is_under(request.topic_prefix, task, queue)) return;
    found.push_back(index);
    std::push_heap(found.begin(), found.end(), before);
    if (found.size() <= limit + 1) return;
    std::pop_heap(found.begin(), found.end(), before);
    found.pop_back();
  };
  if (wanted.empty()) {
    state_.tasks().for_each(consider);
  } else {
    for (const TaskId& id : wanted) {
      if (const TaskIndex index = state_.tasks().find(id); index != kNoTask) consider(index);
    }
  }
  std::sort_heap(found.begin(), found.end(), before);
  Snapshot reply;
  reply.request = request.request;
  reply.sequence = state_.last_sequence();
  reply.complete = found.size() <= limit;
  if (!reply.complete) found.pop_back();
  std::size_t bytes = 0;
  for (TaskIndex index : found) {
    if (bytes > kResultBytesPerPushMax) {
      reply.complete = false;
      break;
    }
    reply.events.push_back(event_of(index));
    bytes += answer_bytes_of(reply.events.back());
  }
  send(peer, std::move(reply));
}

}  // namespace assay::core
