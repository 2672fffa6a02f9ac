// An event of the feed as one line for people.
#ifndef ASSAY_CLI_EVENT_LINE_H_
#define ASSAY_CLI_EVENT_LINE_H_

#include "assay/task.h"
#include "cli/text/line.h"

namespace assay::cli {

// "12:30:05  01J...  running  attempt 1 on worker-a". Log lines of one event are joined by " | ".
Line event_line(const FeedEvent& event);

}  // namespace assay::cli

#endif  // ASSAY_CLI_EVENT_LINE_H_
