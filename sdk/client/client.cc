// The blocking client: a session, a socket, and the loop that lets them work until a call is
// answered.
#include "assay/client.h"

#include <algorithm>
#include <cstdio>
#include <unordered_set>
#include <utility>

#include "sdk/client/session.h"
#include "sdk/transport/curve.h"
#include "sdk/transport/dealer.h"

namespace assay {
namespace {

using transport::Instant;
using transport::kNever;

constexpr std::size_t kIdsAtOnceMax = 4096;
constexpr Duration kGoodbyeLinger{200};

}  // namespace

class Client::Connection {
 public:
  explicit Connection(ClientOptions options)
      : options_(std::move(options)),
        session_({.endpoint = options_.endpoint,
                  .name = options_.name,
                  .call_timeout = options_.call_timeout}),
        dealer_(options_.endpoint, {options_.key_file, options_.server_key}) {}

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ~Connection() {
    if (!opened_ || !session_.greeted()) return;
    static_cast<void>(dealer_.send(Goodbye{}));
    dealer_.close(kGoodbyeLinger);
  }

  Status connect() {
    if (Status opened = open(); !opened.is_ok()) return opened;
    return reply_to(session_.connect(transport::now())).status();
  }

  template <typename Reply>
  Result<Reply> ask(Message request) {
    auto number = begin(std::move(request));
    if (!number.is_ok()) return number.status();
    return finish<Reply>(*number);
  }

  // Sends the request and does not wait for its answer.
  Result<std::uint64_t> begin(Message request) {
    if (Status opened = open(); !opened.is_ok()) return opened;
    hear();
    const std::uint64_t number = session_.call(std::move(request), transport::now());
    say();
    return number;
  }

  template <typename Reply>
  Result<Reply> finish(std::uint64_t number) {
    Result<Message> reply = reply_to(number);
    if (!reply.is_ok()) return reply.status();
    if (auto* content = std::get_if<Reply>(&*reply)) return std::move(*content);
    return internal_error("unexpected_reply",
                          "the broker answered with " + std::string(to_string(type_of(*reply))) +
                              ", which does not fit the request; is it of another version?");
  }

  bool knows(std::uint64_t number) const { return session_.knows(number); }

  Result<std::vector<TaskResult>> wait_any(std::span<const TaskId> ids,
                                           std::optional<Duration> timeout) {
    if (ids.empty()) return std::vector<TaskResult>();
    if (Status opened = open(); !opened.is_ok()) return opened;
    const Instant start = transport::now();
    const Instant until = timeout ? transport::later(start, *timeout) : kNever;
    session_.wait_for(ids, start);
    while (!session_.wait_is_over()) {
      pump(until);
      const Instant now = transport::now();
      if (now < until || session_.wait_is_over()) continue;
      Status timed_out = session_.wait_timed_out(*timeout, now);
      static_cast<void>(session_.end_wait());
      return timed_out;
    }
    return session_.end_wait();
  }

 private:
  Status open() {
    if (opened_) return Status::ok();
    Status status = dealer_.open();
    opened_ = status.is_ok();
    return status;
  }

  Result<Message> reply_to(std::uint64_t call) {
    for (;;) {
      if (auto reply = session_.take_reply(call)) return std::move(*reply);
      pump(kNever);
    }
  }

  // One turn: say what is due, wait for the broker or the time, hear what it says. What has arrived
  // is heard before silence is judged.
  void pump(Instant until) {
    hear();
    say();
    if (!session_.is_waiting_for_broker()) return;
    dealer_.wait(std::min(until, session_.wake_at()));
    hear();
    if (auto refusal = dealer_.take_refusal()) session_.on_refused(*refusal);
  }

  void say() {
    session_.on_time(transport::now());
    if (session_.take_fresh_socket()) {
      // Without a socket the session goes on as if the network were down, and tries again.
      static_cast<void>(dealer_.open());
    }
    session_.drain_sends([this](const Message& message) { return dealer_.send(message); });
    for (const std::string& line : session_.take_notices()) notice(line);
  }

  void hear() {
    while (auto message = dealer_.receive()) {
      // What cannot be understood is as good as lost; the session repeats its question.
      if (message->is_ok()) session_.on_message(std::move(**message), transport::now());
    }
  }

  void notice(const std::string& line) {
    if (options_.notice) return options_.notice(line);
    std::fprintf(stderr, "%s: %s\n", options_.name.c_str(), line.c_str());
  }

