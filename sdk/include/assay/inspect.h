// What people and tools may ask of a broker beyond its tasks: why one has not started, who used how
// much, which schedules and quarantines there are, which artifacts are needed, and where every task
// of a subscription stands. Included by message.h; docs/protocol.md section 6.9 specifies it.
#ifndef ASSAY_INSPECT_H_
#define ASSAY_INSPECT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"

namespace assay {

// A task that another comes after, and where it stands.
struct DependencyInfo {
  TaskId id;
  TaskState state = TaskState::kWaiting;

  friend bool operator==(const DependencyInfo&, const DependencyInfo&) = default;
};

// Why a task stands where it does: the facts, and sentences made of them. What does not apply has
// its initial value.
struct Explanation {
  TaskId id;
  QueueName queue;
  OwnerName owner;
  TaskState state = TaskState::kWaiting;
  std::uint64_t position = 0;    // in its queue, 1 is next; 0 when it is not queued
  std::uint64_t queued = 0;      // of how many
  double share_deserved = 0;     // of the queue, by weight among the owners that have work there
  double share_used = 0;         // of what runs there now, by cost
  std::uint32_t quota_here = 0;  // cost that the owner may have running in this queue; 0: no bound
  std::uint32_t running_here = 0;  // and has
  std::uint32_t quota = 0;         // the same over all queues
  std::uint32_t running = 0;
  std::uint64_t free_credit = 0;   // free slots of the connected workers of its queue
  std::uint32_t workers = 0;       // connected workers of its queue
  std::uint32_t able_workers = 0;  // of those, how many bear the labels that it requires
  std::map<std::string, std::string> missing_labels;  // required, and borne by none of them
  std::vector<DependencyInfo> waits_for;              // what it comes after and has not ended
  std::optional<Time> not_before;   // it starts then at the earliest: its own wish, or a backoff
  std::optional<Time> grace_until;  // it runs with a worker that may still come back until then
  bool paused = false;              // its queue gives nothing out
  std::string quarantined;          // the key of the quarantine that holds it; empty: none
  TaskId shares_run_of;             // an identical task whose run this one shares; zeros: none
  WorkerName worker;                // that has it
  std::string worker_says;          // the last progress text of the attempt that runs
  bool estimated = false;           // there is enough to tell when it may start:
  double estimate_low_seconds = 0;  // from now
  double estimate_high_seconds = 0;
  std::vector<std::string> because;  // plain sentences, what weighs most first

  friend bool operator==(const Explanation&, const Explanation&) = default;
};

// What a sum of usage is made over. On the wire: never reuse a number.
enum class UsageBy : std::uint8_t { kOwner = 0, kQueue = 1 };
std::string_view to_string(UsageBy by);

// What the ended tasks of one owner, or of one queue, have used.
struct UsageRow {
  std::string key;  // the owner's or queue's name
  std::uint64_t tasks = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;  // failed, dead
  Usage usage;

  friend bool operator==(const UsageRow&, const UsageRow&) = default;
};

// A cron line that submits tasks.
struct ScheduleInfo {
  std::string name;
  std::string cron;
  QueueName queue;
  std::optional<Time> next_at;
  std::optional<Time> last_at;
  TaskId last_task;  // zeros: it has not run yet

  friend bool operator==(const ScheduleInfo&, const ScheduleInfo&) = default;
};

// A body or an image whose tasks kept killing workers: its tasks are held until an operator
// releases it (Operation::kReleaseQuarantine with `key` as target).
struct QuarantineInfo {
  std::string key;  // "body:" and a hash, or "image:" and a digest
  Time since{};
  std::uint32_t losses = 0;  // workers lost to it
  std::string reason;        // of the last loss
  std::uint64_t held = 0;    // tasks that it holds now

  friend bool operator==(const QuarantineInfo&, const QuarantineInfo&) = default;
};

// Asks why one task stands where it does, by its id's text or a prefix that fits no other.
struct ExplainRequest {
  std::uint64_t request = 0;
  std::string id_prefix;
  friend bool operator==(const ExplainRequest&, const ExplainRequest&) = default;
};

struct Explained {
  std::uint64_t request = 0;
  Explanation task;
  friend bool operator==(const Explained&, const Explained&) = default;
};

// Asks what the tasks that ended in [since, until) have used.
struct UsageRequest {
  std::uint64_t request = 0;
  UsageBy by = UsageBy::kOwner;
  Time since{};
  Time until{};  // the epoch: now
  friend bool operator==(const UsageRequest&, const UsageRequest&) = default;
};

struct UsageList {
  std::uint64_t request = 0;
  std::vector<UsageRow> rows;  // by key
  friend bool operator==(const UsageList&, const UsageList&) = default;
};

struct SchedulesRequest {
  std::uint64_t request = 0;
  friend bool operator==(const SchedulesRequest&, const SchedulesRequest&) = default;
};

struct ScheduleList {
  std::uint64_t request = 0;
  std::vector<ScheduleInfo> schedules;
  friend bool operator==(const ScheduleList&, const ScheduleList&) = default;
};

struct QuarantinesRequest {
  std::uint64_t request = 0;
  friend bool operator==(const QuarantinesRequest&, const QuarantinesRequest&) = default;
};

struct QuarantineList {
  std::uint64_t request = 0;
  std::vector<QuarantineInfo> quarantines;
  friend bool operator==(const QuarantineList&, const QuarantineList&) = default;
};

// Asks which of these artifacts somebody needs: those that a task refers to, through what it was
// given or what it made, that has not ended, or that one still comes after, or that is pinned.
struct ReferencesRequest {
  std::uint64_t request = 0;
  std::vector<std::string> hashes;  // sha256, 64 lower-case hexadecimal digits
  friend bool operator==(const ReferencesRequest&, const ReferencesRequest&) = default;
};

struct Referenced {
  std::uint64_t request = 0;
  std::vector<std::string> hashes;  // of those asked for
  friend bool operator==(const Referenced&, const Referenced&) = default;
};

// Asks for the last event of every task that has not ended, so that a new subscriber knows where
// each stands. Empty fields match everything.
struct SnapshotRequest {
  std::uint64_t request = 0;
  QueueName queue;
  std::vector<TaskId> tasks;
  std::string topic_prefix;  // as a subscription: "eval/01HZ"
  TaskId after;              // the next page: ids over this one; zeros: the first
  std::uint32_t limit = 1000;
  friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};

struct Snapshot {
  std::uint64_t request = 0;
  std::uint64_t sequence = 0;     // of the broker's last event: what comes later is news
  bool complete = true;           // false: ask again after the last event's task
  std::vector<FeedEvent> events;  // by task id
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

}  // namespace assay

#endif  // ASSAY_INSPECT_H_
