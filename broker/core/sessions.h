// Who is connected, what they hold and what they wait for: everything that a restart forgets and
// that peers bring back by themselves (HELLO, AWAIT). Nothing here is durable.
#ifndef ASSAY_BROKER_CORE_SESSIONS_H_
#define ASSAY_BROKER_CORE_SESSIONS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "assay/ids.h"
#include "broker/core/event.h"
#include "broker/core/label_groups.h"
#include "broker/core/task_table.h"

namespace assay::core {

// A task that a worker holds under a lease.
struct Lease {
  Attempt attempt;
  Time since{};
  std::uint32_t cost = 1;
};

struct WorkerSession {
  PeerId peer;
  WorkerName name;
  std::vector<QueueIndex> queues;
  std::uint32_t slots = 0;
  std::unordered_map<TaskIndex, Lease> held;
  Time last_heard{};
  Time joined_at{};
  std::map<std::string, std::string> labels;
  // Where the queues have what it bears, as of so many groups: LabelGroups::borne_by.
  std::vector<LabelGroup> label_groups;
  std::size_t label_groups_known = 0;
  bool draining = false;        // an operator wants it to get nothing new
  std::uint32_t held_cost = 0;  // of all that it holds, each at most its slots
  std::string key;              // the name of the key that it came with; empty: the broker has none

  std::uint32_t free_slots() const {
    return draining || slots <= held_cost ? 0 : slots - held_cost;
  }
};

struct ClientSession {
  PeerId peer;
  Time last_heard{};
  // Request numbers by the task that they wait for.
  std::unordered_multimap<TaskIndex, std::uint64_t> awaits;
  std::uint64_t in_flight = 0;  // that it submitted and that have not ended, where they are counted
};

class Sessions {
 public:
  WorkerSession* worker(PeerId peer);
  WorkerSession* worker_named(const WorkerName& name);
  ClientSession* client(PeerId peer);

  WorkerSession& add_worker(WorkerSession session);
  void remove_worker(PeerId peer);
  ClientSession& add_client(PeerId peer, Time now);
  void remove_client(PeerId peer);

  const std::unordered_map<PeerId, WorkerSession>& workers() const { return workers_; }
  std::unordered_map<PeerId, WorkerSession>& workers() { return workers_; }
  const std::unordered_map<PeerId, ClientSession>& clients() const { return clients_; }

  // A worker that can take a task of this queue, in turn, or nobody. The worker stays in line while
  // it has a slot.
  WorkerSession* next_ready(QueueIndex queue);
  // How many stand in line: after so many calls of next_ready in vain, everybody was asked.
  std::size_t line_length(QueueIndex queue) const;
  // The worker has a free slot (again): it joins the lines of its queues.
  void note_ready(const WorkerSession& worker);

  void add_await(ClientSession& client, TaskIndex task, std::uint64_t request);
  // Those who wait for this task, and no longer do after this.
  std::vector<std::pair<PeerId, std::uint64_t>> take_awaits(TaskIndex task);

  // The task counts as in flight for this client until settle(). Who comes back after a restart, of
  // either side, begins with none.
  void add_in_flight(ClientSession& client, TaskIndex task);
  // The task has ended.
  void settle(TaskIndex task);

  // The holder of a running task, or nobody: then it is an orphan.
  WorkerSession* holder(TaskIndex task);
  // `lease.cost` is what it takes of the worker's slots.
  void hold(WorkerSession& worker, TaskIndex task, Lease lease);
  void release(TaskIndex task);

  // Running tasks that no connected worker holds, each with the time when it counts as lost.
  std::unordered_map<TaskIndex, Time> orphans;

 private:
  struct Line {
    std::deque<PeerId> order;
    std::unordered_set<PeerId> members;
  };

  std::unordered_map<PeerId, WorkerSession> workers_;
  std::unordered_map<WorkerName, PeerId> workers_by_name_;
  std::unordered_map<PeerId, ClientSession> clients_;
  std::unordered_map<TaskIndex, PeerId> holders_;
  std::unordered_map<TaskIndex, std::set<PeerId>> awaiters_;
  std::unordered_map<TaskIndex, PeerId> submitters_;
  std::map<QueueIndex, Line> lines_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_SESSIONS_H_
