#include "sdk/worker/session.h"

#include <algorithm>
#include <utility>

#include "sdk/wire/limits.h"
#include "sdk/worker/text.h"

namespace assay::worker {
namespace {

using transport::kNever;
using transport::later;

constexpr int kSilentBeats = 3;
constexpr Duration kCollectEvery{100};
constexpr Duration kReportAgainAfter{1000};
constexpr Duration kReportAgainAfterMax{10000};
constexpr Duration kQuitTimeout{5000};   // for handlers that were told to stop
constexpr Duration kLeaveTimeout{3000};  // for the last reports to be recorded
// One message costs the broker one turn of its loop: large enough to share that cost, small enough
// not to hold up others.
constexpr std::size_t kReportMessageBytes = std::size_t{1} << 20;

std::size_t size_of(const TaskReport& report) {
  return report.result.size() + report.reason.size() + 128;
}
std::size_t size_of(const ProgressReport& report) {
  return report.text.size() + 128;
}

// Sends `item`s in as few messages as the limits permit.
template <typename M, typename Item>
class Batcher {
 public:
  explicit Batcher(std::vector<Message>& out) : out_(out) {}
  void add(Item item) {
    const std::size_t bytes = size_of(item);
    const bool full =
        bytes_ + bytes > kReportMessageBytes || batch_.reports.size() == wire::kListItemsMax;
    if (full) flush();
    bytes_ += bytes;
    batch_.reports.push_back(std::move(item));
  }
  void flush() {
    if (!batch_.reports.empty()) out_.emplace_back(std::move(batch_));
    batch_ = {};
    bytes_ = 0;
  }

 private:
  std::vector<Message>& out_;
  M batch_;
  std::size_t bytes_ = 0;
};

// What a handler answered, within the wire's limits.
TaskReport fit(TaskReport report) {
  report.reason = fit_text(std::move(report.reason));
  if (report.result.size() <= wire::kBodyBytesMax) return report;
  report.reason = "the result has " + std::to_string(report.result.size()) +
                  " bytes, the limit is " + std::to_string(wire::kBodyBytesMax) +
                  "; store it elsewhere and answer where it lies";
  report.result.clear();
  report.outcome = Outcome::kFailed;
  report.cause = Cause::kLimit;
  return report;
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)), contact_(kSilentBeats) {}

void Session::start(Instant now) {
  contact_.on_heard(now);
  contact_.greet(now);
}

void Session::on_message(Message message, Instant now) {
  contact_.on_heard(now);
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    on_welcome(*welcome, now);
  } else if (const auto* error = std::get_if<Error>(&message)) {
    on_error(*error, now);
  } else if (auto* tasks = std::get_if<Tasks>(&message)) {
    on_tasks(std::move(*tasks), now);
  } else if (const auto* recorded = std::get_if<Recorded>(&message)) {
    on_recorded(*recorded);
  } else if (const auto* stop = std::get_if<Stop>(&message)) {
    on_stop(*stop, now);
  }
  advance(now);
}

void Session::on_welcome(const Welcome& welcome, Instant now) {
  if (welcome.version != kProtocolVersion) {
    return refuse(
        fix_input("unsupported_version", "the broker at " + options_.endpoint + " chose version " +
                                             std::to_string(welcome.version) +
                                             " of the protocol, this worker speaks version " +
                                             std::to_string(kProtocolVersion) +
                                             "; upgrade the older of the two"),
        now);
  }
  drop(welcome.drop, now);
  if (!contact_.on_welcome(welcome, now)) return;
  if (outage_told_) {
    effects_.notices.push_back("the broker at " + options_.endpoint + " answers again");
  }
  outage_told_ = refusal_told_ = false;
  was_welcome_ = true;
  for (auto& [key, held] : held_) held.report_at = now;
  report_at_ = now;
  send_reports(now);
}

void Session::on_refused(const Status& status, Instant now) {
  if (!was_welcome_) {
    refuse(status, now);
    return advance(now);
  }
  if (std::exchange(refusal_told_, true)) return;
  effects_.notices.push_back("no longer let in, trying again: " + status.message());
}

void Session::on_error(const Error& error, Instant now) {
  if (error.reason == "hello_first") {
    contact_.on_hello_first(now);
    return;
  }
  if (contact_.greeted()) {
    effects_.notices.push_back("the broker refused a message: " + error.reason + ": " +
                               error.message);
    return;
  }
  switch (error.code) {
    case Code::kFixInput:
    case Code::kNotFound:
    case Code::kConflict:
      return refuse(Status(error.code, error.reason, error.message), now);
    default:
      contact_.on_refused_for(error.retry_after, now);
      if (std::exchange(refusal_told_, true)) return;
      effects_.notices.push_back("the broker at " + options_.endpoint +
                                 " does not take this worker yet, trying again: " + error.reason +
                                 ": " + error.message);
  }
}

