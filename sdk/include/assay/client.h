// The producer's and operator's side: submit tasks, await results, cancel, ask.
//
//   assay::Client broker({.endpoint = "tcp://127.0.0.1:5555"});
//   auto receipt = broker.submit({task});
//   auto result = broker.wait(task.id, std::chrono::minutes(5));
#ifndef ASSAY_CLIENT_H_
#define ASSAY_CLIENT_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/message.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

struct ClientOptions {
  std::string endpoint = "tcp://127.0.0.1:5555";
  std::string name = "libassay";
  // How long a call may take before it gives up with `broker_unreachable`.
  Duration call_timeout{3000};
};

// Talks to one broker. Calls block; the connection mends itself: a call that meets a broker that is
// restarting repeats its request until `call_timeout`, and since a task's id is the producer's, a
// repeated submit never makes a second task.
//
// Thread: one at a time. Two threads want two clients.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Makes sure that a broker answers. Errors: `broker_unreachable` (retry_call) after `call_timeout`,
  // `unsupported_version` (fix_input).
  Status connect();

  // Submits all tasks or none. On success every one is durable at the broker.
  // Errors: `unknown_queue`, `invalid_task`, `message_too_large` (fix_input), `task_conflict` (conflict: the id
  // exists with other content), `queue_full` (retry_later), `not_accepting` (retry_later),
  // `broker_unreachable` (retry_call: whether they were accepted is not known; submit the same again).
  Result<Submitted> submit(std::vector<TaskSpec> tasks);

  // Waits until the task has ended. Nothing is lost when it times out: ask again at any time.
  // Errors: `unknown_task` (not_found), `wait_timeout` (retry_later), `broker_unreachable` (retry_call; only
  // when no broker answered for `call_timeout` at the end of the wait).
  Result<TaskResult> wait(TaskId id, std::optional<Duration> timeout = std::nullopt);

  // Waits for any of `ids` to end and returns those that have, at least one. Call again with the rest.
  // The same errors as wait; an unknown id fails the call and is named in the message.
  Result<std::vector<TaskResult>> wait_any(std::span<const TaskId> ids,
                                           std::optional<Duration> timeout = std::nullopt);

  // The results of those that have ended, at once. Errors: `unknown_task`, `broker_unreachable`.
  Result<std::vector<TaskResult>> results(std::span<const TaskId> ids);

  // Asks for an end. A queued task ends at once; a running one when its worker has stopped it.
  Result<Cancelled> cancel(std::span<const TaskId> ids, std::string reason);

  // A task by its id's text or a prefix of it that fits no other, in either case.
  // Errors: `unknown_task` (not_found), `ambiguous_id` (fix_input), `invalid_id` (fix_input).
  Result<TaskInfo> status(std::string id_prefix);

  Result<std::vector<QueueInfo>> queues();
  Result<std::vector<WorkerInfo>> workers();

  // Kept events after a sequence; see EventsRequest. Prefer Subscriber, which asks for these by itself.
  Result<EventList> events(EventsRequest request);

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace assay

#endif  // ASSAY_CLIENT_H_
