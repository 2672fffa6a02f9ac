// LIST: tasks of memory and history as one, the newest first, page by page.
#include <algorithm>
#include <optional>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

// Where a task stands in the order of a list.
struct Place {
  Time submitted_at{};
  TaskId id;
  friend auto operator<=>(const Place&, const Place&) = default;
};

Place place_of(const TaskInfo& info) {
  return {info.submitted_at, info.id};
}

bool has_ended_states(const ListRequest& request) {
  return request.states.empty() ||
         std::any_of(request.states.begin(), request.states.end(), is_ended);
}

std::size_t bytes_of(const TaskInfo& info) {
  std::size_t bytes = info.reason.size() + info.after.size() * sizeof(TaskId) + 500;
  for (const auto& [label, value] : info.labels) bytes += label.size() + value.size();
  return bytes;
}

}  // namespace

void BrokerCore::on_message(PeerId peer, ListRequest&& request) {
  // Memory has every task that has not ended. Of the others, and of the end of a page that is not
  // there any more, the history knows more.
  const bool knows_after =
      request.after == TaskId() || state_.tasks().find(request.after) != kNoTask;
  if (options_.history && (has_ended_states(request) || !knows_after))
    return inquire(peer, std::move(request));
  list(peer, request, HistoryAnswer());
}

bool BrokerCore::is_listed(const Task& task, const ListRequest& request) const {
  if (!request.states.empty() &&
      std::find(request.states.begin(), request.states.end(), task.state) == request.states.end()) {
    return false;
  }
  if (!request.queue.value.empty() && state_.queue(task.queue).name != request.queue) return false;
  if (!request.owner.value.empty() && state_.owner(task.owner) != request.owner) return false;
  if (task.submitted_at < request.since) return false;
  if (request.until != Time() && task.submitted_at >= request.until) return false;
  for (const auto& [name, value] : request.labels) {
    if (!task.details) return false;
    const auto label = task.details->labels.find(name);
    if (label == task.details->labels.end() || label->second != value) return false;
  }
  return true;
}

void BrokerCore::list(PeerId peer, const ListRequest& request, const HistoryAnswer& answer) {
  std::optional<Place> after;
  if (request.after != TaskId()) {
    const TaskIndex last = state_.tasks().find(request.after);
    if (last == kNoTask && !answer.after_submitted) {
      return refuse(peer, request.request,
                    not_found("unknown_task", "there is no task " + request.after.text() +
                                                  " any more; ask from the newest again"));
    }
    after = Place{last == kNoTask ? *answer.after_submitted : state_.tasks().at(last).submitted_at,
                  request.after};
  }
  std::vector<TaskIndex> matches;
  state_.tasks().for_each([&](TaskIndex index) {
    const Task& task = state_.tasks().at(index);
    if (is_listed(task, request) && (!after || Place{task.submitted_at, task.id} < *after))
      matches.push_back(index);
  });
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kTasksPerListMax);
  const std::size_t count = std::min(limit, matches.size());
  std::partial_sort(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(count),
                    matches.end(), [&](TaskIndex a, TaskIndex b) {
                      const Task &one = state_.tasks().at(a), &other = state_.tasks().at(b);
                      return Place{other.submitted_at, other.id} < Place{one.submitted_at, one.id};
                    });
  assay::TaskList reply{
      .request = request.request, .complete = count == matches.size(), .tasks = {}};
  std::vector<TaskInfo> tasks;
  for (std::size_t i = 0; i < count; ++i) tasks.push_back(info_of(matches[i], /*in_full=*/false));
  // What memory knows is newer than what history says of it.
  for (const TaskInfo& task : answer.tasks) {
    if (state_.tasks().find(task.id) == kNoTask) tasks.push_back(task);
  }
  std::sort(tasks.begin(), tasks.end(),
            [](const TaskInfo& a, const TaskInfo& b) { return place_of(b) < place_of(a); });
  if (!answer.complete && !answer.tasks.empty()) {
    // Below the last that history told there may be others that it did not.
    const Place floor = place_of(answer.tasks.back());
    std::erase_if(tasks, [&](const TaskInfo& task) { return place_of(task) < floor; });
    reply.complete = false;
    if (tasks.empty()) {
      ListRequest further = request;
      further.after = answer.tasks.back().id;
      return inquire(peer, std::move(further));
    }
  }
  std::size_t bytes = 0;
  for (TaskInfo& task : tasks) {
    bytes += bytes_of(task);
    if (reply.tasks.size() == limit || (bytes > kResultBytesPerPushMax && !reply.tasks.empty())) {
      reply.complete = false;
      break;
    }
    reply.tasks.push_back(std::move(task));
  }
  send(peer, std::move(reply));
}

}  // namespace assay::core
