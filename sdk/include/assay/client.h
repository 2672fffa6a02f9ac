// The producer's and operator's side: submit tasks, await results, cancel, ask.
//
//   assay::Client broker({.endpoint = "tcp://127.0.0.1:5555"});
//   auto receipt = broker.submit({task});
//   auto result = broker.wait(task.id, std::chrono::minutes(5));
#ifndef ASSAY_CLIENT_H_
#define ASSAY_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/message.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

struct ClientOptions {
  std::string endpoint = "tcp://127.0.0.1:5555";
  std::string name = "libassay";
  // How long a call may take before it gives up.
  Duration call_timeout{3000};
  // Told, once an outage, that a wait goes on without the broker, and once that it is back. Empty:
  // such lines go to standard error.
  std::function<void(std::string_view line)> notice = {};
  // With keys (`assay keygen`; docs/security.md): this client's own NAME.key, and the broker's
  // public key, as the path of its NAME.pub or as 64 hexadecimal digits. Both or neither.
  std::string key_file = {};
  std::string server_key = {};
};

// Talks to one broker. Calls block; the connection mends itself: a call that meets a broker that is
// restarting repeats its request until `call_timeout`, and since a task's id is the producer's, a
// repeated submit never makes a second task. A request that the broker refuses for now
// (retry_later) is repeated when the broker said so, as long as `call_timeout` permits; then its
// refusal is returned.
//
// Every call may fail with:
// - `broker_unreachable` (retry_call): nothing answered for `call_timeout`;
// - `no_answer` (retry_call): the broker lives, but did not answer this call within `call_timeout`;
// - `message_too_large` (fix_input): the request is over the limit of one message;
// - `invalid_endpoint`, `unsupported_version` (fix_input): this broker can never be talked to;
// - `refused`, `unknown_key`, `keys_differ`, `handshake_failed` (fix_input): it does not let this
//   client in; the last three are about keys, and say what to do;
// - `unreadable_file`, `invalid_key_file`, `exposed_key`, `lacking_key` (fix_input): the key files
// of
//   the options;
// - `no_sockets` (exhausted): the process has no file descriptors left.
//
// Thread: one at a time. Two threads want two clients.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Makes sure that a broker answers. The other calls do not need it. Errors: those of every call.
  Status connect();

  // Submits all tasks or none. On success every one is durable at the broker.
  // Errors: `unknown_queue`, `invalid_task`, `dependency_cycle` (fix_input), `unknown_task`
  // (not_found: of TaskSpec::after), `task_conflict` (conflict: the id exists with other content),
  // `quarantined` (exhausted: its body or image kept killing workers), `queue_full`,
  // `not_accepting` (retry_later), `too_many_owners`, `too_many_labels` (exhausted); after
  // `broker_unreachable` and `no_answer` (retry_call) it is not known whether they were accepted:
  // submit the same again.
  Result<Submitted> submit(std::vector<TaskSpec> tasks);

  // The same in two steps, so that many submits can be on their way at once: begin_submit sends it
  // and returns a ticket, finish_submit returns the answer that submit would have returned. The
  // time of the call runs from begin_submit, and only while a call of this client is in progress is
  // the broker listened to. An answer that nobody asks for is kept until the client ends. Errors of
  // begin_submit: `invalid_endpoint`, `no_sockets`; all others come with finish_submit, and
  // `unknown_ticket` (fix_input): a ticket is good for one finish_submit of its own client.
  Result<std::uint64_t> begin_submit(std::vector<TaskSpec> tasks);
  Result<Submitted> finish_submit(std::uint64_t ticket);

  // Waits until the task has ended. Nothing is lost when it times out: ask again at any time. A
  // broker that goes away during the wait is waited for; one that is not there when it begins is
  // not. Errors: `unknown_task` (not_found), `wait_timeout` (retry_later), `broker_unreachable`
  // (retry_call: no broker answered in the first, or the last, `call_timeout` of the wait).
  Result<TaskResult> wait(TaskId id, std::optional<Duration> timeout = std::nullopt);

  // Waits for any of `ids` to end and returns those that have, at least one, unless `ids` is empty.
  // Call again with the rest: what is awaited already costs no further message, so thousands may
  // be. The same errors as wait; an unknown id fails the call and is named in the message.
  Result<std::vector<TaskResult>> wait_any(std::span<const TaskId> ids,
                                           std::optional<Duration> timeout = std::nullopt);

  // The results of those that have ended, at once. Errors: `unknown_task` (not_found).
  Result<std::vector<TaskResult>> results(std::span<const TaskId> ids);

  // Asks for an end. A queued task ends at once; a running one when its worker has stopped it.
  // `with_dependents`: all that comes after them, directly or not, ends too.
  Result<Cancelled> cancel(std::span<const TaskId> ids, std::string reason,
                           bool with_dependents = false);

  // A task by its id's text or a prefix of it that fits no other, in either case.
  // Errors: `unknown_task` (not_found), `ambiguous_id` (fix_input), `invalid_id` (fix_input).
  Result<TaskInfo> status(std::string id_prefix);

  Result<std::vector<QueueInfo>> queues();
  Result<std::vector<WorkerInfo>> workers();

  // Kept events after a sequence; see EventsRequest, whose request number is given here. Prefer
  // Subscriber, which asks for these by itself.
  Result<EventList> events(EventsRequest request);

  // The tasks that match, the newest first; see ListRequest, whose request number is given here.
  // More than `limit` (1000 at most): `complete` is false. Errors: those of every call.
  Result<TaskList> list(ListRequest request);

  // Why a task stands where it does, and when it may start. Errors: those of status.
  Result<Explanation> explain(std::string id_prefix);

  // What the tasks that ended in [since, until) have used; the request's number is given here.
  Result<std::vector<UsageRow>> usage(UsageRequest request);
  Result<std::vector<ScheduleInfo>> schedules();
  Result<std::vector<QuarantineInfo>> quarantines();

  // Those of `hashes` (sha256, 64 lower-case hexadecimal digits, at most 10,000) that a task needs
  // which has not ended, or which one still comes after, or which is pinned. Errors:
  // `invalid_hash` (fix_input).
  Result<std::vector<std::string>> references(std::span<const std::string> hashes);

  // One page of the last events of the tasks that have not ended; see SnapshotRequest, whose
  // request number is given here. Prefer Subscriber, which asks for it by itself.
  Result<Snapshot> snapshot(SnapshotRequest request);

  // What operators do (see Operation). `target` is the queue's or worker's name or the quarantine's
  // key, `ids` the tasks, of which all change or none. Returns how many tasks changed (for a pause,
  // a resume, a drain and a release: 1, or 0 if it was so before). Errors: `unknown_queue`,
  // `unknown_worker`, `unknown_task`, `unknown_quarantine` (not_found), `not_dead`, `still_needed`
  // (conflict). Repeating it does no harm; but when the answer to a retry or drop was lost, the
  // repeated one may be told `not_dead` or `unknown_task`.
  Result<std::uint64_t> operate(Operation operation, std::string target,
                                std::span<const TaskId> ids = {});

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace assay

#endif  // ASSAY_CLIENT_H_
