// Follows one task to its end: live lines on a terminal, a plain line now and then elsewhere.
#ifndef ASSAY_CLI_FOLLOW_H_
#define ASSAY_CLI_FOLLOW_H_

#include <optional>
#include <string>

#include "assay/client.h"
#include "assay/progress.h"
#include "cli/console.h"
#include "cli/interrupts.h"

namespace assay::cli {

struct FollowOptions {
  TaskId id;
  std::string name;                  // for people
  bool quiet = false;                // show nothing (--json)
  std::optional<Duration> timeout;   // stop following after that; the task goes on
  Duration broker_away_max{60'000};  // a broker that restarts is waited for; longer is an error
};

// How it ended; or nothing when it was left to run, by an interrupt (said so on the console) or the
// timeout. Ctrl-C on a terminal asks whether to cancel or to detach; elsewhere it detaches. Errors:
// `unknown_task`, `broker_unreachable`.
Result<std::optional<TaskResult>> follow(Client& client, Subscriber& events, Interrupts& interrupts,
                                         Console& console, const FollowOptions& options);

}  // namespace assay::cli

#endif  // ASSAY_CLI_FOLLOW_H_
