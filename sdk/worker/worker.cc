// The worker's loop: it alone touches the socket. It lets the session decide, the handlers work,
// and waits for whichever speaks first.
#include "assay/worker.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <utility>

#include "sdk/transport/curve.h"
#include "sdk/transport/dealer.h"
#include "sdk/wire/limits.h"
#include "sdk/worker/handlers.h"
#include "sdk/worker/session.h"
#include "sdk/worker/wakeup.h"

namespace assay {
namespace {

constexpr std::uint32_t kSlotsMax = 4096;  // each may become a thread
constexpr Duration kGoodbyeLinger{1000};
// Heard in one turn before something is said: heartbeats must not wait behind a flood.
constexpr int kMessagesPerTurn = 256;

// "host-1234-9f3a1c": the same over reconnects, another for each process.
std::string generated_name() {
  std::array<char, 41> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::string name;
  for (const char* c = host.data(); *c != '\0'; ++c) {
    const std::string with_it = name + *c;
    if (valid_name(with_it)) name = with_it;
  }
  if (name.empty()) name = "worker";
  std::array<unsigned char, 3> chance{};
  ASSAY_ASSERT(getrandom(chance.data(), chance.size(), 0) == static_cast<ssize_t>(chance.size()));
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), "%02x%02x%02x", chance[0], chance[1], chance[2]);
  return name + "-" + std::to_string(getpid()) + "-" + hex.data();
}

Status checked_labels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > wire::kLabelCountMax) {
    return fix_input("invalid_labels", "expected at most " + std::to_string(wire::kLabelCountMax) +
                                           " labels, found " + std::to_string(labels.size()));
  }
  for (const auto& [label, value] : labels) {
    if (!label.empty() && label.size() <= wire::kLabelKeyBytesMax &&
        value.size() <= wire::kLabelValueBytesMax) {
      continue;
    }
    return fix_input("invalid_labels",
                     "label '" + label.substr(0, 80) + "': expected a key of 1 to " +
                         std::to_string(wire::kLabelKeyBytesMax) +
                         " bytes and a value of at most " +
                         std::to_string(wire::kLabelValueBytesMax) + ", found " +
                         std::to_string(label.size()) + " and " + std::to_string(value.size()));
  }
  return Status::ok();
}

Status checked(const WorkerOptions& options) {
  const std::string rule = "; expected 1 to 64 letters, digits or . _ -, a letter or digit first";
  if (!valid_name(options.name)) {
    return fix_input("invalid_name", "'" + options.name + "' cannot name a worker" + rule);
  }
  if (options.queues.empty()) {
    return fix_input("invalid_queues", "a worker needs a queue to work for; name at least one");
  }
  for (const QueueName& queue : options.queues) {
    if (valid_name(queue.value)) continue;
    return fix_input("invalid_name", "'" + queue.value + "' cannot name a queue" + rule);
  }
  if (options.slots < 1 || options.slots > kSlotsMax) {
    return fix_input("invalid_slots", "expected 1 to " + std::to_string(kSlotsMax) +
                                          " slots, found " + std::to_string(options.slots));
  }
  return checked_labels(options.labels);
}

WorkerOptions with_name(WorkerOptions options) {
  if (options.name.empty()) options.name = generated_name();
  return options;
}

}  // namespace

TaskOutcome TaskOutcome::done(std::string result) {
  TaskOutcome outcome;
  outcome.result = std::move(result);
  return outcome;
}

TaskOutcome TaskOutcome::failed(std::string reason, Cause cause, std::string result) {
  TaskOutcome outcome;
  outcome.outcome = Outcome::kFailed;
  outcome.cause = cause;
  outcome.reason = std::move(reason);
  outcome.result = std::move(result);
  return outcome;
}

TaskOutcome TaskOutcome::retry(std::string reason, Duration delay, Cause cause) {
  TaskOutcome outcome;
  outcome.outcome = Outcome::kRetry;
  outcome.cause = cause;
  outcome.reason = std::move(reason);
  outcome.delay = delay;
  return outcome;
}

TaskOutcome TaskOutcome::cancelled(std::string result) {
  TaskOutcome outcome;
  outcome.outcome = Outcome::kCancelled;
  outcome.result = std::move(result);
  return outcome;
}

TaskOutcome TaskOutcome::snooze(Duration delay, std::string reason) {
  TaskOutcome outcome;
  outcome.outcome = Outcome::kSnooze;
  outcome.reason = std::move(reason);
  outcome.delay = delay;
  return outcome;
}

TaskOutcome TaskOutcome::hand_over(std::string reason) {
  TaskOutcome outcome;
  outcome.outcome = Outcome::kHandOver;
  outcome.reason = std::move(reason);
  return outcome;
}

class Worker::Loop {
 public:
  Loop(WorkerOptions options, TaskHandler handler)
      : options_(with_name(std::move(options))), handler_(std::move(handler)) {}

  const std::string& name() const { return options_.name; }

