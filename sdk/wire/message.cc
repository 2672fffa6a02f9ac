// The types of messages: their names, and which value has which.
#include "assay/message.h"

#include <utility>

#include "sdk/wire/fields.h"

namespace assay {

namespace {

using enum MessageType;
constexpr std::pair<MessageType, std::string_view> kNames[] = {
    {kClientHello, "CLIENT_HELLO"},
    {kWorkerHello, "WORKER_HELLO"},
    {kWelcome, "WELCOME"},
    {kError, "ERROR"},
    {kHeartbeat, "HEARTBEAT"},
    {kGoodbye, "GOODBYE"},
    {kSubmit, "SUBMIT"},
    {kSubmitted, "SUBMITTED"},
    {kAwait, "AWAIT"},
    {kResults, "RESULTS"},
    {kCancel, "CANCEL"},
    {kCancelled, "CANCELLED"},
    {kStatus, "STATUS"},
    {kTaskStatus, "TASK_STATUS"},
    {kQueues, "QUEUES"},
    {kQueueList, "QUEUE_LIST"},
    {kWorkers, "WORKERS"},
    {kWorkerList, "WORKER_LIST"},
    {kEvents, "EVENTS"},
    {kEventList, "EVENT_LIST"},
    {kList, "LIST"},
    {kTaskList, "TASK_LIST"},
    {kOperate, "OPERATE"},
    {kOperated, "OPERATED"},
    {kExplain, "EXPLAIN"},
    {kExplained, "EXPLAINED"},
    {kUsage, "USAGE"},
    {kUsageList, "USAGE_LIST"},
    {kSchedules, "SCHEDULES"},
    {kScheduleList, "SCHEDULE_LIST"},
    {kQuarantines, "QUARANTINES"},
    {kQuarantineList, "QUARANTINE_LIST"},
    {kReferences, "REFERENCES"},
    {kReferenced, "REFERENCED"},
    {kSnapshot, "SNAPSHOT"},
    {kSnapshotAnswer, "SNAPSHOT_ANSWER"},
    {kTasks, "TASKS"},
    {kReport, "REPORT"},
    {kRecorded, "RECORDED"},
    {kProgress, "PROGRESS"},
    {kStop, "STOP"},
};

}  // namespace

std::string_view to_string(MessageType type) {
  for (const auto& [named, name] : kNames) {
    if (named == type) return name;
  }
  return "unknown";
}

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::kPauseQueue:
      return "pause_queue";
    case Operation::kResumeQueue:
      return "resume_queue";
    case Operation::kPurgeQueue:
      return "purge_queue";
    case Operation::kDrainWorker:
      return "drain_worker";
    case Operation::kRetryDead:
      return "retry_dead";
    case Operation::kDropDead:
      return "drop_dead";
    case Operation::kReleaseQuarantine:
      return "release_quarantine";
    case Operation::kForgetEnded:
      return "forget_ended";
    case Operation::kPin:
      return "pin";
    case Operation::kUnpin:
      return "unpin";
  }
  return "unknown";
}

std::string_view to_string(UsageBy by) {
  return by == UsageBy::kOwner ? "owner" : "queue";
}

MessageType type_of(const Message& message) {
  return std::visit(
      [](const auto& value) { return wire::Fields<std::decay_t<decltype(value)>>::kType; },
      message);
}

}  // namespace assay
