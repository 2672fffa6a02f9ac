// The broker's durable state. `apply` is the only code that changes it: while the broker runs, and
// again at recovery, over the journal, in the same order. Whatever is not in a record (connections,
// credit, who waits) is in sessions.h.
#ifndef ASSAY_BROKER_CORE_STATE_H_
#define ASSAY_BROKER_CORE_STATE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"
#include "broker/core/artifact_references.h"
#include "broker/core/fair_queue.h"
#include "broker/core/label_groups.h"
#include "broker/core/limits.h"
#include "broker/core/location.h"
#include "broker/core/quarantine.h"
#include "broker/core/record.h"
#include "broker/core/shared_runs.h"
#include "broker/core/task_chain.h"
#include "broker/core/task_table.h"
#include "broker/core/transition.h"

namespace assay::core {

struct QueueState {
  QueueName name;
  FairQueue queued;
  std::uint64_t waiting = 0;
  std::uint64_t running = 0;
  std::uint64_t bytes = 0;  // of the bodies of its waiting and queued tasks
  bool paused = false;
  std::uint64_t last_sequence = 0;  // of its latest event, or of the broker's start after it
  QueueRule rule;
  std::unordered_map<OwnerIndex, std::uint32_t> running_cost;  // by owner, where the rule bounds it
};

struct OwnerState {
  OwnerName name;
  OwnerRule rule;
  std::uint32_t running_cost = 0;
  std::uint64_t live = 0;  // tasks that have not ended
};

// What a task takes of a checkpoint beside its body or result, about.
inline constexpr std::uint64_t kTaskHeadBytes = 256;

// A set of labels that tasks require, kept once however many do.
using RequiredLabels = std::map<std::string, std::string>;

// What a record did: the task it spoke of, and the event it makes for the feed.
struct Applied {
  TaskIndex task = kNoTask;
  std::optional<FeedEvent> event;
};

class State {
 public:
  explicit State(const CoreOptions& options) : options_(options) {}

  // Changes the state as the record says. `blob` is where its blob lies; while the record is not in
  // the journal yet only the length is known, and blob_stored() follows. Errors:
  // `impossible_record` (data_loss): it contradicts what was applied before. Live, that is a bug of
  // ours.
  Result<Applied> apply(const Record& record, Location blob);
  void blob_stored(TaskIndex task, Location blob) { set_blob(tasks_.at(task), blob); }
  // The journal has moved the blob at `from`. Nothing happens if the task has another by now.
  void blob_moved(const TaskId& id, Location from, Location to);

  const TaskTable& tasks() const { return tasks_; }
  const std::vector<QueueState>& queues() const { return queues_; }
  const QueueState& queue(QueueIndex index) const {
    return queues_[static_cast<std::size_t>(index)];
  }
  std::optional<QueueIndex> find_queue(const QueueName& name) const;
  const OwnerName& owner(OwnerIndex index) const { return owner_state(index).name; }
  const OwnerState& owner_state(OwnerIndex index) const {
    return owners_[static_cast<std::size_t>(index)];
  }
  const RequiredLabels& required_labels(RequireIndex index) const {
    return require_sets_[static_cast<std::size_t>(index)];
  }
  bool knows_required_labels(const RequiredLabels& labels) const {
    return require_by_labels_.contains(labels);
  }
  const LabelGroups& label_groups() const { return label_groups_; }
  std::size_t require_set_count() const { return require_sets_.size(); }
  // May this owner have no more running, in this queue or in all?
  bool at_quota(QueueIndex queue, OwnerIndex owner) const;
  // The queue's task that a worker is to run next; see FairQueue.
  TaskIndex pick(QueueIndex queue, const PickRules& rules) {
    return queues_[static_cast<std::size_t>(queue)].queued.pick(tasks_, rules);
  }
  // Other weights, quotas and limits from now on.
  void set_rules(const CoreOptions& options);
  std::size_t owner_count() const { return owners_.size(); }
  bool knows_owner(const OwnerName& name) const { return owners_by_name_.contains(name); }

