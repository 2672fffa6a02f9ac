#include "tests/unit/history/record_stream.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <utility>

#include "broker/core/broker_core.h"
#include "broker/history/limits.h"
#include "broker/journal/record_codec.h"

namespace assay::history::testing {
namespace {

constexpr core::PeerId kClient{1};
constexpr std::uint64_t kWorkers = 3;

class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed), core_(options()) {}

  Stream live(int turns) {
    core::Effects effects;
    core_.start(now_, {QueueName("eval"), QueueName("build")}, effects);
    settle(effects);
    for (int i = 0; i < turns; ++i) turn();
    return std::move(stream_);
  }

 private:
  struct Held {
    core::PeerId peer;
    HeldAttempt attempt;
  };

  // Few ended tasks are remembered, so that ids are used again.
  static core::CoreOptions options(bool by_the_clock = true) {
    core::CoreOptions options{.losses_max = 1, .quarantine_losses = 1, .ended_tasks_kept_max = 40};
    if (by_the_clock) {
      core::Schedule hourly{.line = "0 * * * *", .cron = *core::Cron::parse("0 * * * *")};
      hourly.task.queue = QueueName("eval");
      hourly.task.owner = OwnerName("clock");
      options.schedules["hourly"] = std::move(hourly);
    }
    return options;
  }

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  void turn() {
    core::Effects effects;
    now_ += Duration(one_in(50) ? 40'000'000 : below(3000));
    say(effects, kClient, core::Door::kClients, ClientHello{});
    for (std::uint64_t i = 0; i < kWorkers; ++i) worker(effects, core::PeerId{10 + i});
    for (std::uint64_t i = below(4); i > 0; --i) submit(effects);
    if (one_in(4)) cancel(effects);
    if (one_in(3)) settle_dead(effects);
    if (one_in(10)) {
      const Operation operation = one_in(2) ? Operation::kPauseQueue : Operation::kResumeQueue;
      say(effects, kClient, core::Door::kClients,
          Operate{.request = 4, .operation = operation, .target = "build"});
    }
    if (one_in(20)) {
      const Operation operation = one_in(2) ? Operation::kPin : Operation::kUnpin;
      say(effects, kClient, core::Door::kClients,
          Operate{.request = 5, .operation = operation, .ids = {task_id(below(ids_ + 1))}});
    }
    if (one_in(20) && !core_.state().quarantines().empty()) {
      say(effects, kClient, core::Door::kClients,
          Operate{.request = 6,
                  .operation = Operation::kReleaseQuarantine,
                  .target = core_.state().quarantines().begin()->first});
    }
    const std::vector<Held> held = std::exchange(held_, {});
    for (const Held& each : held) one_in(3) ? report(effects, each) : held_.push_back(each);
    if (one_in(100)) core_.set_rules(options(one_in(2)), now_, effects);
    core_.step({now_, core::Tick{.wall = now_}}, effects);
    settle(effects);
  }

  void say(core::Effects& effects, core::PeerId peer, core::Door door, Message message) {
    core_.step({now_, core::FromPeer{peer, door, std::move(message)}}, effects);
  }

  void worker(core::Effects& effects, core::PeerId peer) {
    if (one_in(10)) return;  // silent for a turn; when time leaps it loses all
    std::vector<HeldAttempt> holding;
    for (const Held& each : held_)
      if (each.peer == peer) holding.push_back(each.attempt);
    if (core_.sessions().workers().contains(peer)) {
      if (one_in(30)) return say(effects, peer, core::Door::kWorkers, Goodbye{});
      return say(effects, peer, core::Door::kWorkers, Heartbeat{.slots = 4, .holding = holding});
    }
    say(effects, peer, core::Door::kWorkers,
        WorkerHello{.name = WorkerName("w" + std::to_string(peer.number)),
                    .queues = {QueueName("eval"), QueueName("build"), QueueName("report")},
                    .slots = 4,
                    .holding = holding});
  }

