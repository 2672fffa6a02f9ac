// Keeps a broker and workers running: starts them in order, starts what dies again, stops all in
// order.
#ifndef ASSAY_CLI_UP_SUPERVISOR_H_
#define ASSAY_CLI_UP_SUPERVISOR_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"
#include "cli/console.h"
#include "cli/interrupts.h"
#include "cli/up/backoff.h"
#include "cli/up/child.h"

namespace assay::cli {

// Thread: one, the one that made it; it must outlive the children.
class Supervisor {
 public:
  // `interrupts` must read SIGCHLD as well.
  Supervisor(Interrupts& interrupts, Console& console)
      : interrupts_(interrupts), console_(console) {}
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts a program. `name` is for people. Errors: as Child::start.
  Status start(std::string name, ChildOptions options);
  // What the named program is started with from now on.
  void change(const std::string& name, ChildOptions options);

  // Looks after the children for at most this long, or until a person's signal, which it returns. A
  // child that died is told of in one line and started again after its backoff. A program that
  // calls its configuration wrong (exit status 2) is not: it would only do so again.
  std::optional<int> look_after(Duration at_most);

  // The end of the named program, if it has ended and was not started again.
  std::optional<ChildEnd> ended(const std::string& name);
  std::string last_words(const std::string& name) const;

  // Asks the children to drain, the first one after the others have ended: workers report to a
  // broker that is still there. A person's signal, or `at_most` for all, kills. Returns false when
  // it came to that.
  bool stop(Duration at_most);

 private:
  struct Program {
    std::string name;
    ChildOptions options;
    std::optional<Child> child;
    Backoff backoff;
    std::chrono::steady_clock::time_point started_at;
    std::optional<std::chrono::steady_clock::time_point> start_at;  // again, after a death
    bool given_up = false;
  };

  Program* find(const std::string& name);
  Status start(Program& program);
  void on_death(Program& program, const ChildEnd& end);
  void reap();
  bool end(Program& program, bool gently, std::chrono::steady_clock::time_point deadline);
  bool wait_for_end(Program& program, std::chrono::steady_clock::time_point deadline);

  Interrupts& interrupts_;
  Console& console_;
  std::vector<Program> programs_;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_SUPERVISOR_H_
