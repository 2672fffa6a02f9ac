// The messages of the wire protocol as values. docs/protocol.md is the specification; sdk/wire
// turns these to bytes and back. A message's number (MessageType) is never reused; a field that a
// peer does not know is ignored, so fields may be added.
#ifndef ASSAY_MESSAGE_H_
#define ASSAY_MESSAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "assay/ids.h"
#include "assay/inspect.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

inline constexpr std::uint8_t kProtocolVersion = 1;

enum class MessageType : std::uint16_t {
  kClientHello = 1,
  kWorkerHello = 2,
  kWelcome = 3,
  kError = 4,
  kHeartbeat = 5,
  kGoodbye = 6,
  // producers and operators
  kSubmit = 16,
  kSubmitted = 17,
  kAwait = 18,
  kResults = 19,
  kCancel = 20,
  kCancelled = 21,
  kStatus = 22,
  kTaskStatus = 23,
  kQueues = 24,
  kQueueList = 25,
  kWorkers = 26,
  kWorkerList = 27,
  kEvents = 28,
  kEventList = 29,
  kList = 30,
  kTaskList = 31,
  kOperate = 32,
  kOperated = 33,
  kExplain = 34,
  kExplained = 35,
  kUsage = 36,
  kUsageList = 37,
  kSchedules = 38,
  kScheduleList = 39,
  kQuarantines = 40,
  kQuarantineList = 41,
  kReferences = 42,
  kReferenced = 43,
  kSnapshot = 44,
  kSnapshotAnswer = 45,
  // workers
  kTasks = 48,
  kReport = 49,
  kRecorded = 50,
  kProgress = 51,
  kStop = 52,
};
std::string_view to_string(MessageType type);

// An attempt that a worker has in its hands.
struct HeldAttempt {
  TaskId id;
  Attempt attempt;
  friend auto operator<=>(const HeldAttempt&, const HeldAttempt&) = default;
};

// First message of a producer or operator.
struct ClientHello {
  std::uint8_t version_min = kProtocolVersion;
  std::uint8_t version_max = kProtocolVersion;
  std::string name;  // for logs: "assay 0.1.0"
  friend bool operator==(const ClientHello&, const ClientHello&) = default;
};

// First message of a worker, and the first after it lost the broker.
struct WorkerHello {
  std::uint8_t version_min = kProtocolVersion;
  std::uint8_t version_max = kProtocolVersion;
  WorkerName name;                   // the same over reconnects, another for each process
  std::vector<QueueName> queues;     // at least one
  std::uint32_t slots = 1;           // how many tasks it can hold at once: its credit
  std::vector<HeldAttempt> holding;  // what it still runs: adopted, or answered in Welcome.drop
  std::map<std::string, std::string> labels;  // what tasks may require: gpu=a100, region=eu
  friend bool operator==(const WorkerHello&, const WorkerHello&) = default;
};

