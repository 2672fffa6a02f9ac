// The types of messages: their names, and which value has which.
#include "assay/message.h"

#include "sdk/wire/fields.h"

namespace assay {

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::kClientHello:
      return "CLIENT_HELLO";
    case MessageType::kWorkerHello:
      return "WORKER_HELLO";
    case MessageType::kWelcome:
      return "WELCOME";
    case MessageType::kError:
      return "ERROR";
    case MessageType::kHeartbeat:
      return "HEARTBEAT";
    case MessageType::kGoodbye:
      return "GOODBYE";
    case MessageType::kSubmit:
      return "SUBMIT";
    case MessageType::kSubmitted:
      return "SUBMITTED";
    case MessageType::kAwait:
      return "AWAIT";
    case MessageType::kResults:
      return "RESULTS";
    case MessageType::kCancel:
      return "CANCEL";
    case MessageType::kCancelled:
      return "CANCELLED";
    case MessageType::kStatus:
      return "STATUS";
    case MessageType::kTaskStatus:
      return "TASK_STATUS";
    case MessageType::kQueues:
      return "QUEUES";
    case MessageType::kQueueList:
      return "QUEUE_LIST";
    case MessageType::kWorkers:
      return "WORKERS";
    case MessageType::kWorkerList:
      return "WORKER_LIST";
    case MessageType::kEvents:
      return "EVENTS";
    case MessageType::kEventList:
      return "EVENT_LIST";
    case MessageType::kList:
      return "LIST";
    case MessageType::kTaskList:
      return "TASK_LIST";
    case MessageType::kOperate:
      return "OPERATE";
    case MessageType::kOperated:
      return "OPERATED";
    case MessageType::kTasks:
      return "TASKS";
    case MessageType::kReport:
      return "REPORT";
    case MessageType::kRecorded:
      return "RECORDED";
    case MessageType::kProgress:
      return "PROGRESS";
    case MessageType::kStop:
      return "STOP";
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
  }
  return "unknown";
}

MessageType type_of(const Message& message) {
  return std::visit(
      [](const auto& value) { return wire::Fields<std::decay_t<decltype(value)>>::kType; },
      message);
}

}  // namespace assay