  void request_stop() {
    stop_requests_.fetch_add(1, std::memory_order_release);
    wakeup_.wake();
  }

  Status run() {
    if (Status status = checked(options_); !status.is_ok()) return status;
    if (wakeup_.descriptor() < 0) {
      return {Code::kExhausted, "no_sockets",
              "cannot make an eventfd; raise the limit of open files (ulimit -n)"};
    }
    transport::Dealer dealer(options_.endpoint, {options_.key_file, options_.server_key});
    if (Status status = dealer.open(); !status.is_ok()) return status;
    worker::Session session({.endpoint = options_.endpoint,
                             .name = WorkerName(options_.name),
                             .queues = options_.queues,
                             .slots = options_.slots,
                             .drain_timeout = options_.drain_timeout,
                             .hands_over = options_.hands_over,
                             .labels = options_.labels});
    worker::Handlers handlers(handler_, options_.slots, [this] { wakeup_.wake(); });
    session.start(transport::now());
    for (;;) {
      hear(session, dealer);
      if (auto refusal = dealer.take_refusal()) session.on_refused(*refusal, transport::now());
      decide(session, handlers);
      perform(session, handlers, dealer);
      if (session.is_over()) break;
      dealer.wait(std::min(session.wake_at(), handlers.look_at()), wakeup_.descriptor());
    }
    // GOODBYE leaves before the last handlers are waited for: their tasks belong to others now.
    dealer.close(kGoodbyeLinger);
    return session.status();
  }

 private:
  void hear(worker::Session& session, transport::Dealer& dealer) {
    for (int count = 0; count < kMessagesPerTurn; ++count) {
      auto message = dealer.receive();
      if (!message) return;
      if (message->is_ok()) {
        session.on_message(std::move(**message), transport::now());
      } else {
        notice("a message of the broker was not understood: " + message->status().to_string());
      }
    }
    // What is left keeps the socket readable: the next wait returns at once.
  }

  void decide(worker::Session& session, worker::Handlers& handlers) {
    wakeup_.clear();
    const transport::Instant now = transport::now();
    for (; stop_requests_seen_ < stop_requests_.load(std::memory_order_acquire);
         ++stop_requests_seen_) {
      session.on_stop_request(now);
    }
    handlers.look_after(now);
    worker::News news = handlers.take_news();
    for (worker::Finished& finished : news.finished) {
      session.on_finished(std::move(finished.report), std::move(finished.rest), now);
    }
    for (const HeldAttempt& held : news.progressed) session.on_progress(held, now);
    session.on_time(now);
  }

  void perform(worker::Session& session, worker::Handlers& handlers, transport::Dealer& dealer) {
    worker::Effects effects = session.take_effects();
    // Without a socket the session goes on as if the network were down, and tries again.
    if (effects.fresh_socket) static_cast<void>(dealer.open());
    for (const Message& message : effects.send) send(dealer, message);
    if (!effects.start.empty()) handlers.start(std::move(effects.start));
    for (const worker::StopOrder& order : effects.stop) handlers.stop(order.held, order.reason);
    for (const std::string& line : effects.notices) notice(line);
    for (const worker::RecordedEnd& end : effects.recorded) tell_recorded(end);
    if (effects.collect.empty()) return;
    std::vector<ProgressReport> reports;
    for (const HeldAttempt& held : effects.collect) {
      for (ProgressReport& report : handlers.collect(held)) reports.push_back(std::move(report));
    }
    session.on_collected(std::move(reports));
    for (const Message& message : session.take_effects().send) send(dealer, message);
  }

  void send(transport::Dealer& dealer, const Message& message) {
    if (Status sent = dealer.send(message); !sent.is_ok()) notice(sent.to_string());
  }

  void tell_recorded(const worker::RecordedEnd& end) {
    if (!options_.recorded) return;
    try {
      options_.recorded(end.held.id, end.held.attempt, end.outcome);
    } catch (const std::exception& error) {
      notice(std::string("what was to be done after a record threw: ") + error.what());
    } catch (...) {
      notice("what was to be done after a record threw");
    }
  }

  void notice(const std::string& line) {
    if (options_.notice) return options_.notice(line);
    std::fprintf(stderr, "%s: %s\n", options_.name.c_str(), line.c_str());
  }

  const WorkerOptions options_;
  const TaskHandler handler_;
  worker::Wakeup wakeup_;
  std::atomic<int> stop_requests_{0};
  static_assert(std::atomic<int>::is_always_lock_free, "request_stop is called in signal handlers");
  int stop_requests_seen_ = 0;
};

Worker::Worker(WorkerOptions options, TaskHandler handler)
    : loop_(std::make_unique<Loop>(std::move(options), std::move(handler))) {}
Worker::~Worker() = default;

Status Worker::run() {
  return loop_->run();
}

void Worker::request_stop() {
  loop_->request_stop();
}

const std::string& Worker::name() const {
  return loop_->name();
}

}  // namespace assay