  ClientOptions options_;
  client::Session session_;
  transport::Dealer dealer_;
  bool opened_ = false;
};

Client::Client(ClientOptions options)
    : connection_(std::make_unique<Connection>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Status Client::connect() {
  return connection_->connect();
}

Result<Submitted> Client::submit(std::vector<TaskSpec> tasks) {
  return connection_->ask<Submitted>(Submit{.tasks = std::move(tasks)});
}

Result<std::uint64_t> Client::begin_submit(std::vector<TaskSpec> tasks) {
  return connection_->begin(Submit{.tasks = std::move(tasks)});
}

Result<Submitted> Client::finish_submit(std::uint64_t ticket) {
  if (!connection_->knows(ticket)) {
    return fix_input("unknown_ticket",
                     "expected a ticket of begin_submit that finish_submit has not "
                     "answered yet, found " +
                         std::to_string(ticket));
  }
  return connection_->finish<Submitted>(ticket);
}

Result<TaskResult> Client::wait(TaskId id, std::optional<Duration> timeout) {
  auto results = connection_->wait_any({&id, 1}, timeout);
  if (!results.is_ok()) return results.status();
  return std::move(results->front());
}

Result<std::vector<TaskResult>> Client::wait_any(std::span<const TaskId> ids,
                                                 std::optional<Duration> timeout) {
  return connection_->wait_any(ids, timeout);
}

Result<std::vector<TaskResult>> Client::results(std::span<const TaskId> ids) {
  const std::unordered_set<TaskId> distinct(ids.begin(), ids.end());
  const std::vector<TaskId> all(distinct.begin(), distinct.end());
  std::vector<TaskResult> ended;
  for (std::size_t begin = 0; begin < all.size(); begin += kIdsAtOnceMax) {
    const auto part = std::span(all).subspan(begin, std::min(kIdsAtOnceMax, all.size() - begin));
    Await await;
    await.ids.assign(part.begin(), part.end());
    await.follow = false;
    auto reply = connection_->ask<Results>(std::move(await));
    if (!reply.is_ok()) return reply.status();
    if (!reply->unknown.empty()) {
      return not_found("unknown_task", "the broker knows no task " + reply->unknown.front().text());
    }
    for (TaskResult& result : reply->results) ended.push_back(std::move(result));
  }
  return ended;
}

Result<Cancelled> Client::cancel(std::span<const TaskId> ids, std::string reason,
                                 bool with_dependents) {
  return connection_->ask<Cancelled>(Cancel{.ids = {ids.begin(), ids.end()},
                                            .reason = std::move(reason),
                                            .with_dependents = with_dependents});
}

Result<TaskInfo> Client::status(std::string id_prefix) {
  auto reply = connection_->ask<TaskStatus>(StatusRequest{.id_prefix = std::move(id_prefix)});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->task);
}

Result<std::vector<QueueInfo>> Client::queues() {
  auto reply = connection_->ask<QueueList>(QueuesRequest{});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->queues);
}

Result<std::vector<WorkerInfo>> Client::workers() {
  auto reply = connection_->ask<WorkerList>(WorkersRequest{});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->workers);
}

Result<EventList> Client::events(EventsRequest request) {
  return connection_->ask<EventList>(std::move(request));
}

Result<TaskList> Client::list(ListRequest request) {
  return connection_->ask<TaskList>(std::move(request));
}

Result<Explanation> Client::explain(std::string id_prefix) {
  auto reply = connection_->ask<Explained>(ExplainRequest{.id_prefix = std::move(id_prefix)});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->task);
}

Result<std::vector<UsageRow>> Client::usage(UsageRequest request) {
  auto reply = connection_->ask<UsageList>(request);
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->rows);
}

Result<std::vector<ScheduleInfo>> Client::schedules() {
  auto reply = connection_->ask<ScheduleList>(SchedulesRequest{});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->schedules);
}

Result<std::vector<QuarantineInfo>> Client::quarantines() {
  auto reply = connection_->ask<QuarantineList>(QuarantinesRequest{});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->quarantines);
}

Result<std::vector<std::string>> Client::references(std::span<const std::string> hashes) {
  auto reply =
      connection_->ask<Referenced>(ReferencesRequest{.hashes = {hashes.begin(), hashes.end()}});
  if (!reply.is_ok()) return reply.status();
  return std::move(reply->hashes);
}

Result<Snapshot> Client::snapshot(SnapshotRequest request) {
  return connection_->ask<Snapshot>(std::move(request));
}

Result<std::uint64_t> Client::operate(Operation operation, std::string target,
                                      std::span<const TaskId> ids) {
  auto reply = connection_->ask<Operated>(Operate{
      .operation = operation, .target = std::move(target), .ids = {ids.begin(), ids.end()}});
  if (!reply.is_ok()) return reply.status();
  return reply->affected;
}

}  // namespace assay
