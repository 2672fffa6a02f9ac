// Follows tasks to their ends: live lines on a terminal, a plain line now and then elsewhere.
#ifndef ASSAY_CLI_FOLLOW_H_
#define ASSAY_CLI_FOLLOW_H_

#include <optional>
#include <string>
#include <vector>

#include "assay/client.h"
#include "assay/progress.h"
#include "cli/console.h"
#include "cli/interrupts.h"

namespace assay::cli {

struct FollowedTask {
  TaskId id;
  std::string name;               // for people; may be empty
  std::optional<TaskInfo> known;  // what the broker said of it, for one that may run already
};

struct FollowOptions {
  std::vector<FollowedTask> tasks;
  bool quiet = false;                // show nothing (--json)
  bool log = false;                  // show what they log, too
  std::optional<Duration> timeout;   // stop following after that; the tasks go on
  Duration broker_away_max{60'000};  // a broker that restarts is waited for; longer is an error
};

struct Followed {
  std::vector<TaskResult> ended;  // in the order of their ends
  std::size_t pending = 0;        // left to run: detached by an interrupt, or the timeout came
  bool detached = false;          // which was said on the console
};

// Ctrl-C on a terminal asks whether to cancel or to detach; elsewhere it detaches.
// Errors: those of a Client's results and cancel; an absent broker only after `broker_away_max`.
Result<Followed> follow(Client& client, Subscriber& events, Interrupts& interrupts,
                        Console& console, const FollowOptions& options);

}  // namespace assay::cli

#endif  // ASSAY_CLI_FOLLOW_H_
