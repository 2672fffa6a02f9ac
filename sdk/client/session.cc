#include "sdk/client/session.h"

#include <algorithm>
#include <type_traits>

#include "sdk/wire/limits.h"

namespace assay::client {
namespace {

using transport::kNever;
using transport::later;

// Well under a heartbeat would only repeat requests that a busy broker is working on.
constexpr Duration kRepeatAfter{1000};
constexpr Duration kRetryLaterMin{20};
// While results arrive none is missing; after so long without one it is worth asking once more, and
// then ever more rarely.
constexpr Duration kResyncAfter{10000};
constexpr Duration kResyncAfterMax{60000};
constexpr std::size_t kAwaitIdsMax = 4096;
constexpr std::size_t kKeptBytesMax = std::size_t{64} << 20;
constexpr int kSilentBeats = 2;
static_assert(kAwaitIdsMax <= wire::kListItemsMax);

template <typename M>
concept Numbered = requires(M message) {
  message.request;
};

std::uint64_t number_of(const Message& message) {
  return std::visit(
      [](const auto& content) -> std::uint64_t {
        if constexpr (Numbered<decltype(content)>) return content.request;
        return 0;
      },
      message);
}

void set_number(Message& message, std::uint64_t number) {
  std::visit(
      [number](auto& content) {
        if constexpr (Numbered<decltype(content)>) content.request = number;
      },
      message);
}

std::string seconds_text(Duration duration) {
  const auto tenths = (duration.count() + 50) / 100;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  return text + " s";
}

Status unknown_tasks(const std::vector<TaskId>& ids) {
  constexpr std::size_t kNamed = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(ids.size(), kNamed); ++i) {
    names += (i == 0 ? "" : ", ") + ids[i].text();
  }
  if (ids.size() > kNamed) names += " and " + std::to_string(ids.size() - kNamed) + " more";
  return not_found("unknown_task", "the broker knows no task " + names);
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)), contact_(kSilentBeats) {}

std::uint64_t Session::connect(Instant now) {
  Call call{.request = Goodbye{}};
  call.is_greeting = true;
  // To be greeted once is not to be answered now: a connect always asks the broker.
  begin_outstanding(now);
  contact_.on_hello_first(now);
  return add_call(std::move(call), now);
}

std::uint64_t Session::call(Message request, Instant now) {
  begin_outstanding(now);
  return add_call(Call{.request = std::move(request)}, now);
}

// Nobody listens to the socket while nothing is outstanding, so silence counts from here.
void Session::begin_outstanding(Instant now) {
  if (calls_.empty() && !waiting_) contact_.resume(now);
}

std::uint64_t Session::add_call(Call call, Instant now) {
  const std::uint64_t number = next_number_++;
  call.started_at = now;
  call.deadline = later(now, options_.call_timeout);
  call.patience = kRepeatAfter;
  call.next_try = kNever;
  call.messages_before = messages_heard_;
  calls_due_at_ = std::min(calls_due_at_, call.deadline);
  set_number(call.request, number);
  Call& added = calls_.emplace(number, std::move(call)).first->second;
  if (contact_.greeted()) send_call(number, added, now);
  return number;
}

void Session::send_call(std::uint64_t number, Call& call, Instant now) {
  if (call.is_greeting) return;
  call.next_try = later(now, call.patience);
  calls_due_at_ = std::min(calls_due_at_, call.next_try);
  call.patience *= 2;
  call.refusal.reset();
  sends_.emplace_back(number);
  contact_.on_said(now);
}

