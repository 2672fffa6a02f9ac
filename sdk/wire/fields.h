// What stands in each message: the one table that both directions of the codec follow, in the order
// of the bytes. A key is the member's name. It must not know how a value looks in bytes.
//
// required: always sent; its absence is a mistake. optional: left out when it equals the member's
// initial value in message.h or task.h, so those initial values are part of the protocol. Adding an
// optional field keeps the version; anything else raises it (docs/protocol.md, Changes) and the
// golden bytes show it.
#ifndef ASSAY_SDK_WIRE_FIELDS_H_
#define ASSAY_SDK_WIRE_FIELDS_H_

#include "sdk/wire/field.h"
#include "sdk/wire/inspect_fields.h"

namespace assay::wire {

template <>
struct Fields<HeldAttempt> {
  static constexpr std::tuple kAll{required("id", &HeldAttempt::id),
                                   required("attempt", &HeldAttempt::attempt)};
};

template <>
struct Fields<Usage> {
  static constexpr std::tuple kAll{
      optional("cpu_seconds", &Usage::cpu_seconds),
      optional("memory_byte_seconds", &Usage::memory_byte_seconds),
      optional("gpu_seconds", &Usage::gpu_seconds),
      optional("wall_seconds", &Usage::wall_seconds),
  };
};

template <>
struct Fields<TaskSpec> {
  static constexpr std::tuple kAll{
      required("id", &TaskSpec::id),
      required("queue", &TaskSpec::queue),
      required("owner", &TaskSpec::owner),
      optional("priority", &TaskSpec::priority),
      optional("max_attempts", &TaskSpec::max_attempts),
      optional("labels", &TaskSpec::labels),
      optional("body", &TaskSpec::body, Form::kBytes),
      optional("after", &TaskSpec::after),
      optional("on_failure", &TaskSpec::on_failure),
      optional("not_before", &TaskSpec::not_before),
      optional("deadline", &TaskSpec::deadline),
      optional("timeout", &TaskSpec::timeout),
      optional("backoff_first", &TaskSpec::backoff_first),
      optional("backoff_max", &TaskSpec::backoff_max),
      optional("cost", &TaskSpec::cost),
      optional("require", &TaskSpec::require),
      optional("cache_key", &TaskSpec::cache_key),
      optional("cache_ttl", &TaskSpec::cache_ttl),
      optional("traceparent", &TaskSpec::traceparent),
      optional("artifacts", &TaskSpec::artifacts),
  };
};

template <>
struct Fields<TaskInput> {
  static constexpr std::tuple kAll{
      required("id", &TaskInput::id),
      required("state", &TaskInput::state),
      optional("result", &TaskInput::result, Form::kBytes),
  };
};

template <>
struct Fields<TaskAssignment> {
  static constexpr std::tuple kAll{
      required("id", &TaskAssignment::id),
      required("attempt", &TaskAssignment::attempt),
      required("queue", &TaskAssignment::queue),
      required("owner", &TaskAssignment::owner),
      optional("priority", &TaskAssignment::priority),
      optional("body", &TaskAssignment::body, Form::kBytes),
      optional("timeout", &TaskAssignment::timeout),
      optional("inputs", &TaskAssignment::inputs),
      optional("resume", &TaskAssignment::resume),
      optional("labels", &TaskAssignment::labels),
      optional("traceparent", &TaskAssignment::traceparent),
      optional("max_attempts", &TaskAssignment::max_attempts),
  };
};

template <>
struct Fields<TaskReport> {
  static constexpr std::tuple kAll{
      required("id", &TaskReport::id),
      required("attempt", &TaskReport::attempt),
      required("outcome", &TaskReport::outcome),
      optional("cause", &TaskReport::cause),
      optional("reason", &TaskReport::reason),
      optional("delay", &TaskReport::delay),
      optional("result", &TaskReport::result, Form::kBytes),
      optional("usage", &TaskReport::usage),
      optional("artifacts", &TaskReport::artifacts),
  };
};

template <>
struct Fields<TaskResult> {
  static constexpr std::tuple kAll{
      required("id", &TaskResult::id),
      required("state", &TaskResult::state),
      optional("cause", &TaskResult::cause),
      optional("reason", &TaskResult::reason),
      optional("attempt", &TaskResult::attempt),
      required("ended_at", &TaskResult::ended_at),
      optional("result", &TaskResult::result, Form::kBytes),
      optional("usage", &TaskResult::usage),
      optional("cached_from", &TaskResult::cached_from),
      optional("artifacts", &TaskResult::artifacts),
  };
};

template <>
struct Fields<AttemptInfo> {
  static constexpr std::tuple kAll{
      required("attempt", &AttemptInfo::attempt),
      required("worker", &AttemptInfo::worker),
      required("started_at", &AttemptInfo::started_at),
      optional("ended_at", &AttemptInfo::ended_at),
      optional("ended_because", &AttemptInfo::ended_because),
      optional("cause", &AttemptInfo::cause),
      optional("usage", &AttemptInfo::usage),
  };
};

template <>
struct Fields<TaskInfo> {
  static constexpr std::tuple kAll{
      required("id", &TaskInfo::id),
      required("queue", &TaskInfo::queue),
      required("owner", &TaskInfo::owner),
      optional("priority", &TaskInfo::priority),
      optional("labels", &TaskInfo::labels),
      required("state", &TaskInfo::state),
      optional("cause", &TaskInfo::cause),
      optional("reason", &TaskInfo::reason),
      required("submitted_at", &TaskInfo::submitted_at),
      optional("ended_at", &TaskInfo::ended_at),
      optional("cancel_requested", &TaskInfo::cancel_requested),
      optional("position", &TaskInfo::position),
      optional("after", &TaskInfo::after),
      optional("attempts", &TaskInfo::attempts),
      optional("cached_from", &TaskInfo::cached_from),
      optional("usage", &TaskInfo::usage),
      optional("artifacts", &TaskInfo::artifacts),
      optional("pinned", &TaskInfo::pinned),
  };
};

template <>
struct Fields<QueueInfo> {
  static constexpr std::tuple kAll{
      required("name", &QueueInfo::name),
      required("queued", &QueueInfo::queued),
      required("running", &QueueInfo::running),
      required("waiting", &QueueInfo::waiting),
      optional("oldest_seconds", &QueueInfo::oldest_seconds),
      optional("workers", &QueueInfo::workers),
      optional("capacity", &QueueInfo::capacity),
      optional("paused", &QueueInfo::paused),
  };
};

template <>
struct Fields<WorkerInfo> {
  static constexpr std::tuple kAll{
      required("name", &WorkerInfo::name),
      required("queues", &WorkerInfo::queues),
      required("slots", &WorkerInfo::slots),
      required("running", &WorkerInfo::running),
      optional("silent_seconds", &WorkerInfo::silent_seconds),
      required("joined_at", &WorkerInfo::joined_at),
      optional("labels", &WorkerInfo::labels),
      optional("draining", &WorkerInfo::draining),
  };
};

// An event of a worker concerns no task: queue, task and attempt are left out then.
template <>
struct Fields<FeedEvent> {
  static constexpr std::tuple kAll{
      required("sequence", &FeedEvent::sequence),
      optional("previous", &FeedEvent::previous),
      required("at", &FeedEvent::at),
      required("kind", &FeedEvent::kind),
      optional("queue", &FeedEvent::queue),
      optional("task", &FeedEvent::task),
      optional("attempt", &FeedEvent::attempt),
      optional("state", &FeedEvent::state),
      optional("worker", &FeedEvent::worker),
      optional("done", &FeedEvent::done),
      optional("total", &FeedEvent::total),
      optional("text", &FeedEvent::text),
      optional("previous_in_queue", &FeedEvent::previous_in_queue),
  };
};

template <>
struct Fields<ProgressReport> {
  static constexpr std::tuple kAll{
      required("id", &ProgressReport::id),       required("attempt", &ProgressReport::attempt),
      optional("kind", &ProgressReport::kind),   optional("done", &ProgressReport::done),
      optional("total", &ProgressReport::total), optional("text", &ProgressReport::text),
  };
};

template <>
struct Fields<ClientHello> {
  static constexpr MessageType kType = MessageType::kClientHello;
  static constexpr std::tuple kAll{
      required("version_min", &ClientHello::version_min),
      required("version_max", &ClientHello::version_max),
      optional("name", &ClientHello::name),
  };
};

template <>
struct Fields<WorkerHello> {
  static constexpr MessageType kType = MessageType::kWorkerHello;
  static constexpr std::tuple kAll{
      required("version_min", &WorkerHello::version_min),
      required("version_max", &WorkerHello::version_max),
      required("name", &WorkerHello::name),
      required("queues", &WorkerHello::queues),
      required("slots", &WorkerHello::slots),
      optional("holding", &WorkerHello::holding),
      optional("labels", &WorkerHello::labels),
  };
};

template <>
struct Fields<Welcome> {
  static constexpr MessageType kType = MessageType::kWelcome;
  static constexpr std::tuple kAll{
      required("version", &Welcome::version),
      optional("broker", &Welcome::broker),
      required("heartbeat_every", &Welcome::heartbeat_every),
      required("lease", &Welcome::lease),
      optional("drop", &Welcome::drop),
  };
};

template <>
struct Fields<Error> {
  static constexpr MessageType kType = MessageType::kError;
  static constexpr std::tuple kAll{
      optional("request", &Error::request),         required("code", &Error::code),
      required("reason", &Error::reason),           optional("message", &Error::message),
      optional("retry_after", &Error::retry_after),
  };
};

template <>
struct Fields<Heartbeat> {
  static constexpr MessageType kType = MessageType::kHeartbeat;
  static constexpr std::tuple kAll{optional("slots", &Heartbeat::slots),
                                   optional("holding", &Heartbeat::holding)};
};

template <>
struct Fields<Goodbye> {
  static constexpr MessageType kType = MessageType::kGoodbye;
  static constexpr std::tuple<> kAll{};
};

template <>
struct Fields<Submit> {
  static constexpr MessageType kType = MessageType::kSubmit;
  static constexpr std::tuple kAll{required("request", &Submit::request),
                                   required("tasks", &Submit::tasks)};
};

template <>
struct Fields<Submitted> {
  static constexpr MessageType kType = MessageType::kSubmitted;
  static constexpr std::tuple kAll{
      required("request", &Submitted::request),
      required("accepted", &Submitted::accepted),
      optional("duplicates", &Submitted::duplicates),
  };
};

template <>
struct Fields<Await> {
  static constexpr MessageType kType = MessageType::kAwait;
  static constexpr std::tuple kAll{
      required("request", &Await::request),
      required("ids", &Await::ids),
      optional("follow", &Await::follow),
  };
};

template <>
struct Fields<Results> {
  static constexpr MessageType kType = MessageType::kResults;
  static constexpr std::tuple kAll{
      required("request", &Results::request),
      optional("results", &Results::results),
      optional("pending", &Results::pending),
      optional("unknown", &Results::unknown),
  };
};

template <>
struct Fields<Cancel> {
  static constexpr MessageType kType = MessageType::kCancel;
  static constexpr std::tuple kAll{
      required("request", &Cancel::request),
      required("ids", &Cancel::ids),
      optional("reason", &Cancel::reason),
      optional("with_dependents", &Cancel::with_dependents),
  };
};

template <>
struct Fields<Cancelled> {
  static constexpr MessageType kType = MessageType::kCancelled;
  static constexpr std::tuple kAll{
      required("request", &Cancelled::request),     optional("cancelled", &Cancelled::cancelled),
      optional("requested", &Cancelled::requested), optional("ended", &Cancelled::ended),
      optional("unknown", &Cancelled::unknown),
  };
};

template <>
struct Fields<StatusRequest> {
  static constexpr MessageType kType = MessageType::kStatus;
  static constexpr std::tuple kAll{required("request", &StatusRequest::request),
                                   required("id_prefix", &StatusRequest::id_prefix)};
};

template <>
struct Fields<TaskStatus> {
  static constexpr MessageType kType = MessageType::kTaskStatus;
  static constexpr std::tuple kAll{required("request", &TaskStatus::request),
                                   required("task", &TaskStatus::task)};
};

template <>
struct Fields<QueuesRequest> {
  static constexpr MessageType kType = MessageType::kQueues;
  static constexpr std::tuple kAll{required("request", &QueuesRequest::request)};
};

template <>
struct Fields<QueueList> {
  static constexpr MessageType kType = MessageType::kQueueList;
  static constexpr std::tuple kAll{required("request", &QueueList::request),
                                   optional("queues", &QueueList::queues)};
};

template <>
struct Fields<WorkersRequest> {
  static constexpr MessageType kType = MessageType::kWorkers;
  static constexpr std::tuple kAll{required("request", &WorkersRequest::request)};
};

template <>
struct Fields<WorkerList> {
  static constexpr MessageType kType = MessageType::kWorkerList;
  static constexpr std::tuple kAll{required("request", &WorkerList::request),
                                   optional("workers", &WorkerList::workers)};
};

template <>
struct Fields<EventsRequest> {
  static constexpr MessageType kType = MessageType::kEvents;
  static constexpr std::tuple kAll{
      required("request", &EventsRequest::request), optional("after", &EventsRequest::after),
      optional("tasks", &EventsRequest::tasks),     optional("limit", &EventsRequest::limit),
      optional("queue", &EventsRequest::queue),     optional("kinds", &EventsRequest::kinds),
      optional("since", &EventsRequest::since),
  };
};

template <>
struct Fields<EventList> {
  static constexpr MessageType kType = MessageType::kEventList;
  static constexpr std::tuple kAll{
      required("request", &EventList::request), required("oldest", &EventList::oldest),
      required("newest", &EventList::newest),   optional("complete", &EventList::complete),
      optional("events", &EventList::events),
  };
};

template <>
struct Fields<ListRequest> {
  static constexpr MessageType kType = MessageType::kList;
  static constexpr std::tuple kAll{
      required("request", &ListRequest::request), optional("states", &ListRequest::states),
      optional("queue", &ListRequest::queue),     optional("owner", &ListRequest::owner),
      optional("since", &ListRequest::since),     optional("limit", &ListRequest::limit),
      optional("labels", &ListRequest::labels),   optional("until", &ListRequest::until),
      optional("after", &ListRequest::after),
  };
};

template <>
struct Fields<TaskList> {
  static constexpr MessageType kType = MessageType::kTaskList;
  static constexpr std::tuple kAll{
      required("request", &TaskList::request),
      optional("complete", &TaskList::complete),
      optional("tasks", &TaskList::tasks),
  };
};

template <>
struct Fields<Operate> {
  static constexpr MessageType kType = MessageType::kOperate;
  static constexpr std::tuple kAll{
      required("request", &Operate::request),
      required("operation", &Operate::operation),
      optional("target", &Operate::target),
      optional("ids", &Operate::ids),
  };
};

template <>
struct Fields<Operated> {
  static constexpr MessageType kType = MessageType::kOperated;
  static constexpr std::tuple kAll{required("request", &Operated::request),
                                   required("affected", &Operated::affected)};
};

template <>
struct Fields<Tasks> {
  static constexpr MessageType kType = MessageType::kTasks;
  static constexpr std::tuple kAll{required("tasks", &Tasks::tasks)};
};

template <>
struct Fields<Report> {
  static constexpr MessageType kType = MessageType::kReport;
  static constexpr std::tuple kAll{required("reports", &Report::reports)};
};

template <>
struct Fields<Recorded> {
  static constexpr MessageType kType = MessageType::kRecorded;
  static constexpr std::tuple kAll{optional("recorded", &Recorded::recorded),
                                   optional("stale", &Recorded::stale)};
};

template <>
struct Fields<Progress> {
  static constexpr MessageType kType = MessageType::kProgress;
  static constexpr std::tuple kAll{required("reports", &Progress::reports)};
};

template <>
struct Fields<Stop> {
  static constexpr MessageType kType = MessageType::kStop;
  static constexpr std::tuple kAll{optional("cancel", &Stop::cancel), optional("drop", &Stop::drop),
                                   optional("hand_over", &Stop::hand_over)};
};

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_FIELDS_H_
