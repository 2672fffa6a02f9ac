// Starting and ending one process of another program, from a process with threads.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/status.h"
#include "workers/eval/executor/local/descriptor.h"

namespace assay::eval {

struct Pipe {
  Descriptor read;
  Descriptor write;
};
// Both ends are closed on exec. Errors: `pod_failed` (retry_later).
Result<Pipe> make_pipe();

struct ProcessOptions {
  int program = -1;  // a descriptor of the file to execute
  std::string path;  // of a script, which can't be executed by descriptor; or empty
  std::vector<std::string> arguments;    // the first is the program's name
  std::vector<std::string> environment;  // NAME=value
  int folder = -1;                       // working directory; -1: the root
  // (ours, its): descriptors the process gets. Those it gets none of, 0 to 2, are /dev/null.
  std::vector<std::pair<int, int>> descriptors;
  // (RLIMIT_..., value): both soft and hard, and never higher than they were.
  std::vector<std::pair<int, std::uint64_t>> limits;
  std::optional<uid_t> user;  // user and group id to run under; only root can
  // Seen at /tmp, in a mount namespace of its own, so that another user can reach it though the
  // folders above are closed to it. Empty: no.
  std::string folder_at_tmp;
};

struct ProcessExit {
  std::optional<int> exit_code;
  std::optional<int> signal;
  double cpu_seconds = 0;  // with all its children that were waited for
};

// It dies with the thread that started it, at the latest with this object.
class Process {
 public:
  // Errors: `pod_failed` (retry_later).
  static Result<Process> start(const ProcessOptions& options);
  Process(Process&& other) noexcept = default;
  Process& operator=(Process&& other) = delete;
  ~Process();

  pid_t id() const { return id_; }
  // Readable in a poll when it has ended.
  int descriptor() const { return handle_.get(); }
  void kill();
  // Waits for its end and forgets it. Only once.
  ProcessExit wait();
  bool waited() const { return !handle_; }

 private:
  Process(pid_t id, Descriptor handle) : id_(id), handle_(std::move(handle)) {}
  pid_t id_;
  Descriptor handle_;
};

// A pidfd of the process, or nothing.
Descriptor open_process(pid_t id);
void kill_process(const Descriptor& process);
// Whether `descriptor` became readable within `timeout`.
bool wait_readable(int descriptor, std::chrono::milliseconds timeout);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_PROCESS_H_
