#include "tests/sim/sim_peers.h"

namespace assay::sim {

SimClient::SimClient(World& world, Checker& checker, SimBroker& broker, int number, int tasks)
    : world_(world), checker_(checker), broker_(broker), number_(number) {
  make_tasks(tasks);
  connect();
  every_second();
}

void SimClient::make_tasks(int count) {
  for (int i = 0; i < count; ++i) {
    TaskSpec task;
    const std::uint64_t chance = world_.dice().next();
    for (std::size_t byte = 8; byte < 16; ++byte) {
      task.id.bytes[byte] = static_cast<std::uint8_t>(chance >> (8 * (byte - 8)));
    }
    task.queue = QueueName(world_.dice().chance(0.8) ? "eval" : "build");
    task.owner = OwnerName("owner" + std::to_string(number_));
    task.priority = static_cast<std::uint8_t>(world_.dice().below(10));
    task.max_attempts = static_cast<std::uint32_t>(world_.dice().between(1, 4));
    task.body = body_of(task.id);
    ask_for_more(task);
    unsubmitted_.push_back(std::move(task));
  }
}

// What the scheduler must heed, each in some of the tasks.
void SimClient::ask_for_more(TaskSpec& task) {
  Dice& dice = world_.dice();
  if (!unsubmitted_.empty() && dice.chance(world_.options().dependencies)) {
    task.after.push_back(unsubmitted_[dice.below(unsubmitted_.size())].id);
    if (dice.chance(0.3)) task.after.push_back(unsubmitted_.back().id);
    task.on_failure = dice.chance(0.5) ? OnFailure::kCancel : OnFailure::kRun;
  }
  if (dice.chance(world_.options().times))
    task.not_before = world_.now() + dice.delay(Duration(0), Duration(60'000));
  if (dice.chance(world_.options().times)) task.timeout = dice.delay(Duration(100), Duration(8000));
  if (dice.chance(world_.options().times * 0.3)) {
    task.deadline = world_.now() + dice.delay(Duration(200'000), Duration(400'000));
  }
  if (dice.chance(0.2)) task.cost = static_cast<std::uint32_t>(dice.between(1, 5));
  if (dice.chance(world_.options().shared_work)) {
    task.cache_key = "work " + std::to_string(dice.below(3));
    if (dice.chance(0.5)) task.cache_ttl = dice.delay(Duration(0), Duration(60'000));
  }
  if (dice.chance(world_.options().poison)) task.labels["image_digest"] = "poison";
  if (dice.chance(world_.options().requirements))
    task.require["kind"] = dice.chance(0.5) ? "a" : "b";
}

void SimClient::connect() {
  broker_.disconnect(peer_);
  const int number = number_;
  peer_ =
      broker_.connect(core::Door::kClients, [this](const Message& message) { receive(message); });
  greeted_ = false;
  heard_ = world_.now();
  broker_.send(peer_, ClientHello{.name = "client" + std::to_string(number)});
}

void SimClient::receive(const Message& message) {
  heard_ = world_.now();
  if (std::holds_alternative<Welcome>(message)) {
    greeted_ = true;
    if (pending_) broker_.send(peer_, *pending_);
    if (!waiting_.empty()) {
      broker_.send(peer_, Await{.request = ++requests_, .ids = {waiting_.begin(), waiting_.end()}});
    }
  } else if (const auto* error = std::get_if<Error>(&message)) {
    on(*error);
  } else if (const auto* list = std::get_if<QuarantineList>(&message)) {
    for (const QuarantineInfo& quarantine : list->quarantines) {
      if (quarantine.held > 0) world_.mark("held");
      broker_.send(peer_, Operate{.request = ++requests_,
                                  .operation = Operation::kReleaseQuarantine,
                                  .target = quarantine.key});
    }
  } else if (const auto* submitted = std::get_if<Submitted>(&message)) {
    if (!pending_ || submitted->request != pending_->request) return;  // of an earlier try
    checker_.on_acknowledged(*pending_);
    Await await{.request = ++requests_};
    for (const TaskSpec& task : pending_->tasks) {
      waiting_.insert(task.id);
      await.ids.push_back(task.id);
    }
    pending_.reset();
    broker_.send(peer_, std::move(await));
  } else if (const auto* results = std::get_if<Results>(&message)) {
    for (const TaskResult& result : results->results) {
      checker_.on_result(result);
      waiting_.erase(result.id);
    }
    if (!results->unknown.empty()) world_.fail("an acknowledged task is unknown to the broker");
  }
}

void SimClient::on(const Error& error) {
  if (error.reason == "hello_first") {
    broker_.send(peer_, ClientHello{.name = "again"});
    return;
  }
  if (!pending_ || error.request != pending_->request) return;
  if (error.reason == "quarantined" || error.reason.ends_with("_full")) {
    world_.mark("refused " + error.reason);
  } else if (error.code != Code::kRetryLater) {
    world_.fail("a submit was refused: " + error.reason + ": " + error.message);
  }
  if (error.code == Code::kRetryLater && error.retry_after <= Duration(0))
    world_.fail("a refusal for now does not say for how long: " + error.reason);
}

void SimClient::submit_more() {
  if (pending_ || unsubmitted_.empty()) return;
  pending_ = Submit{.request = ++requests_};
  for (std::int64_t count = world_.dice().between(1, 10); count > 0 && !unsubmitted_.empty();
       --count) {
    pending_->tasks.push_back(std::move(unsubmitted_.front()));
    unsubmitted_.pop_front();
  }
}

void SimClient::every_second() {
  const bool cut = !world_.healed() && world_.dice().chance(world_.options().cut);
  if (cut || world_.now() - heard_ > Duration(5000)) {
    connect();
  } else if (!greeted_) {
    broker_.send(peer_, ClientHello{.name = "client"});
  } else {
    submit_more();
    if (pending_) broker_.send(peer_, *pending_);  // again, if it was sent before
    if (!waiting_.empty() && world_.dice().chance(0.2)) {
      broker_.send(peer_, Await{.request = ++requests_, .ids = {waiting_.begin(), waiting_.end()}});
    }
    if (!waiting_.empty() && world_.dice().chance(world_.options().cancel)) {
      auto task = waiting_.begin();
      std::advance(task, static_cast<std::ptrdiff_t>(world_.dice().below(waiting_.size())));
      broker_.send(peer_,
                   Cancel{.request = ++requests_, .ids = {*task}, .reason = "a change of mind"});
    }
    // The operator: in trouble now and then, in peace until nothing is held any more.
    if (number_ == 0 && world_.dice().chance(world_.healed() ? 1 : 0.05))
      broker_.send(peer_, QuarantinesRequest{.request = ++requests_});
    broker_.send(peer_, Heartbeat{});
  }
  world_.after(Duration(1000), [this] { every_second(); });
}

}  // namespace assay::sim