  using Timers = std::set<std::pair<Time, TaskIndex>>;
  // Waiting tasks whose dependencies have ended, by the time they become ready.
  const Timers& timers() const { return timers_; }
  // Tasks that have not ended, by their deadline; and running ones by the time that their attempt
  // may take.
  const Timers& deadlines() const { return deadlines_; }
  const Timers& timeouts() const { return timeouts_; }
  // By name; those that are no longer configured are forgotten at the start.
  const std::map<std::string, ScheduleState>& schedules() const { return schedules_; }
  std::uint64_t last_sequence() const { return last_sequence_; }
  // The next number for an event that is not durable; the durable ones carry theirs in the record.
  std::uint64_t take_sequence() { return ++last_sequence_; }
  // The latest event of its queue is `sequence`; returns which it was before.
  std::uint64_t note_event(QueueIndex queue, std::uint64_t sequence) {
    return std::exchange(queues_.at(static_cast<std::size_t>(queue)).last_sequence, sequence);
  }
  // The same of a task, which is not its queue's.
  std::uint64_t note_task_event(TaskIndex task, std::uint64_t sequence) {
    return std::exchange(tasks_.at(task).last_sequence, sequence);
  }
  // The task whose end answers this work, or kNoTask: one in flight, or one that succeeded within
  // the time to live. `owner` may not be known yet.
  TaskIndex answered_by(const TaskSpec& task, Time now) const;
  const Quarantines& quarantines() const { return quarantines_; }
  // What a loss of this task is counted against, and what holds it; see Quarantines.
  std::vector<std::string> quarantine_keys(const Task& task) const;
  // The quarantine that holds it; empty: none does.
  std::string quarantined_by(const Task& task) const;
  // While it waits: for the end of other tasks or of a quarantine, and not only for a time.
  static bool waits_for_others(const Task& task) {
    return task.details && (task.details->dependencies_left > 0 ||
                            task.details->follows != TaskId() || !task.details->held_by.empty());
  }
  // That the task has when it is leased next.
  static Attempt next_attempt(const Task& task) {
    return {task.handed_over ? task.attempt : task.attempt + 1};
  }
  // Tasks that have not ended, of this owner.
  std::uint64_t live_count(const OwnerName& owner) const;
  // What is not to be deleted: see ArtifactReferences.
  const ArtifactReferences& artifacts() const { return artifacts_; }
  // After a repair of the journal has given up tasks: see state_mend.cc.
  void mend();
  const SharedRuns& runs() const { return runs_; }
  // Ended tasks that may be forgotten, in the order in which they came to be so; then those that
  // may not, because they are pinned or a task that comes after them has not ended.
  const TaskChain& forgettable() const { return forgettable_; }
  const TaskChain& kept() const { return kept_; }
  std::size_t ended_count() const { return forgettable_.size + kept_.size; }
  // How many ended tasks are to be forgotten, for there are more than memory may hold.
  std::uint64_t excess_ended() const;
  // About what a checkpoint takes, in bytes.
  std::uint64_t checkpoint_bytes() const { return blob_bytes_ + tasks_.size() * kTaskHeadBytes; }
  bool watches_deadline(TaskIndex index) const {
    const Task& task = tasks_.at(index);
    return task.details && deadlines_.contains({task.details->deadline, index});
  }