std::optional<Result<Message>> Session::take_reply(std::uint64_t number) {
  auto found = replies_.extract(number);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

void Session::complete(std::uint64_t number, Result<Message> reply) {
  if (calls_.erase(number) != 0) replies_.emplace(number, std::move(reply));
}

void Session::fail_everything(const Status& status) {
  while (!calls_.empty()) complete(calls_.begin()->first, status);
  if (waiting_) wait_failure_ = status;
}

void Session::wait_for(std::span<const TaskId> ids, Instant now) {
  begin_outstanding(now);
  ++wait_;
  waiting_ = true;
  wait_heard_ = false;
  wait_started_at_ = now;
  // Short waits one after the other are as one: what is due goes on being due.
  const bool goes_on = !followed_.empty() && now < later(wait_seen_at_, kRepeatAfter);
  if (!goes_on) {
    resync_after_ = kResyncAfter;
    resync_at_ = later(now, resync_after_);
  }
  std::vector<TaskId> fresh;
  for (const TaskId& id : ids) {
    if (auto kept = kept_.empty() ? decltype(kept_)::node_type() : kept_.extract(id);
        !kept.empty()) {
      kept_bytes_ -= kept.mapped().result.size();
      ready_.push_back(std::move(kept.mapped()));
      continue;
    }
    const auto [place, is_new] = followed_.try_emplace(id);
    place->second.wait = wait_;
    if (is_new) fresh.push_back(id);
  }
  // What an earlier wait gave up before the broker answered is asked for by the repetition.
  if (!goes_on) ask_again_at_ = later(now, kRepeatAfter);
  ask_for(fresh, now);
}

// Asks for ids that are in followed_ and new there.
void Session::ask_for(std::span<const TaskId> ids, Instant now) {
  for (std::size_t begin = 0; begin < ids.size(); begin += kAwaitIdsMax) {
    const auto part = ids.subspan(begin, std::min(kAwaitIdsMax, ids.size() - begin));
    Await await{.request = next_number_++, .ids = {part.begin(), part.end()}};
    for (const TaskId& id : part) followed_[id].request = await.request;
    if (!contact_.greeted()) continue;  // WELCOME asks for all of them
    sends_.emplace_back(Message(std::move(await)));
    contact_.on_said(now);
  }
}

// Asks for what the present wait wants, under the numbers it was first asked for: `all` of it, or
// what the broker has not mentioned yet.
void Session::ask_again(bool all, Instant now) {
  ask_again_at_ = later(now, kRepeatAfter);
  if (all) resync_at_ = later(now, resync_after_);
  if (!contact_.greeted()) return;
  std::map<std::uint64_t, std::vector<TaskId>> by_request;
  for (auto& [id, followed] : followed_) {
    if (followed.wait != wait_) continue;
    if (all) followed.acknowledged = false;
    if (!followed.acknowledged) by_request[followed.request].push_back(id);
  }
  for (auto& [request, ids] : by_request) {
    sends_.emplace_back(Message(Await{.request = request, .ids = std::move(ids)}));
    contact_.on_said(now);
  }
}

// A broker that has just been greeted follows nothing for us.
void Session::forget_other_waits() {
  std::erase_if(followed_,
                [this](const auto& entry) { return !waiting_ || entry.second.wait != wait_; });
}

Result<std::vector<TaskResult>> Session::end_wait() {
  waiting_ = false;
  std::optional<Status> failure = std::move(wait_failure_);
  wait_failure_.reset();
  unknown_.clear();
  std::vector<TaskResult> ready = std::move(ready_);
  ready_.clear();
  if (!failure) return ready;
  // The results that came with the failure are still there for whoever asks again.
  for (TaskResult& result : ready) keep(std::move(result));
  return *failure;
}

Status Session::wait_timed_out(Duration timeout, Instant now) {
  const Instant heard_at = std::max(contact_.heard_at(), wait_started_at_);
  if (now - heard_at >= options_.call_timeout && !contact_.greeted()) {
    return unreachable(heard_at, now);
  }
  return retry_later("wait_timeout", "no task ended within " + seconds_text(timeout) +
                                         "; they go on, and may be waited for again");
}

void Session::keep(TaskResult result) {
  // Beyond the bound it is forgotten here; the broker still has it for the next wait.
  if (kept_bytes_ + result.result.size() > kKeptBytesMax) return;
  kept_bytes_ += result.result.size();
  const TaskId id = result.id;
  kept_.insert_or_assign(id, std::move(result));
}

void Session::on_message(Message message, Instant now) {
  contact_.on_heard(now);
  wait_heard_ = true;
  ++messages_heard_;
  if (const auto* welcome = std::get_if<Welcome>(&message)) return on_welcome(*welcome, now);
  if (const auto* error = std::get_if<Error>(&message)) return on_error(*error, now);
  const std::uint64_t number = number_of(message);
  const bool answers_call = calls_.contains(number);
  if (auto* results = std::get_if<Results>(&message); results != nullptr && !answers_call) {
    return on_results(std::move(*results), now);
  }
  if (!answers_call) return;
  if (auto* results = std::get_if<Results>(&message)) {
    return on_part(number, std::move(*results));
  }
  complete(number, std::move(message));
}

// Results that are too many or too large for one message come in several: the answer is whole when
// it has mentioned every id.
void Session::on_part(std::uint64_t number, Results part) {
  Call& call = calls_.at(number);
  const auto* await = std::get_if<Await>(&call.request);
  if (await == nullptr) return complete(number, Message(std::move(part)));
  for (TaskResult& result : part.results) {
    if (call.mentioned.insert(result.id).second) call.answer.results.push_back(std::move(result));
  }
  for (const TaskId& id : part.pending) {
    if (call.mentioned.insert(id).second) call.answer.pending.push_back(id);
  }
  for (const TaskId& id : part.unknown) {
    if (call.mentioned.insert(id).second) call.answer.unknown.push_back(id);
  }
  if (call.mentioned.size() < await->ids.size()) return;
  call.answer.request = number;
  complete(number, Message(std::move(call.answer)));
}

void Session::on_welcome(const Welcome& welcome, Instant now) {
  if (welcome.version != kProtocolVersion) {
    return fail_everything(fix_input(
        "unsupported_version",
        "the broker at " + options_.endpoint + " chose version " + std::to_string(welcome.version) +
            " of the protocol, this program speaks version " + std::to_string(kProtocolVersion) +
            "; upgrade the older of the two"));
  }
  if (!contact_.on_welcome(welcome, now)) return;
  if (outage_told_) notices_.push_back("the broker at " + options_.endpoint + " answers again");
  outage_told_ = false;
  calls_due_at_ = now;  // those that were refused for a while are due again
  std::vector<std::uint64_t> greetings;
  for (auto& [number, call] : calls_) {
    if (call.is_greeting) {
      greetings.push_back(number);
    } else if (!call.refusal) {
      send_call(number, call, now);
    }
  }
  for (std::uint64_t number : greetings) complete(number, Message(welcome));
  forget_other_waits();
  if (waiting_) ask_again(true, now);
}

void Session::on_refused(const Status& status) {
  fail_everything(status);
}

void Session::on_error(const Error& error, Instant now) {
  if (error.reason == "hello_first") {
    contact_.on_hello_first(now);
    return;
  }
  Status status =
      Status(error.code, error.reason, error.message).with_retry_after(error.retry_after);
  const bool is_retry_later = error.code == Code::kRetryLater;
  const auto found = calls_.find(error.request);
  if (found == calls_.end()) {
    if (error.request != 0) return on_await_refused(error, now);
    if (contact_.greeted()) return;  // about a heartbeat or a message of an older greeting
    if (is_retry_later) return contact_.on_refused_for(error.retry_after, now);
    return fail_everything(status);
  }
  Call& call = found->second;
  const Instant next_try = later(now, std::max(error.retry_after, kRetryLaterMin));
  if (!is_retry_later || next_try >= call.deadline) {
    return complete(error.request, std::move(status));
  }
  call.refusal = std::move(status);
  call.next_try = next_try;
  calls_due_at_ = std::min(calls_due_at_, next_try);
  call.patience = kRepeatAfter;
}

void Session::on_await_refused(const Error& error, Instant now) {
  if (error.code == Code::kRetryLater) {
    ask_again_at_ = later(now, std::max(error.retry_after, kRetryLaterMin));
    return;
  }
  const auto refused = std::erase_if(followed_, [&](const auto& entry) {
    return entry.second.request == error.request && entry.second.wait == wait_;
  });
  if (waiting_ && refused != 0) wait_failure_ = Status(error.code, error.reason, error.message);
}

void Session::on_results(Results results, Instant now) {
  if (!results.results.empty()) resync_after_ = kResyncAfter;
  resync_at_ = later(now, resync_after_);
  for (TaskResult& result : results.results) {
    const auto found = followed_.find(result.id);
    if (found == followed_.end()) continue;  // it came before, or nobody asked
    const bool wanted = waiting_ && found->second.wait == wait_;
    followed_.erase(found);
    if (wanted) {
      ready_.push_back(std::move(result));
    } else {
      keep(std::move(result));
    }
  }
  for (const TaskId& id : results.pending) {
    const auto found = followed_.find(id);
    if (found != followed_.end()) found->second.acknowledged = true;
  }
  for (const TaskId& id : results.unknown) {
    const auto found = followed_.find(id);
    if (found == followed_.end()) continue;
    if (waiting_ && found->second.wait == wait_) unknown_.push_back(id);
    followed_.erase(found);
  }
  if (!unknown_.empty()) wait_failure_ = unknown_tasks(unknown_);
}

void Session::on_time(Instant now) {
  if (calls_.empty() && !waiting_) return;
  repeat_calls(now);
  check_wait(now);
  const transport::Contact::Due due = contact_.on_time(now);
  if (due.lost && waiting_ && !outage_told_) {
    outage_told_ = true;
    notices_.push_back("no word from the broker at " + options_.endpoint +
                       "; waiting for it to come back");
  }
  if (due.fresh_socket) {
    fresh_socket_ = true;
    sends_.clear();
  }
  if (due.hello) {
    sends_.emplace_back(Message(ClientHello{.name = options_.name}));
  }
  if (due.heartbeat) sends_.emplace_back(Message(Heartbeat{}));
}

void Session::repeat_calls(Instant now) {
  // A producer may have thousands on their way: they are looked at when one may be due.
  if (now < calls_due_at_) return;
  calls_due_at_ = kNever;
  std::vector<std::pair<std::uint64_t, Status>> failed;
  for (auto& [number, call] : calls_) {
    if (now >= call.deadline) {
      failed.emplace_back(number, why_unanswered(call, now));
      continue;
    }
    if (contact_.greeted() && now >= call.next_try) send_call(number, call, now);
    // Before the greeting nothing is repeated: WELCOME sends what is outstanding.
    const Instant next = contact_.greeted() ? call.next_try : kNever;
    calls_due_at_ = std::min({calls_due_at_, call.deadline, next});
  }
  for (auto& [number, status] : failed) complete(number, std::move(status));
}

Status Session::why_unanswered(const Call& call, Instant now) const {
  if (call.refusal) return *call.refusal;
  if (messages_heard_ == call.messages_before) return unreachable(call.started_at, now);
  return {Code::kRetryCall, "no_answer",
          "the broker at " + options_.endpoint + " lives, but has not answered within " +
              seconds_text(options_.call_timeout) +
              "; it may be busy: try again, or allow more time"};
}

void Session::check_wait(Instant now) {
  if (!waiting_) return;
  wait_seen_at_ = now;
  if (!wait_heard_ && now >= later(wait_started_at_, options_.call_timeout)) {
    wait_failure_ = unreachable(wait_started_at_, now);
    return;
  }
  if (now >= resync_at_ && contact_.greeted()) {
    // A new greeting makes the broker drop what it follows, so that asking again does not pile up.
    contact_.on_hello_first(now);
    resync_after_ = std::min(resync_after_ * 2, kResyncAfterMax);
    resync_at_ = later(now, resync_after_);
  }
  if (now >= ask_again_at_) ask_again(false, now);
}

Status Session::unreachable(Instant since, Instant now) const {
  return {Code::kRetryCall, "broker_unreachable",
          "no broker answered at " + options_.endpoint + " within " + seconds_text(now - since) +
              "; is assay-broker running? start one with `assay up`"};
}

bool Session::take_fresh_socket() {
  return std::exchange(fresh_socket_, false);
}

void Session::drain_sends(const std::function<Status(const Message&)>& send) {
  const std::vector<Outgoing> sends = std::exchange(sends_, {});
  for (const Outgoing& outgoing : sends) {
    if (const auto* message = std::get_if<Message>(&outgoing)) {
      static_cast<void>(send(*message));  // of these none grows beyond a limit
      continue;
    }
    const std::uint64_t number = std::get<std::uint64_t>(outgoing);
    const auto found = calls_.find(number);
    if (found == calls_.end()) continue;
    Status sent = send(found->second.request);
    if (!sent.is_ok()) complete(number, std::move(sent));
  }
}

std::vector<std::string> Session::take_notices() {
  return std::exchange(notices_, {});
}

Instant Session::wake_at() const {
  if (calls_.empty() && !waiting_) return kNever;
  Instant wake = contact_.wake_at();
  if (!calls_.empty()) {
    wake = std::min(wake, calls_due_at_);
  }
  if (waiting_) {
    wake = std::min(wake, ask_again_at_);
    if (contact_.greeted()) wake = std::min(wake, resync_at_);
    if (!wait_heard_) wake = std::min(wake, later(wait_started_at_, options_.call_timeout));
  }
  return wake;
}

}  // namespace assay::client