struct Welcome {
  std::uint8_t version = kProtocolVersion;
  std::string broker;              // its version, for logs
  Duration heartbeat_every{1000};  // say something at least this often
  Duration lease{10000};           // silence for so long loses tasks and waits
  std::vector<HeldAttempt> drop;   // to a worker: what it holds no longer counts; stop it
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

// A request that could not be done, or bytes that were not understood.
struct Error {
  std::uint64_t request = 0;  // the request that it answers; 0 when there is none
  Code code = Code::kInternal;
  std::string reason;   // a fixed token; docs/protocol.md lists them
  std::string message;  // for people
  Duration retry_after{0};
  friend bool operator==(const Error&, const Error&) = default;
};

// Either side: I am here. A worker's also renews its leases and says what it can hold.
struct Heartbeat {
  std::uint32_t slots = 0;           // from a worker
  std::vector<HeldAttempt> holding;  // from a worker
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// I leave now: drop my waits; what I hold goes back to the queue at once.
struct Goodbye {
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

struct Submit {
  std::uint64_t request = 0;
  std::vector<TaskSpec> tasks;  // accepted all or none
  friend bool operator==(const Submit&, const Submit&) = default;
};

// Every task of the Submit is durable. `duplicates` were so before, with the same content.
struct Submitted {
  std::uint64_t request = 0;
  std::uint32_t accepted = 0;
  std::vector<TaskId> duplicates;
  friend bool operator==(const Submitted&, const Submitted&) = default;
};

// Tell me how these ended: at once for those that have, later for the others if `follow` is set.
struct Await {
  std::uint64_t request = 0;
  std::vector<TaskId> ids;
  bool follow = true;
  friend bool operator==(const Await&, const Await&) = default;
};

// The answer to Await, and each later push for it (same request number).
struct Results {
  std::uint64_t request = 0;
  std::vector<TaskResult> results;
  std::vector<TaskId> pending;  // known, not ended
  std::vector<TaskId> unknown;
  friend bool operator==(const Results&, const Results&) = default;
};

struct Cancel {
  std::uint64_t request = 0;
  std::vector<TaskId> ids;
  std::string reason;            // for people
  bool with_dependents = false;  // and all that comes after them, whatever its on_failure says
  friend bool operator==(const Cancel&, const Cancel&) = default;
};

struct Cancelled {
  std::uint64_t request = 0;
  std::vector<TaskId> cancelled;  // ended now
  std::vector<TaskId> requested;  // running: its worker is told until it confirms
  std::vector<TaskId> ended;      // had ended before
  std::vector<TaskId> unknown;
  friend bool operator==(const Cancelled&, const Cancelled&) = default;
};

// Asks for one task by its id's text or a prefix of it that fits no other.
struct StatusRequest {
  std::uint64_t request = 0;
  std::string id_prefix;
  friend bool operator==(const StatusRequest&, const StatusRequest&) = default;
};

struct TaskStatus {
  std::uint64_t request = 0;
  TaskInfo task;
  friend bool operator==(const TaskStatus&, const TaskStatus&) = default;
};

struct QueuesRequest {
  std::uint64_t request = 0;
  friend bool operator==(const QueuesRequest&, const QueuesRequest&) = default;
};

struct QueueList {
  std::uint64_t request = 0;
  std::vector<QueueInfo> queues;
  friend bool operator==(const QueueList&, const QueueList&) = default;
};

struct WorkersRequest {
  std::uint64_t request = 0;
  friend bool operator==(const WorkersRequest&, const WorkersRequest&) = default;
};

struct WorkerList {
  std::uint64_t request = 0;
  std::vector<WorkerInfo> workers;
  friend bool operator==(const WorkerList&, const WorkerList&) = default;
};

// What a subscriber missed: the kept events with a sequence over `after`. Empty fields match
// everything.
struct EventsRequest {
  std::uint64_t request = 0;
  std::uint64_t after = 0;
  std::vector<TaskId> tasks;  // empty: all
  std::uint32_t limit = 1000;
  QueueName queue = {};
  std::vector<EventKind> kinds = {};
  Time since{};  // that happened then or later
  friend bool operator==(const EventsRequest&, const EventsRequest&) = default;
};

struct EventList {
  std::uint64_t request = 0;
  std::uint64_t oldest = 0;  // the oldest sequence still kept: a gap below it stays a gap
  std::uint64_t newest = 0;  // of the broker, kept or not
  bool complete = true;      // false: more than `limit` were there, ask again after the last
  std::vector<FeedEvent> events;
  friend bool operator==(const EventList&, const EventList&) = default;
};

// Asks for tasks, the newest first. Empty fields match everything. What is over `limit` is asked
// for with the last id of the page before in `after`.
struct ListRequest {
  std::uint64_t request = 0;
  std::vector<TaskState> states;
  QueueName queue;
  OwnerName owner;
  Time since{};  // submitted then or later
  std::uint32_t limit = 100;
  std::map<std::string, std::string> labels = {};  // all of these, with these values
  Time until{};                                    // submitted before; the epoch: no bound
  TaskId after = {};                               // zeros: from the newest
  friend bool operator==(const ListRequest&, const ListRequest&) = default;
};

struct TaskList {
  std::uint64_t request = 0;
  bool complete = true;  // false: there are more than `limit`
  std::vector<TaskInfo> tasks;
  friend bool operator==(const TaskList&, const TaskList&) = default;
};

// What an operator can do. On the wire: never reuse one.
enum class Operation : std::uint8_t {
  kPauseQueue = 0,  // the queue takes tasks and gives none out
  kResumeQueue = 1,
  kPurgeQueue = 2,   // cancels what waits and what is queued, up to 10,000 tasks: repeat until 0
  kDrainWorker = 3,  // the worker gets nothing new
  kRetryDead = 4,    // dead tasks go back to their queue, their losses forgiven
  kDropDead = 5,     // dead tasks are forgotten
  kReleaseQuarantine = 6,  // its tasks may run again; `target` is its key
  kForgetEnded = 7,        // ended tasks are forgotten with their results, but for pinned ones
  kPin = 8,                // these tasks, and what they refer to, are kept whatever retention says
  kUnpin = 9,
};
std::string_view to_string(Operation operation);

struct Operate {
  std::uint64_t request = 0;
  Operation operation = Operation::kPauseQueue;
  std::string target;       // the queue's or worker's name, the quarantine's key
  std::vector<TaskId> ids;  // the tasks
  friend bool operator==(const Operate&, const Operate&) = default;
};

// It is done, durably. `affected` counts the tasks that it changed.
struct Operated {
  std::uint64_t request = 0;
  std::uint64_t affected = 0;
  friend bool operator==(const Operated&, const Operated&) = default;
};

// Broker to worker: run these.
struct Tasks {
  std::vector<TaskAssignment> tasks;
  friend bool operator==(const Tasks&, const Tasks&) = default;
};

// Worker to broker: these are through. Repeated until it is answered by Recorded.
struct Report {
  std::vector<TaskReport> reports;
  friend bool operator==(const Report&, const Report&) = default;
};

// Broker to worker: forget these reports. `recorded` are durable; `stale` came from an attempt that
// no longer counts and changed nothing.
struct Recorded {
  std::vector<HeldAttempt> recorded;
  std::vector<HeldAttempt> stale;
  friend bool operator==(const Recorded&, const Recorded&) = default;
};

struct ProgressReport {
  TaskId id;
  Attempt attempt;
  EventKind kind = EventKind::kProgress;  // kProgress, kLog or kSafety
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string text;
  friend bool operator==(const ProgressReport&, const ProgressReport&) = default;
};

struct Progress {
  std::vector<ProgressReport> reports;
  friend bool operator==(const Progress&, const Progress&) = default;
};

// Broker to worker: stop these, and report them (Outcome::kCancelled). Repeated until reported.
// `drop`: they no longer count; stop them and report nothing. `hand_over`: this worker is drained;
// let go of these, if they can go on without it, and report Outcome::kHandOver.
struct Stop {
  std::vector<HeldAttempt> cancel;
  std::vector<HeldAttempt> drop;
  std::vector<HeldAttempt> hand_over;
  friend bool operator==(const Stop&, const Stop&) = default;
};

using Message =
    std::variant<ClientHello, WorkerHello, Welcome, Error, Heartbeat, Goodbye, Submit, Submitted,
                 Await, Results, Cancel, Cancelled, StatusRequest, TaskStatus, QueuesRequest,
                 QueueList, WorkersRequest, WorkerList, EventsRequest, EventList, ListRequest,
                 TaskList, Operate, Operated, ExplainRequest, Explained, UsageRequest, UsageList,
                 SchedulesRequest, ScheduleList, QuarantinesRequest, QuarantineList,
                 ReferencesRequest, Referenced, SnapshotRequest, Snapshot, Tasks, Report, Recorded,
                 Progress, Stop>;

MessageType type_of(const Message& message);

}  // namespace assay

#endif  // ASSAY_MESSAGE_H_
