// Folds the journal's records into the history's tables.
//
// Theory. Records change rows in memory; commit() writes each row that changed once, with the
// journal's position, in one transaction: a task that was submitted, leased and finished since the
// last commit costs one insert. After a crash the position says where to go on. A batch that is not
// after the position is skipped. And since compaction carries records forward, under a later
// position but with their own old sequence number, a record that is not newer than its task's
// latest is skipped too, and only records newer than all others count as usage.
// Must not know: threads, where batches come from.
#ifndef ASSAY_BROKER_HISTORY_PROJECTION_H_
#define ASSAY_BROKER_HISTORY_PROJECTION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "assay/status.h"
#include "broker/core/record.h"
#include "broker/history/rows.h"
#include "broker/history/sqlite.h"
#include "broker/history/task_store.h"

namespace assay::history {

inline constexpr std::string_view kReasonOtherJournal = "history_of_other_journal";  // kFixInput

// A journal entry. Of a blob that history does not keep only the size need be there.
struct EntryBytes {
  std::string_view head;
  std::string_view blob;
  std::uint64_t blob_bytes = 0;
};

struct ProjectionCounters {
  std::uint64_t records = 0;  // applied
  std::uint64_t repeats = 0;  // seen before, skipped
  std::uint64_t orphans = 0;  // of tasks whose submission is not in the journal any more
  std::uint64_t transactions = 0;
};

// Thread: its database's. `database` must outlive it.
class Projection {
 public:
  // `last_sequence` is the journal's last batch. Errors: kReasonOtherJournal (the history was made
  // from another journal, or from more of it than there is now), those of Database.
  static Result<Projection> open(Database& database, std::uint64_t journal_id,
                                 std::uint64_t last_sequence);

  // Applies a batch. Errors: `unknown_record`, `malformed_record`, those of Database; then
  // discard() before anything else.
  Status apply(std::uint64_t sequence, std::span<const EntryBytes> entries);
  // There are no records up to there that were not applied.
  void advance(std::uint64_t sequence);

  std::uint64_t position() const { return meta_.position; }  // applied, committed or not
  std::uint64_t ended_tasks() const { return meta_.ended_tasks; }
  std::uint64_t events() const { return meta_.events; }
  bool is_full() const;  // time for commit()
  bool is_dirty() const { return dirty_; }
  const ProjectionCounters& counters() const { return counters_; }

  // Writes everything. On an error nothing is written, and what was applied since the last commit
  // is forgotten: position() is back where it was.
  Status commit();
  // Forgets what was applied since the last commit.
  void discard();

  // Takes up to `limit` tasks out that ended before `before`; how many there were. Commits.
  Result<std::size_t> erase_ended_before(Time before, std::size_t limit);
  // Takes up to `limit` of the oldest events out that happened before `before`; how many there
  // were. Commits.
  Result<std::size_t> erase_events_before(Time before, std::size_t limit);
  Status erase_usage_before(Day day) { return store_.erase_usage_before(day); }

 private:
  // A task in memory, with what of it is not written yet.
  struct Work {
    StoredTask task;
    bool is_new = false;
    bool changed = false;
    bool erased = false;
    std::optional<Time> stored_end;          // `ended_at` as it is in the database
    std::optional<std::int64_t> supersedes;  // the key of an earlier task with the same id
    std::vector<AttemptRow> attempts;        // changed ones
    std::optional<std::string> result;       // to be written; empty: to be taken out
  };

  // Where the numbers go on that the tables hold.
  struct Stored {
    Meta meta;
    std::int64_t last_key = 0;
    std::optional<TaskId> last_id;
  };
  Projection(Database& database, TaskStore store, const Stored& stored);

