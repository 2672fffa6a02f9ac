// One child process: started with its output in a file, signalled, reaped.
#ifndef ASSAY_CLI_UP_CHILD_H_
#define ASSAY_CLI_UP_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"

namespace assay::cli {

struct ChildOptions {
  std::string program;  // its path
  std::vector<std::string> arguments;
  std::string log_path;           // standard output and error are appended there
  int inherited_descriptor = -1;  // stays open in the child under the same number; -1: none
};

// How a child ended: "exit status 2", "signal 9 (Killed)".
struct ChildEnd {
  bool exited = false;  // by itself, with `number` as its status; else by the signal `number`
  int number = 0;
  std::string text() const;
};

// A process in a group of its own, so that the terminal's Ctrl-C reaches only its parent; when the
// parent dies, whatever way, the kernel kills it.
//
// Thread: the one that started it, which must live as long as the child should.
class Child {
 public:
  // Errors: `cannot_start` with the program and what the system said.
  static Result<Child> start(const ChildOptions& options);

  // Its end, once it has ended; asks the system without waiting.
  std::optional<ChildEnd> ended();
  // Sends a signal, if it still runs.
  void signal(int number);
  pid_t id() const { return id_; }

  // The last lines that it wrote since this start, to tell why it ended.
  std::string last_words() const;

 private:
  Child(pid_t id, std::string log_path, std::int64_t log_begin);

  pid_t id_;
  std::string log_path_;
  std::int64_t log_begin_;  // the log file's size before it was started
  std::optional<ChildEnd> end_;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_CHILD_H_
