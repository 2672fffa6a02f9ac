// What the shell must do after one or more steps, in this order. Nothing is said to anyone before
// what it rests on is durable: that is the whole contract between the core and the world.
#ifndef ASSAY_BROKER_CORE_EFFECTS_H_
#define ASSAY_BROKER_CORE_EFFECTS_H_

#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/message.h"
#include "assay/task.h"
#include "broker/core/event.h"
#include "broker/core/record.h"
#include "broker/core/task_table.h"

namespace assay::core {

// A record on its way to the journal. `task` is told the blob's location once it is known.
struct Append {
  Record record;
  std::string blob;
  TaskIndex task = kNoTask;
  // Where the blob is not here because another task's is to be copied: the shell reads that one's
  // back first. What can't be read is damage, and nothing may rest on it.
  TaskIndex blob_of = kNoTask;
};

// A message on its way to a peer. TASKS and RESULTS leave the core without bodies and results: the
// shell reads the blob of `blobs[i]` back and puts it into the i-th element (kNoTask: there is
// none), and those of `inputs[i]` into the inputs of the i-th task.
struct Outbound {
  PeerId to;
  Message message;
  std::vector<TaskIndex> blobs;
  std::vector<std::vector<TaskIndex>> inputs;  // empty where no task has any
};

// A request that memory alone cannot answer in full. The shell asks the history, without waiting,
// and brings what it knows back as FromHistory.
struct Inquiry {
  PeerId to;
  Message request;
};

struct Effects {
  std::vector<Append> append;      // 1. made durable, one flush for the batch
  std::vector<Outbound> send;      // 2. only after 1 succeeded; if it failed, drop these and stop
  std::vector<FeedEvent> publish;  // 3. the feed
  std::vector<PeerId> forget;      // 4. peers that the core no longer knows
  std::vector<Inquiry> ask;        // 5. of the history; none where there is none
  Time wake_at = Time::max();      // poll no longer than this

  void clear() {
    append.clear();
    send.clear();
    publish.clear();
    forget.clear();
    ask.clear();
    wake_at = Time::max();
  }
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_EFFECTS_H_
