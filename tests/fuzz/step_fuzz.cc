// Any order of any messages, from any peer, at any time, into the broker's core. Half of them are
// whatever the decoder makes of the bytes; the others are about few tasks, queues, owners and
// workers, so that they meet. After every turn all invariants hold; at the end a recovery from what
// was recorded, and a checkpoint of it, give the state that there was.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/core/checkpoint.h"
#include "broker/core/invariants.h"
#include "broker/journal/record_codec.h"
#include "sdk/wire/codec.h"
#include "tests/support/state_text.h"

namespace assay {
namespace {

constexpr std::size_t kTurnsMax = 200;

TaskId numbered(std::uint8_t number) {
  TaskId id;
  id.bytes[0] = 1;
  id.bytes[15] = number;
  return id;
}

class Life {
 public:
  explicit Life(FuzzedDataProvider& data) : data_(data), core_(rules()) {}

  void live() {
    core::Effects effects;
    core_.start(now_, {QueueName("eval"), QueueName("build")}, effects);
    settle(effects);
    for (std::size_t i = 0; i < kTurnsMax && data_.remaining_bytes() > 0; ++i) turn();
    compare_with_a_recovery();
  }

 private:
  struct Stored {
    core::Record record;
    std::string blob;
  };

  static core::CoreOptions rules() {
    core::CoreOptions rules{.lease = Duration(2000),
                            .adoption_grace = Duration(2000),
                            .client_silence = Duration(5000),
                            .losses_max = 3,
                            .quarantine_losses = 2,
                            .queue_tasks_max = 40,
                            .queue_bytes_max = 2000,
                            .owner_tasks_max = 30,
                            .ended_tasks_kept_max = 10,
                            .events_kept_max = 50};
    rules.owners[OwnerName("o1")] = {.weight = 3, .running_cost_max = 4};
    rules.queues[QueueName("build")] = {
        .tasks_max = 10, .bytes_max = std::nullopt, .owner_running_cost_max = 2};
    return rules;
  }

  bool flip() { return data_.ConsumeBool(); }
  std::uint64_t below(std::uint64_t end) {
    return data_.ConsumeIntegralInRange<std::uint64_t>(0, end - 1);
  }
  TaskId id() { return numbered(static_cast<std::uint8_t>(below(16))); }
  QueueName queue() { return QueueName(below(8) == 0 ? "new" : flip() ? "eval" : "build"); }
  std::string text() { return data_.ConsumeRandomLengthString(40); }
  Duration duration() { return Duration(data_.ConsumeIntegralInRange<int>(-100, 5000)); }
  HeldAttempt held() { return {id(), {static_cast<std::uint32_t>(below(5))}}; }
  template <typename Make>
  auto some(Make make) {
    std::vector<decltype(make())> made;
    for (std::uint64_t i = below(4); i > 0; --i) made.push_back(make());
    return made;
  }

  TaskSpec task() {
    TaskSpec task{.id = id(), .queue = queue(), .owner = OwnerName("o" + std::to_string(below(3)))};
    task.priority = static_cast<std::uint8_t>(below(12));
    task.max_attempts = static_cast<std::uint32_t>(below(4));
    task.body = text();
    task.after = some([this] { return id(); });
    task.on_failure = flip() ? OnFailure::kRun : OnFailure::kCancel;
    if (flip()) task.not_before = now_ + duration();
    if (flip()) task.deadline = now_ + duration();
    if (flip()) task.timeout = duration();
    task.backoff_first = duration();
    task.cost = static_cast<std::uint32_t>(below(4));
    if (flip()) task.require["gpu"] = flip() ? "a100" : "h100";
    if (flip()) task.cache_key = flip() ? "k1" : "k2";
    task.cache_ttl = duration();
    if (flip()) task.artifacts = {std::string(64, 'a')};
    return task;
  }

  TaskReport report() {
    const HeldAttempt about = held();
    TaskReport report{.id = about.id, .attempt = about.attempt};
    report.outcome = static_cast<Outcome>(below(7));
    report.cause = static_cast<Cause>(below(6));
    report.reason = text();
    report.delay = duration();
    report.result = text();
    return report;
  }