void Session::on_tasks(Tasks tasks, Instant now) {
  for (TaskAssignment& task : tasks.tasks) {
    const HeldAttempt key{task.id, task.attempt};
    if (held_.contains(key)) continue;  // it came twice
    if (phase_ != Phase::kWorking) {
      hand_back(task, now);
      continue;
    }
    held_.try_emplace(key);
    ++running_;
    effects_.start.push_back(std::move(task));
  }
  send_reports(now);
}

// The task crossed our word that we take no more.
void Session::hand_back(const TaskAssignment& task, Instant now) {
  Held& held = held_[{task.id, task.attempt}];
  held.running = false;
  held.report_at = now;
  TaskReport& report = held.report.emplace();
  report.id = task.id;
  report.attempt = task.attempt;
  report.outcome = Outcome::kRetry;
  report.cause = Cause::kInfrastructure;
  report.reason = "the worker was stopping when the task arrived";
  ++unrecorded_;
  newly_finished_.push_back({task.id, task.attempt});
}

void Session::on_recorded(const Recorded& recorded) {
  for (const auto* list : {&recorded.recorded, &recorded.stale}) {
    for (const HeldAttempt& key : *list) {
      const auto found = held_.find(key);
      if (found == held_.end() || !found->second.report) continue;
      if (list == &recorded.recorded) {
        effects_.recorded.push_back({key, found->second.report->outcome});
      }
      held_.erase(found);
      --unrecorded_;
    }
  }
}

void Session::on_stop(const Stop& stop, Instant now) {
  for (const HeldAttempt& key : stop.cancel) {
    const auto found = held_.find(key);
    if (found == held_.end() || found->second.cancel || !found->second.running) continue;
    found->second.cancel = true;
    effects_.stop.push_back({key, StopReason::kCancelled});
  }
  for (const HeldAttempt& key : stop.hand_over) {
    const auto found = held_.find(key);
    if (!options_.hands_over || found == held_.end()) continue;
    Held& held = found->second;
    if (held.cancel || held.let_go || !held.running) continue;
    held.let_go = true;
    effects_.stop.push_back({key, StopReason::kWorkerStops});
  }
  drop(stop.drop, now);
}

void Session::drop(const std::vector<HeldAttempt>& attempts, Instant now) {
  bool credit_changed = false;
  for (const HeldAttempt& key : attempts) {
    const auto found = held_.find(key);
    if (found == held_.end() || found->second.dropped) continue;
    if (found->second.running) {
      found->second.dropped = true;
      ++dropped_running_;
      credit_changed = true;
      effects_.stop.push_back({key, StopReason::kLost});
      continue;
    }
    if (found->second.report) --unrecorded_;
    held_.erase(found);
  }
  if (credit_changed) beat(now);
}

void Session::on_finished(TaskReport report, std::vector<ProgressReport> rest, Instant now) {
  const HeldAttempt key{report.id, report.attempt};
  const auto found = held_.find(key);
  ASSAY_ASSERT(found != held_.end() && found->second.running);
  Held& held = found->second;
  --running_;
  held.running = false;
  if (held.dropped) {
    held_.erase(found);
    --dropped_running_;
    beat(now);
  } else if (report.outcome == Outcome::kCancelled && !held.cancel && phase_ != Phase::kWorking) {
    // It stopped because this worker must leave: nobody has cancelled the task. It goes back by
    // GOODBYE. A handler that stops unasked while the worker works on is reported, as any other:
    // held in silence, its lease would be renewed for ever.
    held.rest.clear();
  } else {
    if (report.outcome == Outcome::kCancelled && held.let_go && !held.cancel) {
      // Nobody has cancelled the task, and it does not go on by itself: another worker begins anew.
      report.outcome = Outcome::kRetry;
      report.cause = Cause::kInfrastructure;
      report.reason = "its worker is drained";
    }
    held.report = fit(std::move(report));
    held.rest = std::move(rest);
    held.report_at = now;
    newly_finished_.push_back(key);
    ++unrecorded_;
  }
}

void Session::on_progress(const HeldAttempt& held, Instant now) {
  progressed_.push_back(held);
  if (collect_at_ == kNever) collect_at_ = std::max(now, later(collected_at_, kCollectEvery));
}

void Session::on_collected(std::vector<ProgressReport> reports) {
  std::erase_if(reports, [this](const ProgressReport& report) {
    const auto found = held_.find({report.id, report.attempt});
    return found == held_.end() || found->second.dropped;
  });
  send_progress(std::move(reports));
}

void Session::send_progress(std::vector<ProgressReport> reports) {
  Batcher<Progress, ProgressReport> batcher(effects_.send);
  for (ProgressReport& report : reports) batcher.add(std::move(report));
  batcher.flush();
}

// While the broker is away nothing is collected: the latest progress goes on replacing older ones
// where it arises.
void Session::collect_progress(Instant now) {
  if (now < collect_at_ || !contact_.greeted()) return;
  collect_at_ = kNever;
  collected_at_ = now;
  effects_.collect = std::exchange(progressed_, {});
}

