// Schedules: each due time makes one task, over restarts and whatever clocks do. What was missed
// while the broker was down makes one task, for the latest of the missed times.
#include "broker/core/schedule.h"

#include <algorithm>

#include "broker/core/broker_core.h"
#include "broker/core/fingerprint.h"

namespace assay::core {
namespace {

// A queue that is full now may have room soon; what the task lacks otherwise needs a person.
constexpr Duration kTryAgainAfter{1000};

// An id for the task of a due time: the same each time, so that it needs no chance. `attempt` tells
// apart from those that somebody else has taken.
TaskId id_for(const std::string& name, Time due, std::uint64_t attempt) {
  TaskSpec words;
  words.labels = {{"schedule", name}, {"due", std::to_string(due.time_since_epoch().count())}};
  TaskId id;
  auto milliseconds = static_cast<std::uint64_t>(due.time_since_epoch().count());
  for (std::size_t i = 6; i-- > 0; milliseconds >>= 8)
    id.bytes[i] = static_cast<std::uint8_t>(milliseconds);
  words.cost = static_cast<std::uint32_t>(attempt + 1);
  std::uint64_t mixed = fingerprint(words);
  for (std::size_t i = 6; i < 14; ++i, mixed >>= 8) id.bytes[i] = static_cast<std::uint8_t>(mixed);
  return id;
}

}  // namespace

// Remembers what is configured now, and from when on it counts.
void BrokerCore::settle_schedules() {
  std::vector<std::string> gone;
  for (const auto& [name, state] : state_.schedules()) {
    if (!options_.schedules.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone)
    commit(ScheduleRemoved{.sequence = next_sequence(), .name = name});
  next_due_.clear();
  for (const auto& [name, schedule] : options_.schedules) {
    if (!state_.find_queue(schedule.task.queue))
      commit(QueueCreated{.sequence = next_sequence(), .queue = schedule.task.queue});
    const auto known = state_.schedules().find(name);
    const bool is_known = known != state_.schedules().end();
    if (!is_known || known->second.line != schedule.line || known->second.zone != schedule.zone) {
      ScheduleState state = is_known ? known->second : ScheduleState();
      state.line = schedule.line;
      state.zone = schedule.zone;
      // What another line would have asked for in the past is not made up for.
      state.settled = std::max(state.settled, wall_ == Time() ? now_ : wall_);
      commit(ScheduleSet{.sequence = next_sequence(), .name = name, .state = std::move(state)});
    }
    note_next_due(name, schedule);
  }
}

void BrokerCore::note_next_due(const std::string& name, const Schedule& schedule) {
  const auto next = schedule.cron.next_after(state_.schedules().at(name).settled, schedule.offsets);
  next_due_[name] = next.value_or(Time::max());
}

void BrokerCore::submit_scheduled() {
  for (const auto& [name, schedule] : options_.schedules) {
    const auto next = next_due_.find(name);
    if (next == next_due_.end() || wall_ < next->second || now_ < try_schedules_again_at_) continue;
    const auto due =
        schedule.cron.last_between(state_.schedules().at(name).settled, wall_, schedule.offsets);
    if (!due) continue;
    if (!submit_for(name, schedule, *due)) {
      ++counters_.schedules_delayed;
      try_schedules_again_at_ = now_ + kTryAgainAfter;
      continue;
    }
    note_next_due(name, schedule);
  }
}

// The task and the note that its time is settled are records of one turn: both are durable, or
// none. False: it can't be taken now.
bool BrokerCore::submit_for(const std::string& name, const Schedule& schedule, Time due) {
  Submit submit;
  submit.tasks.push_back(schedule.task);
  TaskSpec& task = submit.tasks.back();
  std::uint64_t attempt = 0;
  do {
    task.id = id_for(name, due, attempt++);
  } while (state_.tasks().find(task.id) != kNoTask);
  task.labels["schedule"] = name;
  std::vector<std::uint64_t> fingerprints;
  if (!check_submit(submit, fingerprints).is_ok()) return false;
  const TaskId id = task.id;
  record_submitted(std::move(task), fingerprints.front());
  commit(
      ScheduleFired{.sequence = next_sequence(), .id = id, .at = now_, .name = name, .due = due});
  ++counters_.scheduled;
  return true;
}

// When a schedule is due next, on the core's own clock, which may be off the wall's.
Time BrokerCore::next_scheduled_at() const {
  Time at = Time::max();
  for (const auto& [name, due] : next_due_) {
    if (due == Time::max()) continue;
    at = std::min(at, std::max(now_ + std::max(due - wall_, Duration(0)), try_schedules_again_at_));
  }
  return at;
}

void BrokerCore::on_message(PeerId peer, SchedulesRequest&& request) {
  ScheduleList reply{.request = request.request, .schedules = {}};
  for (const auto& [name, schedule] : options_.schedules) {
    const ScheduleState& state = state_.schedules().at(name);
    ScheduleInfo info;
    info.name = name;
    info.cron = schedule.line + (schedule.zone == "UTC" ? "" : " " + schedule.zone);
    info.queue = schedule.task.queue;
    const Time next = next_due_.at(name);
    if (next != Time::max()) info.next_at = next;
    if (state.last_due != Time()) info.last_at = state.last_due;
    info.last_task = state.last_task;
    reply.schedules.push_back(std::move(info));
  }
  send(peer, std::move(reply));
}

}  // namespace assay::core