  Message message() {
    switch (below(12)) {
      case 0:
        return ClientHello{};
      case 1:
        return WorkerHello{.name = WorkerName("w" + std::to_string(below(3))),
                           .queues = some([this] { return queue(); }),
                           .slots = static_cast<std::uint32_t>(below(5)),
                           .holding = some([this] { return held(); })};
      case 2:
      case 3:
        return Submit{.request = 1, .tasks = some([this] { return task(); })};
      case 4:
        return Await{.request = 2, .ids = some([this] { return id(); }), .follow = flip()};
      case 5:
        return Cancel{
            .request = 3, .ids = some([this] { return id(); }), .with_dependents = flip()};
      case 6:
      case 7:
        return Report{some([this] { return report(); })};
      case 8:
        return Heartbeat{.slots = static_cast<std::uint32_t>(below(5)),
                         .holding = some([this] { return held(); })};
      case 9:
        return Operate{.request = 4,
                       .operation = static_cast<Operation>(below(11)),
                       .target = flip() ? queue().value : text(),
                       .ids = some([this] { return id(); })};
      case 10:
        return ExplainRequest{.request = 5};
      default:
        return Goodbye{};
    }
  }

  // What the decoder makes of the bytes.
  std::optional<Message> decoded() {
    const std::string header = data_.ConsumeBytesAsString(wire::kHeaderBytes);
    const std::string payload = data_.ConsumeRandomLengthString(2000);
    auto message = wire::decode(header, payload);
    if (!message.is_ok()) return std::nullopt;
    return std::move(*message);
  }

  void turn() {
    core::Effects effects;
    for (std::uint64_t i = below(4); i > 0; --i) {
      const core::PeerId peer{1 + below(4)};
      if (below(16) == 0) {
        core_.step({now_, core::PeerGone{peer}}, effects);
        continue;
      }
      std::optional<Message> said = flip() ? message() : decoded();
      if (!said) continue;
      const core::Door door = flip() ? core::Door::kClients : core::Door::kWorkers;
      core_.step({now_, core::FromPeer{peer, door, std::move(*said)}}, effects);
    }
    now_ += duration();
    core_.step({now_, core::Tick{.all_heard = flip(), .wall = now_}}, effects);
    for (const std::string& wrong : core::check_now(core_)) {
      std::fprintf(stderr, "%s\n", wrong.c_str());
      std::abort();
    }
    settle(effects);
  }

  void settle(core::Effects& effects) {
    for (core::Append& append : effects.append) {
      if (append.blob_of != core::kNoTask)
        append.blob = read(core_.state().tasks().at(append.blob_of).blob);
      const core::Location where{1, static_cast<std::uint32_t>(disk_.size()),
                                 static_cast<std::uint32_t>(append.blob.size())};
      disk_.push_back({append.record, append.blob});
      if (!append.blob.empty()) core_.on_stored(append, where);
    }
    for (const core::Outbound& outbound : effects.send) {
      const wire::Frames frames = wire::encode(outbound.message);
      ASSAY_ASSERT(wire::decode(frames.header, frames.payload).is_ok());
    }
    was_ = testing::describe_state(core_.state(), [this](core::Location at) { return read(at); });
    core_.on_turn_over();
  }

  std::string read(core::Location at) const {
    return at.length == 0 ? std::string() : disk_.at(at.offset).blob;
  }

  void compare_with_a_recovery() {
    core::State state(rules());
    for (std::size_t i = 0; i < disk_.size(); ++i) {
      apply(state, disk_[i].record,
            {1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(disk_[i].blob.size())});
    }
    expect_same(state);
    core::State again(rules());
    const Status status =
        core::write_checkpoint(state, [&](core::Record&& record, core::Location blob) {
          apply(again, record, blob);
          return Status::ok();
        });
    ASSAY_ASSERT(status.is_ok());
    expect_same(again);
  }
  static void apply(core::State& state, const core::Record& record, core::Location blob) {
    std::string bytes;
    journal::encode_record(record, bytes);
    const auto decoded = journal::decode_record(bytes);
    ASSAY_ASSERT(decoded.is_ok());
    const auto applied = state.apply(*decoded, blob);
    if (applied.is_ok()) return;
    std::fprintf(stderr, "%s\n", applied.status().to_string().c_str());
    std::abort();
  }
  void expect_same(const core::State& state) {
    const std::string differs = testing::difference(
        was_, testing::describe_state(state, [this](core::Location at) { return read(at); }));
    if (differs.empty()) return;
    std::fprintf(stderr, "%s\n", differs.c_str());
    std::abort();
  }

  FuzzedDataProvider& data_;
  core::BrokerCore core_;
  Time now_{std::chrono::hours(24 * 365 * 50)};
  std::vector<Stored> disk_;
  std::string was_;  // the state when all was stored
};

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  assay::Life(provider).live();
  return 0;
}
