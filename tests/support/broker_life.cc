#include "tests/support/broker_life.h"

#include <utility>

#include "tests/support/state_text.h"

namespace assay::testing {
namespace {

constexpr core::PeerId kClient{1};
constexpr core::PeerId kWorker{2};

TaskId numbered(std::uint64_t number) {
  TaskId id;
  for (std::size_t i = 16; i > 8; --i, number >>= 8)
    id.bytes[i - 1] = static_cast<std::uint8_t>(number);
  id.bytes[0] = 1;
  return id;
}

}  // namespace

BrokerLife::BrokerLife(SimulatedFileSystem& files, std::uint64_t seed)
    : files_(files), random_(seed) {}

// Small files, so that a short life is compacted many times.
net::JournalSettings BrokerLife::settings() {
  return {.directory = "/data",
          .segment_bytes = 4096,
          .compaction_bytes_min = 12'000,
          .compacts_on_own_thread = false};
}

core::CoreOptions BrokerLife::rules() {
  return {.ended_tasks_kept_max = 20};
}

Status BrokerLife::start() {
  storage_.reset();
  core_ = std::make_unique<core::BrokerCore>(rules());
  recovery_ = {};
  auto storage = net::open_journal_storage(files_, settings(), rules(), *core_, recovery_);
  if (!storage.is_ok()) return storage.status();
  storage_ = std::move(*storage);
  // Attempts of an earlier life are lost in time.
  held_.clear();
  now_ += Duration(1000);
  ++lives_;
  return Status::ok();
}

void BrokerLife::say(core::Effects& effects, core::PeerId peer, core::Door door, Message message) {
  core_->step({now_, core::FromPeer{peer, door, std::move(message)}}, effects);
}

void BrokerLife::submit(core::Effects& effects) {
  std::vector<TaskSpec> tasks;
  for (std::uint64_t i = random_() % 4; i > 0; --i) {
    TaskSpec task;
    task.id = numbered(ids_++);
    task.queue = QueueName(random_() % 2 == 0 ? "eval" : "build");
    task.owner = OwnerName("owner" + std::to_string(random_() % 3));
    task.body = std::string(random_() % 200, static_cast<char>('a' + ids_ % 26));
    if (random_() % 4 == 0) task.labels["run"] = "r" + std::to_string(random_() % 3);
    if (random_() % 5 == 0 && ids_ > 4) task.after = {numbered(ids_ - 2 - random_() % 3)};
    if (random_() % 6 == 0) task.cache_key = "key" + std::to_string(random_() % 4);
    tasks.push_back(std::move(task));
  }
  for (TaskSpec& task : tasks) {
    say(effects, kClient, core::Door::kClients, Submit{.request = 1, .tasks = {std::move(task)}});
  }
}

void BrokerLife::report(core::Effects& effects) {
  std::vector<HeldAttempt> kept;
  for (const HeldAttempt& held : std::exchange(held_, {})) {
    if (random_() % 2 == 0) {
      kept.push_back(held);
      continue;
    }
    TaskReport report{.id = held.id, .attempt = held.attempt};
    report.outcome = random_() % 5 == 0 ? Outcome::kFailed : Outcome::kSucceeded;
    report.result = std::string(random_() % 200, 'r');
    say(effects, kWorker, core::Door::kWorkers, Report{{std::move(report)}});
  }
  held_.insert(held_.begin(), kept.begin(), kept.end());
}

Status BrokerLife::turn() {
  core::Effects effects;
  now_ += Duration(100);
  if (core_->sessions().workers().empty()) {
    core_->start(now_, {QueueName("eval"), QueueName("build")}, effects);
    say(effects, kClient, core::Door::kClients, ClientHello{});
    // Another name each time: what an earlier life held is nobody's, and lost in time.
    say(effects, kWorker, core::Door::kWorkers,
        WorkerHello{.name = WorkerName("w" + std::to_string(lives_)),
                    .queues = {QueueName("eval"), QueueName("build")},
                    .slots = 6});
  } else {
    say(effects, kClient, core::Door::kClients, Heartbeat{});
    say(effects, kWorker, core::Door::kWorkers, Heartbeat{.slots = 6, .holding = held_});
  }
  submit(effects);
  report(effects);
  core_->step({now_, core::Tick{.wall = now_}}, effects);
  return settle(effects);
}

Status BrokerLife::settle(core::Effects& effects) {
  for (core::Append& append : effects.append) {
    if (append.blob_of == core::kNoTask) continue;
    auto blob = storage_->read(core_->state().tasks().at(append.blob_of).blob);
    if (!blob.is_ok()) return blob.status();
    append.blob = std::move(*blob);
  }
  Status status = storage_->store(effects.append, *core_);
  if (!status.is_ok()) return status;
  on_stored();
  for (const core::Outbound& outbound : effects.send) {
    const auto* tasks = std::get_if<Tasks>(&outbound.message);
    if (tasks == nullptr) continue;
    for (const TaskAssignment& task : tasks->tasks) held_.push_back({task.id, task.attempt});
  }
  core_->on_turn_over();
  return storage_->between_turns(*core_).status();
}

std::string BrokerLife::state() {
  return describe_state(core_->state(), [this](core::Location where) {
    auto blob = storage_->read(where);
    if (!blob.is_ok() && unreadable_.is_ok()) unreadable_ = blob.status();
    return blob.is_ok() ? *blob : blob.status().to_string();
  });
}

}  // namespace assay::testing
