// EXPLAIN: why a task stands where it does, and when it may start. It only looks: nothing here
// changes the state, and nothing here decides. Facts first (gather), then what they mean in the
// order of their weight (say), then an estimate where there is enough to go by.
#include <algorithm>
#include <cmath>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

std::string seconds_text(Duration duration) {
  const auto seconds = (std::max(duration, Duration(0)).count() + 999) / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  const auto minutes = seconds / 60;
  if (minutes < 120) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h";
}

std::string percent(double share) {
  return std::to_string(static_cast<int>(std::lround(share * 100))) + " %";
}

std::string counted(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string text_of(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += (text.empty() ? "" : ", ") + key + "=" + value;
  return text;
}

}  // namespace

void BrokerCore::on_message(PeerId peer, ExplainRequest&& request) {
  const Result<TaskIndex> found = find_by_prefix(request.id_prefix);
  if (!found.is_ok()) return refuse(peer, request.request, found.status());
  send(peer, Explained{.request = request.request, .task = explain(*found)});
}

Explanation BrokerCore::explain(TaskIndex index) const {
  const Task& task = state_.tasks().at(index);
  const QueueState& queue = state_.queue(task.queue);
  Explanation out;
  out.id = task.id;
  out.queue = queue.name;
  out.owner = state_.owner(task.owner);
  out.state = task.state;
  out.paused = queue.paused;
  switch (task.state) {
    case TaskState::kWaiting:
      gather_waits(task, out);
      break;
    case TaskState::kQueued:
      // It is held when it would be given to a worker.
      out.quarantined = state_.quarantined_by(task);
      out.position = queue.queued.position(state_.tasks(), index);
      break;
    case TaskState::kRunning:
      gather_run(index, out);
      break;
    default:
      break;
  }
  if (!is_ended(task.state)) {
    gather_share(task, out);
    gather_workers(task, out);
    estimate(task, out);
  }
  say(task, out);
  return out;
}

void BrokerCore::gather_waits(const Task& task, Explanation& out) const {
  if (task.details) {
    out.quarantined = task.details->held_by;
    if (!is_ended(task.state)) out.shares_run_of = task.details->follows;
    for (const TaskId& id : task.details->after) {
      const TaskIndex other = state_.tasks().find(id);
      if (other == kNoTask || is_ended(state_.tasks().at(other).state)) continue;
      out.waits_for.push_back({id, state_.tasks().at(other).state});
    }
  }
  if (task.changed_at > now_) out.not_before = task.changed_at;
}

void BrokerCore::gather_run(TaskIndex index, Explanation& out) const {
  const Task& task = state_.tasks().at(index);
  out.worker = task.details->attempts.back().worker;
  out.worker_says = feed_.last_progress_text(task.id, Attempt{task.attempt});
  const auto orphan = sessions_.orphans.find(index);
  if (orphan != sessions_.orphans.end()) out.grace_until = orphan->second;
}

void BrokerCore::gather_share(const Task& task, Explanation& out) const {
  const QueueState& queue = state_.queue(task.queue);
  const OwnerState& owner = state_.owner_state(task.owner);
  out.queued = queue.queued.size();
  out.quota_here = queue.rule.owner_running_cost_max;
  out.quota = owner.rule.running_cost_max;
  out.running = owner.running_cost;
  std::set<OwnerIndex> owners = queue.queued.owners();
  owners.insert(task.owner);
  std::uint64_t cost = 0;
  for (const auto& [peer, session] : sessions_.workers()) {
    for (const auto& [index, lease] : session.held) {
      const Task& held = state_.tasks().at(index);
      if (held.queue != task.queue) continue;
      owners.insert(held.owner);
      cost += held.cost;
      if (held.owner == task.owner) out.running_here += held.cost;
    }
  }
  double weights = 0;
  for (const OwnerIndex each : owners) weights += state_.owner_state(each).rule.weight;
  out.share_deserved = owner.rule.weight / weights;
  if (cost > 0) out.share_used = static_cast<double>(out.running_here) / static_cast<double>(cost);
}

void BrokerCore::gather_workers(const Task& task, Explanation& out) const {
  const RequiredLabels& required = state_.required_labels(task.require);
  out.missing_labels = required;
  for (const auto& [peer, session] : sessions_.workers()) {
    if (std::find(session.queues.begin(), session.queues.end(), task.queue) ==
        session.queues.end()) {
      continue;
    }
    ++out.workers;
    for (const auto& [label, value] : required) {
      const auto found = session.labels.find(label);
      if (found != session.labels.end() && found->second == value) out.missing_labels.erase(label);
    }
    out.free_credit += session.free_slots();
    if (bears(session, task.require)) ++out.able_workers;
  }
}

