// Ctrl-C and SIGTERM as something to ask for, so that a loop can end in its own time.
#ifndef ASSAY_CLI_INTERRUPTS_H_
#define ASSAY_CLI_INTERRUPTS_H_

#include <signal.h>

#include <optional>

#include "assay/ids.h"

namespace assay::cli {

// While one lives, SIGINT and SIGTERM (and any given beside them) are blocked and read here instead
// of ending the process. Make it before any thread, so that all inherit the mask; a child must
// unblock them (see up/child.h).
//
// Thread: one at a time.
class Interrupts {
 public:
  // `another`: one more signal to read, for example SIGCHLD; 0 for none.
  explicit Interrupts(int another = 0);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // The next signal that came, waiting for one at most this long.
  std::optional<int> next(Duration timeout = Duration(0));

  // Readable when a signal waits: for poll().
  int descriptor() const { return descriptor_; }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_INTERRUPTS_H_
