// Requests that memory and history answer as one. The history knows all that was durable a moment
// ago; memory knows what has not ended, what ended lately, and is right where both know a task.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "broker/core/broker_core.h"

namespace assay::core {
namespace {

// Nothing is known of it, as opposed to: nobody could be asked.
bool is_unknown(const Status& status) {
  return status.code() == Code::kNotFound;
}

// An error of the history, as the peer should act on it: whatever it was, another time may do.
Status for_peer(const Status& status) {
  if (status.code() == Code::kRetryLater) return status;
  return retry_later("history_unavailable", "the history cannot be asked now: " + status.message())
      .with_retry_after(Duration(1000));
}

}  // namespace

void BrokerCore::inquire(PeerId peer, Message request) {
  effects_->ask.push_back({peer, std::move(request)});
}

void BrokerCore::on_event(FromHistory&& what) {
  if (sessions_.client(what.to) == nullptr) return;  // it left, and asks again if it still cares
  std::visit(
      [&]<typename M>(const M& request) {
        if constexpr (std::is_same_v<M, StatusRequest> || std::is_same_v<M, Await> ||
                      std::is_same_v<M, ListRequest> || std::is_same_v<M, EventsRequest> ||
                      std::is_same_v<M, UsageRequest>) {
          on_answer(what.to, request, std::move(what.answer));
        }
      },
      what.request);
}

// A whole id that memory knows needs no history. A prefix may fit others there.
bool BrokerCore::may_be_in_history(const Result<TaskIndex>& found, const std::string& text) const {
  if (!options_.history) return false;
  if (found.is_ok()) return !TaskId::parse(text);
  return found.status().code() == Code::kNotFound;
}

void BrokerCore::on_answer(PeerId peer, const StatusRequest& request, HistoryAnswer&& answer) {
  const Result<TaskIndex> found = find_by_prefix(request.id_prefix);
  if (!found.is_ok() && !is_unknown(found.status()))
    return refuse(peer, request.request, found.status());
  if (answer.status.reason() == "ambiguous_id") return refuse(peer, request.request, answer.status);
  if (!answer.status.is_ok()) {
    if (found.is_ok())
      return send(peer, TaskStatus{.request = request.request, .task = info_of(*found)});
    return refuse(peer, request.request,
                  is_unknown(answer.status) ? found.status() : for_peer(answer.status));
  }
  TaskInfo& there = answer.tasks.at(0);
  if (!found.is_ok())
    return send(peer, TaskStatus{.request = request.request, .task = std::move(there)});
  const TaskId& here = state_.tasks().at(*found).id;
  if (here != there.id) {
    return refuse(peer, request.request,
                  fix_input("ambiguous_id", "more than one task begins with " + request.id_prefix +
                                                ": " + here.text() + " " + there.id.text() +
                                                "; give more characters"));
  }
  send(peer, TaskStatus{.request = request.request, .task = info_of(*found)});
}

void BrokerCore::on_answer(PeerId peer, const Await& await, HistoryAnswer&& answer) {
  if (!answer.status.is_ok()) return refuse(peer, await.request, for_peer(answer.status));
  Results reply{.request = await.request, .results = {}, .pending = {}, .unknown = {}};
  Await known{.request = await.request, .ids = {}, .follow = await.follow};
  for (const TaskId& id : await.ids) {
    const auto there = std::find_if(answer.results.begin(), answer.results.end(),
                                    [&](const TaskResult& result) { return result.id == id; });
    if (state_.tasks().find(id) != kNoTask) {
      known.ids.push_back(id);  // submitted meanwhile, or again
    } else if (there != answer.results.end()) {
      reply.results.push_back(std::move(*there));
    } else {
      reply.unknown.push_back(id);
    }
  }
  if (!known.ids.empty()) on_message(peer, std::move(known));
  if (!reply.results.empty() || !reply.unknown.empty()) send(peer, std::move(reply));
}

void BrokerCore::on_answer(PeerId peer, const ListRequest& request, HistoryAnswer&& answer) {
  // Where the page begins is unknown to the history, or is on its way there.
  const bool is_behind = is_unknown(answer.status) && state_.tasks().find(request.after) != kNoTask;
  if (!answer.status.is_ok() && (is_behind || !is_unknown(answer.status)))
    return refuse(peer, request.request, for_peer(answer.status));
  list(peer, request, answer);
}

// The history has changes of state only, so below what memory keeps there are no others.
void BrokerCore::on_answer(PeerId peer, const EventsRequest& request, HistoryAnswer&& answer) {
  const std::uint64_t newest = state_.last_sequence();
  if (!answer.status.is_ok()) return refuse(peer, request.request, for_peer(answer.status));
  const std::uint64_t kept_from = feed_.oldest() == 0 ? newest + 1 : feed_.oldest();
  const std::size_t both = std::erase_if(
      answer.events, [&](const FeedEvent& event) { return event.sequence >= kept_from; });
  if (answer.complete && answer.through < feed_.let_go_through() && answer.events.empty()) {
    return refuse(
        peer, request.request,
        retry_later("history_behind", "the history has come to event " +
                                          std::to_string(answer.through) + " and is being written")
            .with_retry_after(Duration(500)));
  }
  // All of it, up to where memory goes on?
  const bool joins = both > 0 || (answer.complete && answer.through >= feed_.let_go_through());
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kEventsPerReplyMax);
  EventList reply{.request = request.request, .oldest = 0, .newest = newest, .complete = false};
  if (joins && answer.events.size() < limit) {
    EventsRequest rest = request;
    rest.after = std::max(request.after, kept_from - 1);
    rest.limit = static_cast<std::uint32_t>(limit - answer.events.size());
    reply = feed_.answer(rest, newest);
  }
  reply.oldest = answer.oldest == 0 ? kept_from : std::min(answer.oldest, kept_from);
  reply.events.insert(reply.events.begin(), std::make_move_iterator(answer.events.begin()),
                      std::make_move_iterator(answer.events.end()));
  send(peer, std::move(reply));
}

void BrokerCore::on_message(PeerId peer, UsageRequest&& request) {
  if (!options_.history) {
    return refuse(peer, request.request,
                  not_found("no_history", "this broker keeps no history, and so no usage"));
  }
  inquire(peer, std::move(request));
}

void BrokerCore::on_answer(PeerId peer, const UsageRequest& request, HistoryAnswer&& answer) {
  if (answer.status.code() == Code::kFixInput) return refuse(peer, request.request, answer.status);
  if (!answer.status.is_ok()) return refuse(peer, request.request, for_peer(answer.status));
  send(peer, UsageList{.request = request.request, .rows = std::move(answer.usage)});
}

}  // namespace assay::core