  Status apply(const core::Record& record, const EntryBytes& entry);
  Status on(const core::BrokerStarted& record, const EntryBytes& entry);
  Status on(const core::QueueCreated& record, const EntryBytes& entry);
  Status on(const core::TaskSubmitted& record, const EntryBytes& entry);
  Status on(const core::TaskLeased& record, const EntryBytes& entry);
  Status on(const core::AttemptEnded& record, const EntryBytes& entry);
  Status on(const core::TaskReady& record, const EntryBytes& entry);
  Status on(const core::CancelRequested& record, const EntryBytes& entry);
  Status on(const core::TaskEnded& record, const EntryBytes& entry);
  Status on(const core::QueuePaused& record, const EntryBytes& entry);
  Status on(const core::TaskRevived& record, const EntryBytes& entry);
  Status on(const core::TaskForgotten& record, const EntryBytes& entry);
  // A checkpoint tells whoever comes too late for what was before it.
  Status on(const core::TaskCarried& record, const EntryBytes& entry);
  static Status on(const core::CheckpointBegun&, const EntryBytes&) { return Status::ok(); }
  static Status on(const core::DependentsCarried&, const EntryBytes&) { return Status::ok(); }
  static Status on(const core::RunCarried&, const EntryBytes&) { return Status::ok(); }
  static Status on(const core::QueueCarried&, const EntryBytes&) { return Status::ok(); }
  // Memory forgets; that is what history is for.
  static Status on(const core::EndedForgotten&, const EntryBytes&) { return Status::ok(); }
  // What schedules do is the task that they submit, which says so itself.
  static Status on(const core::ScheduleSet&, const EntryBytes&) { return Status::ok(); }
  static Status on(const core::ScheduleFired&, const EntryBytes&) { return Status::ok(); }
  static Status on(const core::ScheduleRemoved&, const EntryBytes&) { return Status::ok(); }
  // Retention of history is by age and count; what is pinned is the broker's to know.
  Status on(const core::TaskPinned&, const EntryBytes&) { return Status::ok(); }
  Status on(const core::TaskHeld& record, const EntryBytes& entry);
  // What is quarantined now is the broker's to know; the story of its tasks is in their attempts.
  Status on(const core::Quarantined&, const EntryBytes&) { return Status::ok(); }
  Status on(const core::QuarantineReleased&, const EntryBytes&) { return Status::ok(); }

  // Whether the task must wait before it can be queued.
  Result<bool> waits(const core::TaskSubmitted& record);

  // The task in memory, loaded on first need; null when it is nowhere.
  Result<Work*> find(const TaskId& id);
  // The same if `sequence` is news of it; null otherwise. `previous_` is its news before that.
  Result<Work*> find_for(const TaskId& id, std::uint64_t sequence);
  Result<AttemptRow*> open_attempt(Work& work, Attempt attempt);
  Status end_attempt(Work& work, Attempt attempt, Time at, Cause cause, const std::string& because,
                     std::optional<Time> ready_at);
  // The feed's event of the record that is being applied.
  void add_event(const StoredTask& task, Time at, std::string text, const WorkerName& worker = {});
  Status write(const Work& work);
  UsageSum& usage(const Work& work, Time at);
  // What the worker said that the attempt took. Its time is measured here, not told.
  void add_usage(const Work& work, Time at, const Usage& used);

  Database* database_;
  TaskStore store_;
  Meta meta_;       // with what was applied
  Meta committed_;  // as it stands in the database
  std::int64_t last_key_ = 0;
  // Ids begin with the time, so most new ones are greater than all that are stored: those need not
  // be looked for.
  std::optional<TaskId> last_id_;
  bool fresh_ = false;  // the record being applied is newer than all before it
  bool dirty_ = false;
  std::uint64_t previous_ = 0;  // of the task of the record being applied

  std::vector<Work> works_;  // in the order in which they came up
  std::unordered_map<TaskId, std::size_t> index_;
  std::map<UsageKey, UsageSum> usage_;
  std::vector<FeedEvent> events_;
  std::size_t pending_records_ = 0;
  std::size_t pending_result_bytes_ = 0;
  ProjectionCounters counters_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_PROJECTION_H_