void Session::send_reports(Instant now) {
  if (!contact_.greeted()) return;
  const std::vector<Held*> due = due_reports(now);
  Batcher<Progress, ProgressReport> progress(effects_.send);
  for (Held* held : due) {
    for (ProgressReport& report : held->rest) progress.add(std::move(report));
    held->rest.clear();
  }
  progress.flush();
  Batcher<Report, TaskReport> reports(effects_.send);
  for (Held* held : due) {
    reports.add(*held->report);
    held->patience = std::clamp(held->patience * 2, kReportAgainAfter, kReportAgainAfterMax);
    held->report_at = later(now, held->patience);
    report_at_ = std::min(report_at_, held->report_at);
  }
  reports.flush();
}

// Those that have just finished; and, where one may have to be repeated, whichever has to be.
// Looking at all that is held for every task that finishes would cost a worker of many slots more
// than the tasks do.
std::vector<Session::Held*> Session::due_reports(Instant now) {
  std::vector<Held*> due;
  std::vector<HeldAttempt> finished = std::exchange(newly_finished_, {});
  if (now >= report_at_) {
    report_at_ = kNever;
    finished.clear();
    for (const auto& [key, held] : held_) {
      if (!held.report) continue;
      if (held.report_at <= now)
        finished.push_back(key);
      else
        report_at_ = std::min(report_at_, held.report_at);
    }
    std::sort(finished.begin(), finished.end());
  }
  for (const HeldAttempt& key : finished) {
    const auto found = held_.find(key);
    if (found != held_.end() && found->second.report && found->second.report_at <= now) {
      due.push_back(&found->second);
    }
  }
  return due;
}

std::vector<HeldAttempt> Session::holding() const {
  std::vector<HeldAttempt> keys;
  keys.reserve(held_.size());
  for (const auto& [key, held] : held_) {
    if (!held.dropped) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::uint32_t Session::credit() const {
  if (phase_ != Phase::kWorking) return 0;
  return options_.slots - std::min(options_.slots, dropped_running_);
}

// Out of turn: what the broker counts on has changed.
void Session::beat(Instant now) {
  if (!contact_.greeted()) return;
  effects_.send.emplace_back(Heartbeat{.slots = credit(), .holding = holding()});
  contact_.on_beat(now);
}

void Session::on_time(Instant now) {
  const transport::Contact::Due due = contact_.on_time(now);
  if (due.lost && !outage_told_) {
    outage_told_ = true;
    effects_.notices.push_back("no word from the broker at " + options_.endpoint +
                               "; waiting for it to come back, running tasks go on");
  }
  if (due.fresh_socket) {
    effects_.fresh_socket = true;
    effects_.send.clear();
  }
  if (due.hello) {
    WorkerHello hello;
    hello.name = options_.name;
    hello.queues = options_.queues;
    hello.slots = credit();
    hello.holding = holding();
    hello.labels = options_.labels;
    effects_.send.emplace_back(std::move(hello));
  }
  if (due.heartbeat) beat(now);
  send_reports(now);
  collect_progress(now);
  advance(now);
}

void Session::on_stop_request(Instant now) {
  if (phase_ == Phase::kWorking) {
    phase_ = Phase::kDraining;
    phase_ends_at_ = later(now, options_.drain_timeout);
    beat(now);
  } else if (phase_ == Phase::kDraining) {
    quit(now);
  }
  advance(now);
}

void Session::refuse(Status status, Instant now) {
  status_ = std::move(status);
  if (phase_ < Phase::kQuitting) quit(now);
}

void Session::quit(Instant now) {
  phase_ = Phase::kQuitting;
  phase_ends_at_ = later(now, kQuitTimeout);
  for (const auto& [key, held] : held_) {
    if (held.running && !held.dropped && !held.cancel) {
      effects_.stop.push_back({key, StopReason::kWorkerStops});
    }
  }
}

// Takes the steps of leaving that are due.
void Session::advance(Instant now) {
  if (phase_ == Phase::kWorking || phase_ == Phase::kOver) return;
  if (phase_ == Phase::kDraining && now >= phase_ends_at_) quit(now);
  if (phase_ != Phase::kLeaving && (running_ == 0 || now >= phase_ends_at_)) {
    phase_ = Phase::kLeaving;
    phase_ends_at_ = later(now, kLeaveTimeout);
    send_reports(now);
  }
  if (phase_ != Phase::kLeaving) return;
  // A broker that refused us, or has not been met, records nothing.
  const bool may_record = status_.is_ok() && unrecorded_ != 0 && now < phase_ends_at_;
  if (may_record) return;
  // Even while greeting: the broker may know us already.
  effects_.send.emplace_back(Goodbye{});
  phase_ = Phase::kOver;
}

Effects Session::take_effects() {
  return std::exchange(effects_, {});
}

Instant Session::wake_at() const {
  if (phase_ == Phase::kOver) return Instant{};
  Instant wake = std::min(contact_.wake_at(), phase_ends_at_);
  if (contact_.greeted()) wake = std::min({wake, report_at_, collect_at_});
  if (contact_.greeted() && !newly_finished_.empty()) wake = Instant{};
  return wake;
}

}  // namespace assay::worker