 private:
  Result<Applied> on(const BrokerStarted& record, Location blob);
  Result<Applied> on(const QueueCreated& record, Location blob);
  Result<Applied> on(const TaskSubmitted& record, Location blob);
  Result<Applied> on(const TaskLeased& record, Location blob);
  Result<Applied> on(const AttemptEnded& record, Location blob);
  Result<Applied> on(const TaskReady& record, Location blob);
  Result<Applied> on(const CancelRequested& record, Location blob);
  Result<Applied> on(const TaskEnded& record, Location blob);
  Result<Applied> on(const QueuePaused& record, Location blob);
  Result<Applied> on(const TaskRevived& record, Location blob);
  Result<Applied> on(const TaskForgotten& record, Location blob);
  Result<Applied> on(const EndedForgotten& record, Location blob);
  // state_carry.cc
  Result<Applied> on(const CheckpointBegun& record, Location blob);
  Result<Applied> on(const TaskCarried& record, Location blob);
  Result<Applied> on(const DependentsCarried& record, Location blob);
  Result<Applied> on(const RunCarried& record, Location blob);
  Result<Applied> on(const QueueCarried& record, Location blob);
  void mend_dependencies(TaskIndex index);
  void mend_run(TaskIndex index);
  void carry_details(Task& task, const TaskCarried& record);
  // state_schedules.cc
  Result<Applied> on(const ScheduleSet& record, Location blob);
  Result<Applied> on(const ScheduleFired& record, Location blob);
  Result<Applied> on(const ScheduleRemoved& record, Location blob);
  Result<Applied> on(const TaskPinned& record, Location blob);
  Result<Applied> on(const TaskHeld& record, Location blob);
  Result<Applied> on(const Quarantined& record, Location blob);
  Result<Applied> on(const QuarantineReleased& record, Location blob);

  Result<TaskIndex> add_task(const TaskSubmitted& record, Location blob);
  // Finds the task and moves it by the table; counts and lists follow.
  Result<TaskIndex> move(const TaskId& id, Change change, Time at);
  void leave_state(TaskIndex index);
  void enter_state(TaskIndex index, bool to_front);
  void count_running(const Task& task, bool starts);
  void tie_dependencies(TaskIndex index);
  void untie_dependencies(TaskIndex index);
  void tell_dependents(const Task& task);
  void join_runs(TaskIndex index);
  void leave_runs(TaskIndex index);
  void forget_runs(TaskIndex index);
  void promote_follower(SharedRuns::Entry& entry);
  SharedRuns::Key work_key(const Task& task) const {
    return {task.owner, task.queue, task.details->cache_key};
  }
  void forget_ended(TaskIndex index);
  // Of an ended task.
  TaskChain& chain_of(const Task& task);
  // Changes what decides in which chain an ended task is.
  template <typename Change>
  void keep_or_let_go(TaskIndex index, Change change) {
    const Task& task = tasks_.at(index);
    if (is_ended(task.state)) chain_of(task).remove(tasks_, index);
    change(tasks_.at(index));
    if (is_ended(task.state)) chain_of(task).push_back(tasks_, index);
  }
  void set_blob(Task& task, Location blob);
  QueuePlace place_of(const Task& task) const {
    return {.weight = owner_state(task.owner).rule.weight,
            .group = require_groups_[static_cast<std::size_t>(task.require)]};
  }
  void count_references(Task& task, bool needed);
  static bool needs_artifacts(const Task& task);
  void keep_details(Task& task, const TaskSubmitted& record);
  RequireIndex intern_require(const RequiredLabels& labels);
  OwnerIndex intern_owner(const OwnerName& name);
  void end_attempt(Task& task, const AttemptInfo& end);
  Applied with_event(TaskIndex index, std::uint64_t sequence, Time at, std::string text,
                     const WorkerName& worker);

  CoreOptions options_;
  TaskTable tasks_;
  std::vector<QueueState> queues_;
  std::unordered_map<QueueName, QueueIndex> queues_by_name_;
  std::vector<OwnerState> owners_;
  std::unordered_map<OwnerName, OwnerIndex> owners_by_name_;
  std::vector<RequiredLabels> require_sets_{RequiredLabels()};
  std::map<RequiredLabels, RequireIndex> require_by_labels_{{RequiredLabels(), RequireIndex{0}}};
  std::vector<LabelGroup> require_groups_{kNoLabels};  // of each set
  LabelGroups label_groups_;
  Timers timers_;
  Timers deadlines_;
  Timers timeouts_;
  TaskChain forgettable_;
  TaskChain kept_;
  std::uint64_t blob_bytes_ = 0;
  std::map<std::string, ScheduleState> schedules_;
  ArtifactReferences artifacts_;
  SharedRuns runs_;
  Quarantines quarantines_;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_STATE_H_
