#include "tests/sim/sim_broker.h"

#include "broker/core/invariants.h"
#include "tests/support/state_text.h"

namespace assay::sim {
namespace {

constexpr Duration kTurnEvery{5};

}  // namespace

SimBroker::SimBroker(World& world, Checker& checker) : world_(world), checker_(checker) {
  // In trouble losses are the rule; in some runs tasks die of them.
  options_.quarantine_losses = static_cast<std::uint32_t>(world.dice().between(2, 8));
  options_.owner_tasks_max =
      world.dice().chance(0.2) ? static_cast<std::uint64_t>(world.dice().between(10, 40)) : 0;
  // A client submits up to ten tasks at once.
  options_.client_tasks_max =
      world.dice().chance(0.2) ? static_cast<std::uint64_t>(world.dice().between(10, 20)) : 0;
  options_.losses_max =
      world.dice().chance(0.3) ? static_cast<std::uint32_t>(world.dice().between(1, 3)) : 1000;
  for (int i = 0; i < world.options().clients; ++i) {
    if (!world.dice().chance(world.options().quota)) continue;
    options_.owners[OwnerName("owner" + std::to_string(i))] = {
        .weight = static_cast<std::uint32_t>(world.dice().between(1, 5)),
        .running_cost_max = static_cast<std::uint32_t>(world.dice().between(1, 6))};
  }
  if (world.options().schedules) {
    for (const char* line : {"* * * * *", "*/7 * * * *"}) {
      core::Schedule schedule;
      schedule.line = line;
      schedule.cron = *core::Cron::parse(line);
      schedule.task.queue = QueueName("eval");
      schedule.task.owner = OwnerName("clock");
      schedule.task.body = std::string("by the clock: ") + line;
      options_.schedules["every " + std::string(line)] = std::move(schedule);
    }
  }
  wall_ = wall_told_at_ = world.now();
  start();
  every_second();
}

void SimBroker::pass_wall_time() {
  // In peace the wall runs like everything else.
  wall_ += (world_.now() - wall_told_at_) * (world_.healed() ? 1 : world_.options().wall_speed);
  wall_told_at_ = world_.now();
}

core::PeerId SimBroker::connect(core::Door door, Receiver receive) {
  const core::PeerId peer{++peers_};
  links_[peer] = {door, std::move(receive)};
  return peer;
}

void SimBroker::send(core::PeerId peer, Message message) {
  world_.carry([this, peer, message = std::move(message)] {
    const auto link = links_.find(peer);
    if (link == links_.end() || !core_) return;
    inbox_.push_back({peer, link->second.door, message});
  });
}

void SimBroker::start() {
  if (!world_.healed() && lives_ > 0 && world_.dice().chance(world_.options().clock_jumps)) {
    clock_offset_ = world_.dice().delay(Duration(-20'000), Duration(20'000));
    world_.mark("clock jumped");
  }
  core_ = std::make_unique<core::BrokerCore>(options_);
  Status status = disk_.replay([&](const core::Record& record, core::Location blob) {
    return core_->recover(record, blob);
  });
  if (!status.is_ok()) return world_.fail("recovery: " + status.to_string());
  core::Effects effects;
  core_->start(now(), {QueueName("eval"), QueueName("build")}, effects);
  store(effects);
  const std::uint64_t life = ++lives_;
  std::function<void()> tick = [this, life] {
    if (core_ && life == lives_) turn();
  };
  world_.after(kTurnEvery, tick);
}

void SimBroker::crash() {
  world_.mark("broker crashed");
  checker_.on_schedules_held_up();
  core_.reset();
  disk_.crash();
  inbox_.clear();
  world_.after(world_.dice().delay(Duration(10), Duration(5000)), [this] { start(); });
}

// What a schedule submits is refused like anybody's: while it is quarantined, and while its owner
// has as many tasks as he may. Then its due times wait, and those that were missed make one task.
bool SimBroker::schedules_may_wait() const {
  const core::State& state = core_->state();
  if (!state.quarantines().empty()) return true;
  std::size_t theirs = options_.schedules.size();  // each may be due in this turn
  state.tasks().for_each([&](core::TaskIndex index) {
    const core::Task& task = state.tasks().at(index);
    if (!is_ended(task.state) && state.owner(task.owner) == OwnerName("clock")) ++theirs;
  });
  return theirs > options_.owner_tasks_max;
}

void SimBroker::turn() {
  core::Effects effects;
  const auto look_at_schedules = [this] {
    if (schedules_may_wait()) checker_.on_schedules_held_up();
  };
  look_at_schedules();
  for (core::FromPeer& message : inbox_) core_->step({now(), std::move(message)}, effects);
  inbox_.clear();
  look_at_schedules();
  pass_wall_time();
  core_->step({now(), core::Tick{.wall = wall_}}, effects);
  look_at_schedules();
  for (const std::string& sentence : core::check_now(*core_)) world_.fail(sentence);

  const bool dies = !world_.healed() && world_.dice().chance(world_.options().broker_crash);
  const std::uint64_t where = dies ? world_.dice().below(3) : 3;
  if (where == 0) return crash();  // before anything is written
  if (!world_.healed() && !effects.append.empty() &&
      world_.dice().chance(world_.options().disk_fails)) {
    world_.mark("a write failed");
    return crash();
  }
  store(effects);
  if (where == 1) return crash();  // all is durable and nobody knows
  for (core::Outbound& outbound : effects.send) {
    if (where == 2 && world_.dice().chance(0.5)) return crash();
    deliver(outbound);
  }
  core_->on_turn_over();
  compact();
  for (core::PeerId peer : effects.forget) {
    if (world_.dice().chance(0.5)) links_.erase(peer);
  }
  const std::uint64_t life = lives_;
  world_.after(kTurnEvery, [this, life] {
    if (core_ && life == lives_) turn();
  });
}

void SimBroker::store(core::Effects& effects) {
  for (core::Append& append : effects.append) {
    if (append.blob_of != core::kNoTask)
      append.blob = disk_.read(core_->state().tasks().at(append.blob_of).blob);
    checker_.on_durable(append.record, append.blob, wall_);
    const bool has_blob = !append.blob.empty();
    const core::Location where = disk_.append(append.record, std::move(append.blob));
    if (has_blob) core_->on_stored(append, where);
  }
  if (world_.dice().chance(world_.options().compaction)) compare_with_a_recovery();
}

// What is durable must give back the state that the broker has now.
void SimBroker::compare_with_a_recovery() {
  core::State recovered(options_);
  const Status status = disk_.replay([&](const core::Record& record, core::Location blob) {
    return recovered.apply(record, blob).status();
  });
  if (!status.is_ok()) return world_.fail("recovery: " + status.to_string());
  const auto read = [this](core::Location blob) { return disk_.read(blob); };
  const std::string differs = testing::difference(testing::describe_state(core_->state(), read),
                                                  testing::describe_state(recovered, read));
  if (!differs.empty()) world_.fail("a recovery gives another state than there was\n" + differs);
}

void SimBroker::compact() {
  Dice& dice = world_.dice();
  if (disk_.is_compacting()) {
    if (disk_.move_blobs(*core_, static_cast<std::size_t>(dice.between(0, 20)))) {
      world_.mark("compacted");
      compare_with_a_recovery();
    }
  } else if (dice.chance(world_.options().compaction) && disk_.records_since_checkpoint() > 0) {
    const auto through = 1 + dice.below(disk_.records_since_checkpoint());
    const Status status = disk_.begin_checkpoint(options_, through);
    if (!status.is_ok()) world_.fail("compaction: " + status.to_string());
  }
}

void SimBroker::deliver(core::Outbound& outbound) {
  const auto blob_of = [&](core::TaskIndex task) {
    if (task == core::kNoTask) return std::string();
    return disk_.read(core_->state().tasks().at(task).blob);
  };
  if (auto* tasks = std::get_if<Tasks>(&outbound.message)) {
    for (std::size_t i = 0; i < tasks->tasks.size(); ++i) {
      tasks->tasks[i].body = blob_of(outbound.blobs[i]);
      for (std::size_t j = 0; j < outbound.inputs[i].size(); ++j) {
        tasks->tasks[i].inputs[j].result = blob_of(outbound.inputs[i][j]);
      }
      checker_.on_dispatched(tasks->tasks[i]);
    }
  }
  if (auto* results = std::get_if<Results>(&outbound.message)) {
    for (std::size_t i = 0; i < results->results.size(); ++i)
      results->results[i].result = blob_of(outbound.blobs[i]);
  }
  world_.carry([this, to = outbound.to, message = std::move(outbound.message)] {
    const auto link = links_.find(to);
    if (link != links_.end()) link->second.receive(message);
  });
}

void SimBroker::every_second() {
  if (!world_.healed() && world_.dice().chance(world_.options().partition)) {
    world_.mark("partitioned");
    world_.partition_until(world_.now() + world_.dice().delay(Duration(500), Duration(15'000)));
  }
  if (core_) {
    const bool accepts = world_.healed() || !world_.dice().chance(world_.options().refuses_new);
    core_->set_accepting(accepts);
    if (!accepts) checker_.on_schedules_held_up();
  }
  if (!world_.healed() && world_.dice().chance(world_.options().wall_jumps)) {
    const auto far = Duration(static_cast<std::int64_t>(world_.dice().below(600'000)));
    wall_ += world_.dice().chance(0.5) ? far : -far;
    checker_.on_schedules_held_up();
    world_.mark("wall clock jumped");
  }
  world_.after(Duration(1000), [this] { every_second(); });
}

}  // namespace assay::sim
