#include "broker/history/inquiry.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "broker/core/limits.h"

namespace assay::history {
namespace {

core::HistoryAnswer failed(Status status) {
  core::HistoryAnswer answer;
  // The history's own words for what peers know by another name.
  if (status.reason() == kReasonAmbiguous)
    status = fix_input("ambiguous_id", std::string(status.message()));
  answer.status = std::move(status);
  return answer;
}

TaskInfo info_of(const TaskRow& row) {
  TaskInfo info;
  info.id = row.id;
  info.queue = row.queue;
  info.owner = row.owner;
  info.priority = row.priority;
  info.labels = row.labels;
  info.state = row.state;
  info.cause = row.cause;
  info.reason = row.reason;
  info.submitted_at = row.submitted_at;
  info.ended_at = row.ended_at;
  info.cancel_requested = row.cancel_requested_at.has_value();
  return info;
}

core::HistoryAnswer on(Reader& reader, const StatusRequest& request) {
  auto story = reader.task(request.id_prefix);
  if (!story.is_ok()) return failed(story.status());
  TaskInfo info = info_of(story->task);
  for (const AttemptRow& row : story->attempts) {
    info.attempts.push_back({.attempt = row.attempt,
                             .worker = row.worker,
                             .started_at = row.started_at,
                             .ended_at = row.ended_at,
                             .ended_because = row.ended_because,
                             .cause = row.cause});
  }
  core::HistoryAnswer answer;
  answer.tasks.push_back(std::move(info));
  return answer;
}

core::HistoryAnswer on(Reader& reader, const Await& await) {
  core::HistoryAnswer answer;
  for (const TaskId& id : await.ids) {
    auto story = reader.task(id.text());
    if (story.status().code() == Code::kNotFound) continue;
    if (!story.is_ok()) return failed(story.status());
    const TaskRow& row = story->task;
    if (!row.ended_at) {
      // Memory does not know it any more, so it has ended; its end is on its way here.
      return failed(retry_later("history_behind",
                                "the end of task " + id.text() + " is being written to the history")
                        .with_retry_after(Duration(500)));
    }
    answer.results.push_back({.id = id,
                              .state = row.state,
                              .cause = row.cause,
                              .reason = row.reason,
                              .attempt = Attempt{row.attempts},
                              .ended_at = *row.ended_at,
                              .result = std::move(story->result).value_or(std::string())});
    if (row.result_bytes > kResultBytesKeptMax) {
      answer.results.back().reason += (row.reason.empty() ? "its result of " : "; its result of ") +
                                      std::to_string(row.result_bytes) +
                                      " bytes was larger than the history keeps";
    }
  }
  return answer;
}

core::HistoryAnswer on(Reader& reader, const ListRequest& request) {
  core::HistoryAnswer answer;
  NewestFilter filter{.states = request.states,
                      .queue = request.queue,
                      .owner = request.owner,
                      .labels = request.labels,
                      .since = std::nullopt,
                      .until = std::nullopt,
                      .after = std::nullopt};
  if (request.since != Time()) filter.since = request.since;
  if (request.until != Time()) filter.until = request.until;
  if (request.after != TaskId()) {
    const auto at = reader.submitted_at(request.after);
    if (!at.is_ok()) return failed(at.status());
    if (!*at) {
      return failed(not_found(std::string(kReasonUnknownTask),
                              "history knows no task " + request.after.text()));
    }
    answer.after_submitted = *at;
    filter.after.emplace(**at, request.after);
  }
  auto page = reader.newest(filter, std::clamp<std::size_t>(request.limit, 1, kPageRowsMax));
  if (!page.is_ok()) return failed(page.status());
  answer.complete = page->complete;
  for (const TaskRow& row : page->tasks) answer.tasks.push_back(info_of(row));
  return answer;
}

core::HistoryAnswer on(Reader& reader, const EventsRequest& request) {
  auto page = reader.events({.after = request.after,
                             .tasks = request.tasks,
                             .queue = request.queue,
                             .since = request.since},
                            std::clamp<std::size_t>(request.limit, 1, core::kEventsPerReplyMax));
  if (!page.is_ok()) return failed(page.status());
  core::HistoryAnswer answer;
  answer.events = std::move(page->events);
  answer.complete = page->complete;
  answer.through = page->through;
  answer.oldest = page->oldest;
  return answer;
}

core::HistoryAnswer on(Reader& reader, const UsageRequest& request) {
  UsageFilter filter;
  filter.by_owner = request.by == UsageBy::kOwner;
  filter.by_queue = request.by == UsageBy::kQueue;
  if (request.since != Time()) filter.since = std::chrono::floor<std::chrono::days>(request.since);
  if (request.until != Time()) filter.until = std::chrono::ceil<std::chrono::days>(request.until);
  const auto rows = reader.usage(filter);
  if (!rows.is_ok()) return failed(rows.status());
  core::HistoryAnswer answer;
  for (const UsageRow& row : *rows) {
    answer.usage.push_back({.key = row.owner ? row.owner->value : row.queue->value,
                            .tasks = row.tasks,
                            .succeeded = row.tasks - row.failed - row.cancelled,
                            .failed = row.failed,
                            .usage = {.cpu_seconds = row.cpu_seconds,
                                      .memory_byte_seconds = row.memory_byte_seconds,
                                      .gpu_seconds = row.gpu_seconds,
                                      .wall_seconds = row.wall_seconds}});
  }
  return answer;
}

}  // namespace

core::HistoryAnswer answer(Result<Reader*> reader, const Message& request) {
  if (!reader.is_ok()) return failed(reader.status());
  return std::visit(
      [&]<typename M>(const M& what) {
        if constexpr (std::is_same_v<M, StatusRequest> || std::is_same_v<M, Await> ||
                      std::is_same_v<M, ListRequest> || std::is_same_v<M, EventsRequest> ||
                      std::is_same_v<M, UsageRequest>) {
          return on(**reader, what);
        } else {
          return failed(internal_error("no_inquiry", "the history is never asked this"));
        }
      },
      request);
}

}  // namespace assay::history