  void submit(core::Effects& effects) {
    TaskSpec task;
    task.id = task_id(one_in(10) ? below(ids_ + 1) : ids_++);
    task.queue = QueueName(one_in(2) ? "eval" : "build");
    task.owner = OwnerName("owner" + std::to_string(below(4)));
    task.priority = static_cast<std::uint8_t>(below(10));
    task.max_attempts = static_cast<std::uint32_t>(1 + below(3));
    if (one_in(2)) task.labels["run"] = "r" + std::to_string(below(3));
    if (one_in(4)) task.labels["model"] = "caf\xc3\xa9 \"" + std::to_string(below(2)) + "\"";
    task.body = std::string(one_in(2) ? 0 : below(10), 'b');
    if (one_in(8)) task.not_before = now_ + Duration(below(4000));
    if (one_in(6) && ids_ > 5) task.after = {task_id(ids_ - 2 - below(3))};
    if (one_in(5)) {
      task.cache_key = "work " + std::to_string(below(3));
      task.cache_ttl = Duration(60'000);
    }
    if (one_in(2)) task.on_failure = OnFailure::kRun;
    say(effects, kClient, core::Door::kClients, Submit{.request = 1, .tasks = {task}});
  }

  // Those that nothing comes after: how another life and its dependents go together is the core's
  // business, and tested there.
  void settle_dead(core::Effects& effects) {
    std::vector<TaskId> dead;
    core_.state().tasks().for_each([&](core::TaskIndex index) {
      const core::Task& task = core_.state().tasks().at(index);
      const bool is_alone = !task.details || task.details->dependents.empty();
      if (task.state == TaskState::kDead && is_alone) dead.push_back(task.id);
    });
    if (dead.empty()) return;
    std::sort(dead.begin(), dead.end());
    const Operation operation = one_in(3) ? Operation::kDropDead : Operation::kRetryDead;
    say(effects, kClient, core::Door::kClients,
        Operate{.request = 3, .operation = operation, .ids = {dead[below(dead.size())]}});
  }

  void cancel(core::Effects& effects) {
    say(effects, kClient, core::Door::kClients,
        Cancel{.request = 2, .ids = {task_id(below(ids_ + 1))}, .reason = "not needed"});
  }

  void report(core::Effects& effects, const Held& held) {
    constexpr Outcome kOutcomes[] = {Outcome::kSucceeded, Outcome::kSucceeded, Outcome::kFailed,
                                     Outcome::kRetry,     Outcome::kSnooze,    Outcome::kHandOver,
                                     Outcome::kCancelled};
    TaskReport report{.id = held.attempt.id, .attempt = held.attempt.attempt};
    report.outcome = kOutcomes[below(std::size(kOutcomes))];
    if (report.outcome != Outcome::kSucceeded) {
      report.cause = static_cast<Cause>(below(5));
      report.reason = "reason " + std::to_string(below(9));
      report.delay = Duration(one_in(2) ? below(5000) : 0);
    }
    report.result = std::string(one_in(40) ? kResultBytesKeptMax + below(3) : below(200), 'r');
    say(effects, held.peer, core::Door::kWorkers, Report{{report}});
  }

  // As the loop fills it in: a task that ends as another did gets a copy of that one's result.
  std::string blob_of(const core::Append& append) {
    if (append.blob_of == core::kNoTask) {
      if (append.task != core::kNoTask) blobs_[append.task] = append.blob;
      return append.blob;
    }
    return blobs_[append.task] = blobs_.at(append.blob_of);
  }

  void settle(core::Effects& effects) {
    for (const core::Outbound& outbound : effects.send) {
      const auto* tasks = std::get_if<Tasks>(&outbound.message);
      if (tasks == nullptr) continue;
      for (const TaskAssignment& task : tasks->tasks)
        held_.push_back({outbound.to, {task.id, task.attempt}});
    }
    core_.on_turn_over();
    if (effects.append.empty()) return;
    sequence_ += one_in(8) ? 2 : 1;
    StoredBatch batch{.sequence = sequence_, .records = {}};
    for (core::Append& append : effects.append)
      batch.records.push_back(stored(std::move(append.record), blob_of(append)));
    stream_.push_back(std::move(batch));
  }

  std::mt19937_64 random_;
  core::BrokerCore core_;
  Time now_ = kStart;
  std::uint64_t ids_ = 0;
  std::uint64_t sequence_ = 0;
  std::vector<Held> held_;
  std::map<core::TaskIndex, std::string> blobs_;  // the latest of each task
  Stream stream_;
};

}  // namespace

std::vector<journal::Entry> StoredBatch::as_offered() const {
  std::vector<journal::Entry> entries;
  for (const StoredRecord& each : records) entries.push_back({each.head, each.blob});
  return entries;
}

std::vector<EntryBytes> StoredBatch::as_read() const {
  std::vector<EntryBytes> entries;
  for (const StoredRecord& each : records)
    entries.push_back({each.head, each.blob, each.blob.size()});
  return entries;
}

Stream random_stream(std::uint64_t seed, int turns) {
  return RandomLife(seed).live(turns);
}

Result<std::uint64_t> tell(const Stream& stream, std::uint64_t after, std::uint64_t through,
                           const BatchVisitor& visit) {
  for (const StoredBatch& batch : stream) {
    if (batch.sequence <= after || batch.sequence > through) continue;
    if (Status status = visit(batch.sequence, batch.as_read()); !status.is_ok()) return status;
  }
  return std::uint64_t{0};
}

StoredRecord stored(core::Record record, std::string blob) {
  StoredRecord result{.record = std::move(record), .head = {}, .blob = std::move(blob)};
  journal::encode_record(result.record, result.head);
  return result;
}

TaskId task_id(std::uint64_t number) {
  TaskId id;
  for (std::size_t i = 16; i > 8; --i, number >>= 8)
    id.bytes[i - 1] = static_cast<std::uint8_t>(number);
  id.bytes[0] = 1;
  return id;
}

}  // namespace assay::history::testing