// From where it stands and how long tasks of its queue have run lately. It knows neither what will
// be submitted nor how long what runs has left, so it names a range, and nothing where somebody has
// to do something first.
void BrokerCore::estimate(const Task& task, Explanation& out) const {
  if (out.not_before && out.waits_for.empty()) {
    out.estimate_low_seconds = std::chrono::duration<double>(*out.not_before - now_).count();
    out.estimate_high_seconds = out.estimate_low_seconds;
    out.estimated = true;
    return;
  }
  if (task.state != TaskState::kQueued || out.paused || out.able_workers == 0) return;
  std::uint64_t slots = 0;
  std::uint64_t free = 0;
  for (const auto& [peer, session] : sessions_.workers()) {
    const bool serves =
        std::find(session.queues.begin(), session.queues.end(), task.queue) != session.queues.end();
    if (!serves || session.draining || !bears(session, task.require)) continue;
    slots += session.slots;
    free += session.free_slots();
  }
  // At a quota the owner has fewer slots than there are, and none that is free.
  for (const auto& [quota, running] :
       {std::pair(out.quota_here, out.running_here), std::pair(out.quota, out.running)}) {
    if (quota == 0) continue;
    slots = std::min<std::uint64_t>(slots, quota);
    free = std::min<std::uint64_t>(free, quota > running ? quota - running : 0);
  }
  if (slots == 0) return;
  const auto before = service_times_.find(task.queue);
  const auto range = before == service_times_.end() ? std::nullopt : before->second.range();
  if (out.position > free && !range) return;
  out.estimated = true;
  if (out.position <= free) return;  // as soon as the turn ends
  // So many rounds of all slots must end before it.
  const auto rounds = static_cast<double>((out.position - free + slots - 1) / slots);
  out.estimate_low_seconds = (rounds - 1) * std::chrono::duration<double>(range->low).count();
  out.estimate_high_seconds = rounds * std::chrono::duration<double>(range->high).count();
}

void BrokerCore::say(const Task& task, Explanation& out) const {
  std::vector<std::string>& because = out.because;
  if (is_ended(task.state)) {
    const std::string reason = task.details ? task.details->reason : "";
    because.push_back("it has ended: " + std::string(to_string(task.state)) +
                      (reason.empty() ? "" : ", " + reason));
    return;
  }
  if (task.state == TaskState::kRunning) return say_run(task, out);
  if (task.state == TaskState::kWaiting) return say_waits(task, out);
  const std::string queue = "the queue " + out.queue.value;
  if (out.paused) because.push_back(queue + " is paused; 'assay resume' lets it give out tasks");
  if (out.workers == 0) because.push_back("no worker of " + queue + " is connected");
  if (!out.missing_labels.empty() && out.workers > 0) {
    because.push_back("no worker of " + queue + " bears " + text_of(out.missing_labels));
  } else if (out.workers > 0 && out.able_workers == 0) {
    because.push_back("no single worker of " + queue + " bears all of " +
                      text_of(state_.required_labels(task.require)));
  }
  const std::string owner = out.owner.value;
  if (out.quota_here > 0 && out.running_here >= out.quota_here) {
    because.push_back(owner + " has its quota of " + std::to_string(out.quota_here) +
                      " running in " + queue);
  }
  if (out.quota > 0 && out.running >= out.quota) {
    because.push_back(owner + " has its quota of " + std::to_string(out.quota) +
                      " running over all queues");
  }
  if (out.able_workers > 0 && out.free_credit == 0) {
    because.push_back("all slots of the " + counted(out.workers, "worker") + " are taken");
  } else if (out.able_workers > 0 && task.cost > 1 && out.free_credit < task.cost) {
    because.push_back("it takes " + std::to_string(task.cost) + " slots of one worker, and " +
                      std::to_string(out.free_credit) + " are free over all");
  }
  if (out.position > 1) {
    because.push_back("it is number " + std::to_string(out.position) + " of " +
                      std::to_string(out.queued) + "; " + owner + " deserves " +
                      percent(out.share_deserved) + " of the queue and has " +
                      percent(out.share_used) + " of what runs");
  }
  if (because.empty()) because.push_back("it is next");
}

void BrokerCore::say_waits(const Task& task, Explanation& out) const {
  if (!out.quarantined.empty()) {
    out.because.push_back(
        out.quarantined +
        " is quarantined, since it kept killing workers; 'assay quarantine release' "
        "lets it run");
  }
  if (out.shares_run_of != TaskId())
    out.because.push_back("it shares the run of " + out.shares_run_of.text());
  for (const DependencyInfo& dependency : out.waits_for) {
    if (out.because.size() == 5) {
      out.because.push_back("and for " + std::to_string(out.waits_for.size() - 5) + " more");
      break;
    }
    out.because.push_back("it comes after " + dependency.id.text() + ", which is " +
                          std::string(to_string(dependency.state)));
  }
  if (out.not_before) {
    const bool backs_off = task.attempt > 0;
    out.because.push_back(std::string(backs_off ? "attempt " + std::to_string(task.attempt) +
                                                      " ended, and the next begins in "
                                                : "it is not to start before ") +
                          seconds_text(*out.not_before - now_) + (backs_off ? "" : " from now"));
  }
  if (out.because.empty()) out.because.push_back("it is about to be queued");
}

void BrokerCore::say_run(const Task& task, Explanation& out) const {
  if (task.cancel_requested) {
    out.because.push_back("it is to be cancelled, and its worker has not confirmed that yet");
  }
  if (out.grace_until) {
    out.because.push_back("its worker " + out.worker.value + " is away; it may come back for " +
                          seconds_text(*out.grace_until - now_) +
                          " before the task goes to another");
  } else {
    out.because.push_back("it runs on " + out.worker.value + " since " +
                          seconds_text(now_ - task.changed_at));
  }
  if (!out.worker_says.empty()) out.because.push_back("its worker says: " + out.worker_says);
}

}  // namespace assay::core
