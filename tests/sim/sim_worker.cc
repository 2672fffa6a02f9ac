#include <algorithm>

#include "tests/sim/sim_peers.h"

namespace assay::sim {
namespace {

constexpr Duration kMoment{100};

}  // namespace

SimWorker::SimWorker(World& world, Checker& checker, SimBroker& broker, int number)
    : world_(world), checker_(checker), broker_(broker), number_(number) {
  // Both kinds are there whatever the dice say: every requirement can be met in the end.
  labels_["kind"] = number % 2 == 0 ? "a" : "b";
  be_born();
  every_moment();
}

void SimWorker::be_born(bool same_name) {
  held_.clear();
  leaving_ = false;
  if (!same_name) ++life_;
  name_ = WorkerName("worker" + std::to_string(number_) + "-" + std::to_string(life_));
  slots_ = static_cast<std::uint32_t>(world_.dice().between(1, world_.options().slots_max));
  connect();
}

void SimWorker::connect() {
  broker_.disconnect(peer_);
  peer_ =
      broker_.connect(core::Door::kWorkers, [this](const Message& message) { receive(message); });
  greeted_ = false;
  heard_ = spoke_ = world_.now();
  broker_.send(peer_, hello());
}

WorkerHello SimWorker::hello() const {
  return {.name = name_,
          .queues = {QueueName("eval"), QueueName("build")},
          .slots = slots_,
          .holding = holding(),
          .labels = labels_};
}

void SimWorker::receive(const Message& message) {
  if (world_.now() < paused_until_)
    return;  // a stopped process reads nothing; lost here, as over a cut connection
  heard_ = world_.now();
  if (const auto* error = std::get_if<Error>(&message);
      error != nullptr && error->reason == "hello_first") {
    broker_.send(peer_, hello());
  }
  if (const auto* welcome = std::get_if<Welcome>(&message)) on(*welcome);
  if (const auto* tasks = std::get_if<Tasks>(&message)) on(*tasks);
  if (const auto* recorded = std::get_if<Recorded>(&message)) on(*recorded);
  if (const auto* stop = std::get_if<Stop>(&message)) on(*stop);
}

void SimWorker::on(const Welcome& welcome) {
  greeted_ = true;
  drop(welcome.drop);
}

void SimWorker::on(const Tasks& tasks) {
  for (const TaskAssignment& task : tasks.tasks) {
    if (task.resume) world_.mark("resumed");
    if (task.labels.contains("image_digest") && !world_.healed()) {
      world_.mark("poisoned");
      return be_born(/*same_name=*/world_.dice().chance(0.5));
    }
    const auto held = held_.find(task.id);
    if (held != held_.end() && held->second.attempt >= task.attempt) continue;  // a repeat
    Held fresh{.attempt = task.attempt};
    fresh.done_at = world_.now() + world_.dice().delay(Duration(0), Duration(4000));
    held_[task.id] = std::move(fresh);
  }
}

void SimWorker::on(const Recorded& recorded) {
  for (const HeldAttempt& which : recorded.recorded) checker_.on_recorded(which);
  if (!recorded.stale.empty()) world_.mark("stale report");
  drop(recorded.recorded);
  drop(recorded.stale);
}

void SimWorker::on(const Stop& stop) {
  for (const HeldAttempt& which : stop.cancel) {
    const auto held = held_.find(which.id);
    if (held != held_.end() && held->second.attempt == which.attempt) held->second.cancelled = true;
  }
  if (!stop.drop.empty()) world_.mark("told to drop");
  drop(stop.drop);
}

void SimWorker::drop(const std::vector<HeldAttempt>& which) {
  for (const HeldAttempt& one : which) {
    const auto held = held_.find(one.id);
    if (held != held_.end() && held->second.attempt == one.attempt) held_.erase(held);
  }
}

std::vector<HeldAttempt> SimWorker::holding() const {
  std::vector<HeldAttempt> all;
  for (const auto& [id, held] : held_) all.push_back({id, held.attempt});
  return all;
}

void SimWorker::every_moment() {
  world_.after(kMoment, [this] { every_moment(); });
  if (world_.now() < paused_until_ && !world_.healed()) return;
  const double share_of_a_second = std::chrono::duration<double>(kMoment).count();
  if (!world_.healed()) {
    if (world_.dice().chance(world_.options().worker_crash * share_of_a_second)) {
      world_.mark("worker crashed");
      return be_born();
    }
    if (world_.dice().chance(world_.options().worker_pause * share_of_a_second)) {
      world_.mark("worker paused");
      paused_until_ = world_.now() + world_.dice().delay(Duration(100), Duration(20'000));
      return;
    }
    if (world_.dice().chance(world_.options().cut * share_of_a_second)) {
      world_.mark("worker cut off");
      return connect();
    }
  }
  paused_until_ = Time{};
  if (world_.now() - heard_ > Duration(3500)) return connect();
  if (leaving_ && held_.empty()) return be_born();
  if (!world_.healed() && !leaving_ && !held_.empty() &&
      world_.dice().chance(world_.options().hand_overs * share_of_a_second)) {
    leaving_ = true;
  }
  work();
}

void SimWorker::work() {
  Report report;
  for (auto& [id, held] : held_) {
    if (!held.report && (world_.now() >= held.done_at || held.cancelled))
      held.report = report_for(id, held);
    if (!held.report && leaving_) {
      held.report = TaskReport{.id = id, .attempt = held.attempt, .outcome = Outcome::kHandOver};
    }
    if (held.report) report.reports.push_back(*held.report);
  }
  const bool is_due = world_.now() - spoke_ >= Duration(1000);
  if (!report.reports.empty() && (is_due || world_.dice().chance(0.5)))
    broker_.send(peer_, std::move(report));
  if (is_due) {
    broker_.send(peer_, Heartbeat{.slots = leaving_ ? 0 : slots_, .holding = holding()});
    spoke_ = world_.now();
  }
}

TaskReport SimWorker::report_for(const TaskId& id, const Held& held) {
  TaskReport report{.id = id, .attempt = held.attempt, .result = result_of(id, held.attempt)};
  const Options& options = world_.options();
  if (held.cancelled && world_.dice().chance(0.8)) {
    report.outcome = Outcome::kCancelled;
  } else if (world_.dice().chance(options.task_fails)) {
    report.outcome = Outcome::kFailed;
    report.cause = Cause::kTask;
    report.reason = "it said no";
  } else if (!world_.healed() && world_.dice().chance(options.snoozes)) {
    report.outcome = Outcome::kSnooze;
    report.delay = world_.dice().delay(Duration(0), Duration(3000));
    world_.mark("snoozed");
  } else if (world_.dice().chance(options.task_retries)) {
    report.outcome = Outcome::kRetry;
    report.cause = Cause::kTask;
    report.delay = world_.dice().delay(Duration(0), Duration(3000));
  } else if (!world_.healed() && world_.dice().chance(options.infrastructure_fails)) {
    report.outcome = Outcome::kRetry;
    report.cause = Cause::kInfrastructure;
  }
  return report;
}

}  // namespace assay::sim
