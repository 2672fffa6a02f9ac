#include "broker/net/loop.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "sdk/log/structured_log.h"

namespace assay::net {
namespace {

// Messages taken in one turn: enough that one flush serves many, few enough that nobody waits long.
constexpr int kMessagesPerTurn = 512;
// What they may ask to be written and sent before the turn is ended early: far below what one batch
// of the journal takes. Some thousand records share a flush well, and still lie in the processor's
// cache when they are encoded, written and told.
constexpr std::size_t kRecordsPerTurn = 4096;
constexpr std::size_t kBlobBytesPerTurn = 64 << 20;
constexpr std::size_t kReadBackPerTurn = 64 << 20;
// Waking a sleeping thread costs more than a message: look again for a moment while traffic is
// recent.
constexpr std::chrono::microseconds kSpin{50};
constexpr Duration kForgetStrangersEvery{60'000};
constexpr Duration kSleepMax{1000};

}  // namespace

Loop::Loop(core::BrokerCore& core, Storage& storage, const Clock& clock, int stop_descriptor)
    : core_(core),
      storage_(storage),
      clock_(clock),
      stop_descriptor_(stop_descriptor),
      clients_(context_, core::Door::kClients, numbers_),
      workers_(context_, core::Door::kWorkers, numbers_),
      feed_(context_) {}

Status Loop::run(core::Effects& effects_of_start) {
  effects_ = std::move(effects_of_start);
  Status status = settle();
  while (status.is_ok() && wait())
    status = std::exchange(reload_wanted_, false) ? reload_() : turn();
  failure_ = status;
  if (!status.is_ok()) refuse_until_stopped();
  return status;
}

void Loop::look_at_space() {
  const Status space = storage_.can_accept(core_);
  if (space.reason() == space_.reason()) return;
  space_ = space;
  core_.set_accepting(space.is_ok());
  if (space.is_ok()) {
    log::info("accepting_again", {});
  } else {
    log::warn("not_accepting", {{"reason", space.reason()}, {"message", space.message()}});
  }
}

Status Loop::turn() {
  effects_.clear();
  measured_appends_ = measured_sends_ = turn_bytes_ = turn_bytes_to_read_ = 0;
  if (authenticator_ != nullptr) {
    authenticator_->answer();
    measured_.connections_refused = authenticator_->refused();
  }
  for (const core::PeerId peer : std::exchange(gone_, {}))
    core_.step({clock_.now(), core::PeerGone{peer}}, effects_);
  look_at_space();
  hear_history();
  drain();
  // Heartbeats are traffic that nobody waits for: ten thousand idle workers must not keep the
  // broker awake.
  if (!effects_.append.empty()) spin_until_ = std::chrono::steady_clock::now() + kSpin;
  // Whoever spoke while the broker was busy is heard before silence is looked for.
  core_.step({clock_.now(), core::Tick{.all_heard = drained_, .wall = clock_.wall()}}, effects_);
  wake_at_ = effects_.wake_at;
  Status status = settle();
  if (http_) http_->run();
  return status;
}

void Loop::hear_history() {
  if (history_ == nullptr) return;
  for (core::FromHistory& answer : history_->take_answers())
    core_.step({clock_.now(), std::move(answer)}, effects_);
}

void Loop::drain() {
  drained_ = false;
  for (int i = 0; i < kMessagesPerTurn && !turn_is_full(); ++i) {
    const bool from_client = drain_one(clients_);
    const bool from_worker = drain_one(workers_);
    if (!from_client && !from_worker) {
      drained_ = true;
      break;
    }
  }
}

// The records, bodies and answers of this turn are enough for one flush.
bool Loop::turn_is_full() {
  for (; measured_appends_ < effects_.append.size(); ++measured_appends_) {
    turn_bytes_ += effects_.append[measured_appends_].blob.size();
  }
  for (; measured_sends_ < effects_.send.size(); ++measured_sends_) {
    for (const core::TaskIndex task : effects_.send[measured_sends_].blobs) {
      if (task != core::kNoTask) turn_bytes_to_read_ += core_.state().tasks().at(task).blob.length;
    }
  }
  return effects_.append.size() > kRecordsPerTurn || turn_bytes_ > kBlobBytesPerTurn ||
         turn_bytes_to_read_ > kReadBackPerTurn;
}

bool Loop::drain_one(Router& router) {
  auto received = router.receive();
  if (!received) return false;
  if (const Status* refusal = std::get_if<Status>(&received->what)) {
    ++measured_.rejected[refusal->reason()];
    log::debug("message_rejected",
               {{"reason", refusal->reason()}, {"message", refusal->message()}});
    return true;
  }
  core_.step({clock_.now(),
              core::FromPeer{received->peer, router.door(),
                             std::get<Message>(std::move(received->what)), received->identity}},
             effects_);
  return true;
}

Status Loop::settle() {
  if (!effects_.append.empty()) {
    Status status = fill_copies();
    if (!status.is_ok()) return status;
    status = storage_.store(effects_.append, core_);
    // What was to be said rested on records that may not be there: say nothing, and end.
    if (!status.is_ok()) return status;
  }
  for (core::Outbound& outbound : effects_.send) send(outbound);
  feed_.publish(effects_.publish);
  measured_.dropped_unread = clients_.dropped_unread() + workers_.dropped_unread();
  for (core::Inquiry& inquiry : effects_.ask) {
    ASSAY_ASSERT(history_ != nullptr);  // or why was the core told that there is one?
    history_->ask(std::move(inquiry));
  }
  measure();
  for (core::PeerId peer : effects_.forget) {
    clients_.forget(peer);
    workers_.forget(peer);
  }
  core_.on_turn_over();
  const auto more = storage_.between_turns(core_);
  if (!more.is_ok()) return more.status();
  storage_has_more_to_do_ = *more;
  const Time now = clock_.now();
  if (now >= next_forgetting_) {
    forget_strangers();
    next_forgetting_ = now + kForgetStrangersEvery;
  }
  return Status::ok();
}

// The blobs that are copies of earlier ones.
Status Loop::fill_copies() {
  for (core::Append& append : effects_.append) {
    if (append.blob_of == core::kNoTask) continue;
    auto blob = storage_.read(core_.state().tasks().at(append.blob_of).blob);
    if (!blob.is_ok()) return blob.status();
    append.blob = std::move(*blob);
  }
  return Status::ok();
}

void Loop::send(core::Outbound& outbound) {
  const auto fill = [&](auto& items, auto member) {
    for (std::size_t i = 0; i < outbound.blobs.size(); ++i) {
      if (outbound.blobs[i] == core::kNoTask) continue;
      auto blob = storage_.read(core_.state().tasks().at(outbound.blobs[i]).blob);
      if (!blob.is_ok()) {
        // The message is not sent: its task is given out again, or asked for again, and the log
        // says why.
        log::error("blob_unreadable", {{"task", items[i].id.text()},
                                       {"reason", blob.status().reason()},
                                       {"message", blob.status().message()}});
        return false;
      }
      items[i].*member = std::move(*blob);
    }
    return true;
  };
  bool complete = true;
  if (auto* tasks = std::get_if<Tasks>(&outbound.message))
    complete = fill(tasks->tasks, &TaskAssignment::body);
  if (auto* results = std::get_if<Results>(&outbound.message))
    complete = fill(results->results, &TaskResult::result);
  if (auto* tasks = std::get_if<Tasks>(&outbound.message); tasks != nullptr && complete) {
    for (std::size_t i = 0; i < outbound.inputs.size(); ++i)
      complete = complete && fill_inputs(tasks->tasks[i], outbound.inputs[i]);
  }
  if (!complete) return;
  Router& router = workers_.knows(outbound.to) ? workers_ : clients_;
  // What follows from that is for the next turn: this one's records are written already.
  if (!router.send(outbound.to, outbound.message)) gone_.push_back(outbound.to);
}

bool Loop::fill_inputs(TaskAssignment& task, const std::vector<core::TaskIndex>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == core::kNoTask) continue;
    auto result = storage_.read(core_.state().tasks().at(inputs[i]).blob);
    if (!result.is_ok()) {
      log::error("blob_unreadable", {{"task", task.inputs[i].id.text()},
                                     {"reason", result.status().reason()},
                                     {"message", result.status().message()}});
      return false;
    }
    task.inputs[i].result = std::move(*result);
  }
  return true;
}

