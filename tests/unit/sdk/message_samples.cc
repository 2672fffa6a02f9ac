#include "tests/unit/sdk/message_samples.h"

namespace assay::test {
namespace {

const TaskId kFirst = *TaskId::parse("01HZY3V7QK5N8D2R4T6W9X0ABC");
const TaskId kSecond = *TaskId::parse("01HZY3V7QK5N8D2R4T6W9X0ABD");
constexpr Time kSubmittedAt{Duration(1'700'000'000'000)};
constexpr Time kEndedAt{Duration(1'700'000'012'345)};
const std::string kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const std::string kHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
constexpr Usage kUsage{1.5, 2'000'000, 0.25, 12};

TaskSpec full_spec() {
  TaskSpec spec;
  spec.id = kFirst;
  spec.queue = QueueName("eval");
  spec.owner = OwnerName("red-team");
  spec.priority = 9;
  spec.max_attempts = 3;
  spec.labels = {{"model", "tiny-1"}, {"suite", "safety"}};
  spec.body = std::string("\x00\xff opaque", 9);
  spec.after = {kSecond};
  spec.on_failure = OnFailure::kRun;
  spec.not_before = kSubmittedAt;
  spec.deadline = kEndedAt;
  spec.timeout = Duration(90'000);
  spec.backoff_first = Duration(500);
  spec.backoff_max = Duration(70'000);
  spec.cost = 4;
  spec.require = {{"gpu", "a100"}, {"region", "eu"}};
  spec.cache_key = "tiny-1 on safety";
  spec.cache_ttl = Duration(3'600'000);
  spec.traceparent = kTraceparent;
  spec.artifacts = {kHash};
  return spec;
}

TaskSpec minimal_spec() {
  TaskSpec spec;
  spec.id = kSecond;
  spec.queue = QueueName("eval");
  spec.owner = OwnerName("a");
  return spec;
}

TaskResult full_result() {
  return {kFirst,     TaskState::kDead, Cause::kInfrastructure,     "lost 3 workers",
          Attempt{4}, kEndedAt,         std::string("\x01\x02", 2), kUsage,
          kSecond,    {kHash}};
}

TaskInfo full_info() {
  TaskInfo info;
  info.id = kFirst;
  info.queue = QueueName("eval");
  info.owner = OwnerName("red-team");
  info.priority = 0;
  info.labels = {{"model", "tiny-1"}};
  info.state = TaskState::kFailed;
  info.cause = Cause::kLimit;
  info.reason = "out of memory";
  info.submitted_at = kSubmittedAt;
  info.ended_at = kEndedAt;
  info.cancel_requested = true;
  info.position = 70'000;
  info.after = {kSecond};
  info.attempts = {
      {Attempt{1}, WorkerName("eval-1"), kSubmittedAt, kEndedAt, "lease expired",
       Cause::kInfrastructure, kUsage},
      {Attempt{2}, WorkerName("eval-2"), kSubmittedAt, std::nullopt, ""},
  };
  info.cached_from = kSecond;
  info.usage = kUsage;
  info.artifacts = {kHash};
  info.pinned = true;
  return info;
}

TaskInfo minimal_info() {
  TaskInfo info;
  info.id = kFirst;
  info.queue = QueueName("eval");
  info.owner = OwnerName("a");
  info.submitted_at = kSubmittedAt;
  return info;
}

std::vector<MessageSample> session_samples() {
  const std::vector<HeldAttempt> held = {{kFirst, Attempt{1}}, {kSecond, Attempt{300}}};
  return {
      {"CLIENT_HELLO", ClientHello{1, 2, "assay 0.1.0"}},
      {"CLIENT_HELLO minimal", ClientHello{}},
      {"WORKER_HELLO", WorkerHello{1,
                                   2,
                                   WorkerName("eval-1"),
                                   {QueueName("eval"), QueueName("build")},
                                   8,
                                   held,
                                   {{"gpu", "a100"}}}},
      {"WORKER_HELLO minimal", WorkerHello{1, 1, WorkerName("w"), {QueueName("eval")}, 1, {}, {}}},
      {"WELCOME", Welcome{1, "assay-broker 0.1.0", Duration(500), Duration(15'000), held}},
      {"WELCOME minimal", Welcome{}},
      {"ERROR", Error{7, Code::kRetryLater, "queue_full",
                      "the queue eval holds 100000 tasks, its limit", Duration(2'000)}},
      {"ERROR minimal", Error{0, Code::kRetryCall, "hello_first", "", Duration(0)}},
      {"HEARTBEAT", Heartbeat{8, held}},
      {"HEARTBEAT minimal", Heartbeat{}},
      {"GOODBYE", Goodbye{}},
  };
}

std::vector<MessageSample> producer_samples() {
  return {
      {"SUBMIT", Submit{1, {full_spec(), minimal_spec()}}},
      {"SUBMIT minimal", Submit{1, {minimal_spec()}}},
      {"SUBMITTED", Submitted{1, 2, {kSecond}}},
      {"SUBMITTED minimal", Submitted{1, 1, {}}},
      {"AWAIT", Await{2, {kFirst, kSecond}, false}},
      {"AWAIT minimal", Await{2, {kFirst}, true}},
      {"RESULTS", Results{2, {full_result()}, {kSecond}, {kFirst}}},
      {"RESULTS minimal", Results{2, {}, {}, {}}},
      {"CANCEL", Cancel{3, {kFirst}, "no longer needed", true}},
      {"CANCEL minimal", Cancel{3, {}, ""}},
      {"CANCELLED", Cancelled{3, {kFirst}, {kSecond}, {kFirst}, {kSecond}}},
      {"CANCELLED minimal", Cancelled{3, {}, {}, {}, {}}},
      {"STATUS", StatusRequest{4, "01HZY3V7"}},
      {"TASK_STATUS", TaskStatus{4, full_info()}},
      {"TASK_STATUS minimal", TaskStatus{4, minimal_info()}},
      {"QUEUES", QueuesRequest{5}},
      {"QUEUE_LIST", QueueList{5, {{QueueName("eval"), 12, 4, 1, 3.25, 2, 8, true}}}},
      {"QUEUE_LIST minimal", QueueList{5, {}}},
      {"WORKERS", WorkersRequest{6}},
      {"WORKER_LIST", WorkerList{6,
                                 {{WorkerName("eval-1"),
                                   {QueueName("eval")},
                                   8,
                                   4,
                                   0.5,
                                   kSubmittedAt,
                                   {{"gpu", "a100"}},
                                   true}}}},
      {"WORKER_LIST minimal", WorkerList{6, {}}},
      {"EVENTS", EventsRequest{7,
                               40,
                               {kFirst},
                               10,
                               QueueName("eval"),
                               {EventKind::kState, EventKind::kDead},
                               kSubmittedAt}},
      {"EVENTS minimal", EventsRequest{7, 0, {}, 1000}},
      {"EVENT_LIST", EventList{7, 1, 0x1'0000'0000, false, {full_event()}}},
      {"EVENT_LIST minimal", EventList{7, 0, 0, true, {}}},
  };
}

std::vector<MessageSample> operator_samples() {
  return {
      {"LIST", ListRequest{8,
                           {TaskState::kQueued, TaskState::kDead},
                           QueueName("eval"),
                           OwnerName("red-team"),
                           kSubmittedAt,
                           20,
                           {{"model", "tiny-1"}},
                           kEndedAt,
                           kSecond}},
      {"LIST minimal", ListRequest{8, {}, {}, {}, {}, 100}},
      {"TASK_LIST", TaskList{8, false, {full_info(), minimal_info()}}},
      {"TASK_LIST minimal", TaskList{8, true, {}}},
      {"OPERATE", Operate{9, Operation::kRetryDead, "eval", {kFirst, kSecond}}},
      {"OPERATE minimal", Operate{9, Operation::kPauseQueue, "", {}}},
      {"OPERATED", Operated{9, 2}},
      {"OPERATED minimal", Operated{9, 0}},
  };
}

Explanation full_explanation() {
  Explanation told;
  told.id = kFirst;
  told.queue = QueueName("eval");
  told.owner = OwnerName("red-team");
  told.state = TaskState::kQueued;
  told.position = 3;
  told.queued = 12;
  told.share_deserved = 0.5;
  told.share_used = 0.75;
  told.quota_here = 8;
  told.running_here = 7;
  told.quota = 16;
  told.running = 9;
  told.free_credit = 1;
  told.workers = 2;
  told.able_workers = 1;
  told.missing_labels = {{"gpu", "a100"}};
  told.waits_for = {{kSecond, TaskState::kRunning}};
  told.not_before = kEndedAt;
  told.grace_until = kEndedAt;
  told.paused = true;
  told.quarantined = "body:00ff";
  told.shares_run_of = kSecond;
  told.worker = WorkerName("eval-1");
  told.worker_says = "pod pending: no node has that GPU";
  told.estimated = true;
  told.estimate_low_seconds = 30;
  told.estimate_high_seconds = 90.5;
  told.because = {"its queue is paused", "2 tasks are before it"};
  return told;
}

std::vector<MessageSample> inspection_samples() {
  Explanation little;
  little.id = kFirst;
  little.queue = QueueName("eval");
  little.owner = OwnerName("a");
  return {
      {"EXPLAIN", ExplainRequest{10, "01HZY3V7"}},
      {"EXPLAINED", Explained{10, full_explanation()}},
      {"EXPLAINED minimal", Explained{10, little}},
      {"USAGE", UsageRequest{11, UsageBy::kQueue, kSubmittedAt, kEndedAt}},
      {"USAGE minimal", UsageRequest{11}},
      {"USAGE_LIST", UsageList{11, {{"red-team", 5, 3, 2, kUsage}}}},
      {"USAGE_LIST minimal", UsageList{11, {}}},
      {"SCHEDULES", SchedulesRequest{12}},
      {"SCHEDULE_LIST",
       ScheduleList{12,
                    {{"nightly", "0 3 * * *", QueueName("cleanup"), kEndedAt, kSubmittedAt, kFirst},
                     {"new", "@hourly", QueueName("eval"), {}, {}, {}}}}},
      {"SCHEDULE_LIST minimal", ScheduleList{12, {}}},
      {"QUARANTINES", QuarantinesRequest{13}},
      {"QUARANTINE_LIST",
       QuarantineList{13, {{"body:00ff", kSubmittedAt, 3, "its worker fell silent", 2}}}},
      {"QUARANTINE_LIST minimal", QuarantineList{13, {}}},
      {"REFERENCES", ReferencesRequest{14, {kHash}}},
      {"REFERENCED", Referenced{14, {kHash}}},
      {"REFERENCED minimal", Referenced{14, {}}},
      {"SNAPSHOT", SnapshotRequest{15, QueueName("eval"), {kFirst}, "eval/01HZ", kSecond, 50}},
      {"SNAPSHOT minimal", SnapshotRequest{15, {}, {}, {}, {}, 1000}},
      {"SNAPSHOT_ANSWER", Snapshot{15, 42, false, {full_event()}}},
      {"SNAPSHOT_ANSWER minimal", Snapshot{15, 0, true, {}}},
  };
}

std::vector<MessageSample> worker_samples() {
  const std::vector<HeldAttempt> held = {{kFirst, Attempt{1}}};
  return {
      {"TASKS", Tasks{{{kFirst,
                        Attempt{2},
                        QueueName("eval"),
                        OwnerName("red-team"),
                        9,
                        "body",
                        Duration(90'000),
                        {{kSecond, TaskState::kFailed, std::string("\x03\x00", 2)},
                         {kFirst, TaskState::kDead, ""}},
                        true,
                        {{"model", "tiny-1"}},
                        kTraceparent,
                        3}}}},
      {"TASKS minimal",
       Tasks{{{kFirst, Attempt{1}, QueueName("eval"), OwnerName("a"), 5, "", Duration(0), {}}}}},
      {"REPORT", Report{{{kFirst,
                          Attempt{2},
                          Outcome::kRetry,
                          Cause::kInfrastructure,
                          "image pull throttled",
                          Duration(30'000),
                          "partial",
                          kUsage,
                          {kHash}}}}},
      {"REPORT minimal",
       Report{{{kFirst, Attempt{1}, Outcome::kSucceeded, Cause::kNone, "", Duration(0), ""}}}},
      {"RECORDED", Recorded{held, {{kSecond, Attempt{2}}}}},
      {"RECORDED minimal", Recorded{}},
      {"PROGRESS", Progress{{{kFirst, Attempt{2}, EventKind::kLog, 15, 200, "test 15 of 200"}}}},
      {"PROGRESS minimal", Progress{{{kFirst, Attempt{1}, EventKind::kProgress, 0, 0, ""}}}},
      {"STOP", Stop{held, {{kSecond, Attempt{2}}}, held}},
      {"STOP minimal", Stop{}},
  };
}

}  // namespace

FeedEvent full_event() {
  return {42,
          41,
          kEndedAt,
          EventKind::kProgress,
          QueueName("eval"),
          kFirst,
          Attempt{2},
          TaskState::kRunning,
          WorkerName("eval-1"),
          15,
          200,
          "test 15 of 200",
          39};
}

std::vector<MessageSample> message_samples() {
  std::vector<MessageSample> samples = session_samples();
  for (auto&& more :
       {producer_samples(), operator_samples(), inspection_samples(), worker_samples()}) {
    samples.insert(samples.end(), more.begin(), more.end());
  }
  return samples;
}

}  // namespace assay::test
