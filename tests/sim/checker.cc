#include "tests/sim/checker.h"

namespace assay::sim {

std::string body_of(const TaskId& id) {
  return "body of " + id.text();
}
std::string result_of(const TaskId& id, Attempt attempt) {
  return "result of " + id.text() + " attempt " + std::to_string(attempt.number);
}

void Checker::on_durable(const core::Record& record, const std::string& blob, Time wall) {
  if (const auto* submitted = std::get_if<core::TaskSubmitted>(&record)) {
    if (!submitted_.emplace(submitted->id, blob).second) {
      world_.fail("task " + submitted->id.text() + " was recorded as submitted twice");
    }
  } else if (const auto* leased = std::get_if<core::TaskLeased>(&record)) {
    on_leased(*leased);
  } else if (const auto* ended = std::get_if<core::TaskEnded>(&record)) {
    on_ended(*ended, blob);
  } else if (const auto* set = std::get_if<core::ScheduleSet>(&record)) {
    schedules_[set->name] = {*core::Cron::parse(set->state.line), set->state.settled};
  } else if (const auto* fired = std::get_if<core::ScheduleFired>(&record)) {
    on_fired(*fired, wall);
  } else if (const auto* given_back = std::get_if<core::AttemptEnded>(&record)) {
    on_given_back(*given_back);
  } else if (std::holds_alternative<core::Quarantined>(record)) {
    world_.mark("quarantined");
  }
}

void Checker::on_schedules_held_up() {
  for (auto& [name, schedule] : schedules_) schedule.held_up = true;
}

// Each due time at most once and in order; none is passed over unless something held it up.
void Checker::on_fired(const core::ScheduleFired& fired, Time wall) {
  Schedule& schedule = schedules_.at(fired.name);
  if (!submitted_.contains(fired.id)) world_.fail(fired.name + " made a task that is not there");
  if (fired.due <= schedule.settled) world_.fail(fired.name + " made two tasks for one due time");
  if (fired.due > wall) world_.fail(fired.name + " made a task before it was due");
  const auto next = schedule.cron.next_after(schedule.settled, {});
  if (!next || (fired.due != *next && !schedule.held_up))
    world_.fail(fired.name + " passed over a due time");
  world_.mark(fired.due == *next ? "scheduled" : "schedule made up");
  schedule.settled = fired.due;
  schedule.held_up = false;
}

void Checker::demand_schedules(Time wall) {
  for (const auto& [name, schedule] : schedules_) {
    const auto next = schedule.cron.next_after(schedule.settled, {});
    if (next && *next <= wall - Duration(3000)) world_.fail(name + " missed its latest due time");
  }
}

// One worker at a time, and each grant a new attempt, but for what was handed over.
void Checker::on_leased(const core::TaskLeased& leased) {
  Run& run = runs_[leased.id];
  const std::uint32_t expected = run.handed_over ? run.attempt : run.attempt + 1;
  if (run.is_open || leased.attempt.number != expected || ended_.contains(leased.id)) {
    world_.fail("task " + leased.id.text() + " was given to " + leased.worker.value +
                " as attempt " + std::to_string(leased.attempt.number) + " while attempt " +
                std::to_string(run.attempt) + (run.is_open ? " runs" : " was the last"));
  }
  run = {.attempt = leased.attempt.number, .is_open = true, .handed_over = false};
}

void Checker::on_given_back(const core::AttemptEnded& ended) {
  Run& run = runs_[ended.id];
  if (!run.is_open || run.attempt != ended.attempt.number)
    world_.fail("an attempt of " + ended.id.text() + " ended that did not run");
  run.is_open = false;
  run.handed_over = ended.handed_over;
  given_back_.insert({ended.id, ended.attempt});
  world_.mark(ended.counts_as_attempt ? "retried"
              : ended.counts_as_loss  ? "lost"
              : ended.handed_over     ? "handed over"
                                      : "given back");
}

void Checker::on_ended(const core::TaskEnded& ended, const std::string& blob) {
  if (!submitted_.contains(ended.id)) world_.fail("a task ended that was never submitted");
  const Ended end{ended.state, ended.attempt, blob, ended.by_report};
  if (!ended_.emplace(ended.id, end).second)
    world_.fail("task " + ended.id.text() + " was recorded as ended twice");
  world_.mark("ended " + std::string(to_string(ended.state)));
  runs_[ended.id].is_open = false;
  if (ended.cached_from == TaskId()) return;
  // What a worker said of another's run, word for word.
  const auto source = ended_.find(ended.cached_from);
  if (source == ended_.end() || !source->second.by_report || source->second.state != ended.state ||
      source->second.result != blob) {
    world_.fail("task " + ended.id.text() + " ended as " + ended.cached_from.text() +
                ", which did not end so");
  }
  world_.mark("shared");
}

void Checker::on_dispatched(const TaskAssignment& task) {
  const auto submitted = submitted_.find(task.id);
  if (submitted == submitted_.end() || task.body != submitted->second)
    world_.fail("task " + task.id.text() + " was dispatched with another body");
  on_inputs(task);
}

void Checker::on_inputs(const TaskAssignment& task) {
  for (const TaskInput& input : task.inputs) {
    const auto ended = ended_.find(input.id);
    if (ended == ended_.end()) {
      world_.fail("task " + task.id.text() + " was dispatched before " + input.id.text() +
                  " had ended");
    } else if (ended->second.state != input.state || ended->second.result != input.result) {
      world_.fail("task " + task.id.text() + " was given another result of " + input.id.text());
    } else {
      world_.mark("a result travelled");
    }
  }
}

void Checker::on_acknowledged(const Submit& submit) {
  for (const TaskSpec& task : submit.tasks) {
    if (!submitted_.contains(task.id))
      world_.fail("task " + task.id.text() + " was acknowledged before it was durable");
    acknowledged_.insert(task.id);
  }
}

void Checker::on_result(const TaskResult& result) {
  const auto ended = ended_.find(result.id);
  if (ended == ended_.end())
    return world_.fail("a result of " + result.id.text() + " was told before it was durable");
  if (ended->second.state != result.state || ended->second.attempt != result.attempt ||
      ended->second.result != result.result) {
    world_.fail("the result of " + result.id.text() + " is not the one that was recorded: told " +
                std::string(to_string(result.state)) + " '" + result.result + "' of attempt " +
                std::to_string(result.attempt.number) + ", recorded " +
                std::string(to_string(ended->second.state)) + " '" + ended->second.result +
                "' of attempt " + std::to_string(ended->second.attempt.number));
  }
  if (result.state == TaskState::kSucceeded && result.cached_from == TaskId() &&
      result.result != result_of(result.id, result.attempt)) {
    world_.fail("the result of " + result.id.text() +
                " is not what the worker of that attempt reported");
  }
}

void Checker::on_recorded(const HeldAttempt& which) {
  const auto ended = ended_.find(which.id);
  const bool counts = ended != ended_.end() && ended->second.attempt == which.attempt;
  if (!counts && !given_back_.contains(which)) {
    world_.fail("a worker was told that " + which.id.text() + " attempt " +
                std::to_string(which.attempt.number) + " is recorded, and it is not");
  }
}

bool Checker::all_ended() const {
  for (const auto& [id, body] : submitted_) {
    if (!ended_.contains(id)) return false;
  }
  return true;
}

void Checker::demand_ends() {
  for (const TaskId& id : acknowledged_) {
    if (!submitted_.contains(id))
      world_.fail("task " + id.text() + " was acknowledged and is lost");
  }
  for (const auto& [id, body] : submitted_) {
    if (!ended_.contains(id)) world_.fail("task " + id.text() + " never ended");
  }
}

}  // namespace assay::sim