void Loop::measure() {
  if (!effects_.append.empty())
    measured_.flush_seconds.observe(storage_.counters().flush_seconds_last);
  for (const core::Append& append : effects_.append) {
    if (append.task == core::kNoTask) continue;
    const core::Task& task = core_.state().tasks().at(append.task);
    if (!task.details || task.details->attempts.empty()) continue;
    const AttemptInfo& attempt = task.details->attempts.back();
    const std::string& queue = core_.state().queue(task.queue).name.value;
    if (std::holds_alternative<core::TaskLeased>(append.record) && attempt.attempt.number == 1) {
      measured_.wait_seconds[queue].observe(
          std::chrono::duration<double>(attempt.started_at - task.submitted_at).count());
    } else if (std::holds_alternative<core::TaskEnded>(append.record)) {
      measured_.duration_seconds[queue].observe(
          std::chrono::duration<double>(task.changed_at - attempt.started_at).count());
    }
  }
}

bool Loop::wait() {
  auto timeout = std::min(kSleepMax, std::max(Duration(0), wake_at_ - clock_.now()));
  if (!gone_.empty() || storage_has_more_to_do_) timeout = Duration(0);
  if (http_) timeout = std::min(timeout, http_->timeout().value_or(kSleepMax));
  if (std::chrono::steady_clock::now() < spin_until_) timeout = Duration(0);
  std::array<zmq::pollitem_t, 7> items{{
      {nullptr, stop_descriptor_, ZMQ_POLLIN, 0},
      {clients_.socket().handle(), 0, ZMQ_POLLIN, 0},
      {workers_.socket().handle(), 0, ZMQ_POLLIN, 0},
      {nullptr, reload_descriptor_, ZMQ_POLLIN, 0},
  }};
  std::size_t count = reload_ ? 4 : 3;
  if (http_) items[count++] = {nullptr, http_->descriptor(), ZMQ_POLLIN, 0};
  if (history_ != nullptr) items[count++] = {nullptr, history_->descriptor(), ZMQ_POLLIN, 0};
  if (authenticator_) items[count++] = {authenticator_->socket().handle(), 0, ZMQ_POLLIN, 0};
  try {
    zmq::poll(items.data(), count, timeout);
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
  }
  signalfd_siginfo signal{};
  while (reload_ && read(reload_descriptor_, &signal, sizeof signal) == sizeof signal)
    reload_wanted_ = true;
  return (items[0].revents & ZMQ_POLLIN) == 0;
}

}  // namespace assay::net
