#include "broker/history/projection.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "broker/history/labels_json.h"
#include "broker/history/limits.h"
#include "broker/journal/record_codec.h"

namespace assay::history {
namespace {

Status other_journal(std::string what) {
  return fix_input(std::string(kReasonOtherJournal),
                   "the history belongs to another journal (" + std::move(what) +
                       "); make it anew from this one with assay-broker --history-rebuild");
}

}  // namespace

Projection::Projection(Database& database, TaskStore store, const Stored& stored)
    : database_(&database),
      store_(std::move(store)),
      meta_(stored.meta),
      committed_(stored.meta),
      last_key_(stored.last_key),
      last_id_(stored.last_id) {}

Result<Projection> Projection::open(Database& database, std::uint64_t journal_id,
                                    std::uint64_t last_sequence) {
  auto store = TaskStore::open(database);
  if (!store.is_ok()) return store.status();
  const auto meta = store->meta();
  if (!meta.is_ok()) return meta.status();
  const auto last_key = store->last_key();
  if (!last_key.is_ok()) return last_key.status();
  const auto last_id = store->last_id();
  if (!last_id.is_ok()) return last_id.status();
  const Meta start = meta.value().value_or(Meta{.journal_id = journal_id, .record_sequence = 0});
  if (start.journal_id != journal_id) return other_journal("its id is another");
  if (start.position > last_sequence) {
    return other_journal("it goes up to batch " + std::to_string(start.position) +
                         ", the journal only to " + std::to_string(last_sequence));
  }
  return Projection(database, std::move(*store),
                    {.meta = start, .last_key = *last_key, .last_id = *last_id});
}

Status Projection::apply(std::uint64_t sequence, std::span<const EntryBytes> entries) {
  if (sequence <= meta_.position) {
    counters_.repeats += entries.size();
    return Status::ok();
  }
  for (const EntryBytes& entry : entries) {
    const auto record = journal::decode_record(entry.head);
    if (!record.is_ok()) return record.status();
    if (Status status = apply(*record, entry); !status.is_ok()) return status;
  }
  counters_.records += entries.size();
  pending_records_ += entries.size();
  meta_.position = sequence;
  dirty_ = true;
  return Status::ok();
}

void Projection::advance(std::uint64_t sequence) {
  if (sequence <= meta_.position) return;
  meta_.position = sequence;
  dirty_ = true;
}

Status Projection::apply(const core::Record& record, const EntryBytes& entry) {
  return std::visit(
      [&](const auto& what) {
        fresh_ = what.sequence > meta_.record_sequence;
        meta_.record_sequence = std::max(meta_.record_sequence, what.sequence);
        return on(what, entry);
      },
      record);
}

Status Projection::on(const core::BrokerStarted&, const EntryBytes&) {
  return Status::ok();
}

Status Projection::on(const core::QueueCreated&, const EntryBytes&) {
  return Status::ok();
}

Status Projection::on(const core::QueuePaused&, const EntryBytes&) {
  return Status::ok();
}

Status Projection::on(const core::TaskHeld& record, const EntryBytes&) {
  const auto work = find_for(record.id, record.sequence);
  if (!work.is_ok() || *work == nullptr) return work.status();
  (*work)->task.row.state = TaskState::kWaiting;
  add_event((*work)->task, record.at, "held: " + record.key + " is quarantined", {});
  return Status::ok();
}

Result<bool> Projection::waits(const core::TaskSubmitted& record) {
  if (record.not_before > record.at || record.follows != TaskId()) return true;
  for (const TaskId& id : record.after) {
    const auto dependency = find(id);
    if (!dependency.is_ok()) return dependency.status();
    if (*dependency != nullptr && !(*dependency)->task.row.ended_at) return true;
  }
  return false;
}

Status Projection::on(const core::TaskSubmitted& record, const EntryBytes&) {
  const auto must_wait = waits(record);
  if (!must_wait.is_ok()) return must_wait.status();
  const auto found = find(record.id);
  if (!found.is_ok()) return found.status();
  Work* work = *found;
  if (work != nullptr) {
    const bool is_repeat =
        record.sequence <= work->task.last_sequence || record.at == work->task.row.submitted_at;
    if (is_repeat) {
      ++counters_.repeats;
      return Status::ok();
    }
    // The broker had forgotten an ended task, and its producer used the id again.
    const std::optional<std::int64_t> earlier =
        work->is_new ? work->supersedes : std::optional(work->task.key);
    if (work->task.row.ended_at) --meta_.ended_tasks;
    *work = Work{.supersedes = earlier};
  } else {
    index_.emplace(record.id, works_.size());
    work = &works_.emplace_back();
  }
  work->is_new = true;
  work->changed = true;
  work->task.key = ++last_key_;
  work->task.last_sequence = record.sequence;
  TaskRow& row = work->task.row;
  row.id = record.id;
  row.queue = record.queue;
  row.owner = record.owner;
  row.priority = record.priority;
  row.max_attempts = record.max_attempts;
  row.state = must_wait.value() ? TaskState::kWaiting : TaskState::kQueued;
  row.submitted_at = record.at;
  row.labels = readable_labels(record.labels);
  previous_ = 0;
  add_event(work->task, record.at, {});
  return Status::ok();
}

Status Projection::on(const core::TaskLeased& record, const EntryBytes&) {
  const auto work = find_for(record.id, record.sequence);
  if (!work.is_ok() || *work == nullptr) return work.status();
  TaskRow& row = (*work)->task.row;
  row.state = TaskState::kRunning;
  row.attempts = record.attempt.number;
  if (!row.started_at) row.started_at = record.at;
  // One that was handed over goes on with another worker: a row an attempt, of who has it last.
  std::erase_if((*work)->attempts,
                [&](const AttemptRow& old) { return old.attempt == record.attempt; });
  (*work)->attempts.push_back(
      {.attempt = record.attempt, .worker = record.worker, .started_at = record.at});
  add_event((*work)->task, record.at, {}, record.worker);
  return Status::ok();
}

Status Projection::on(const core::AttemptEnded& record, const EntryBytes&) {
  const auto work = find_for(record.id, record.sequence);
  if (!work.is_ok() || *work == nullptr) return work.status();
  const bool delayed = record.ready_at > record.at;
  (*work)->task.row.state = delayed ? TaskState::kWaiting : TaskState::kQueued;
  add_event((*work)->task, record.at, record.because);
  add_usage(**work, record.at, record.usage);
  return end_attempt(**work, record.attempt, record.at, record.cause, record.because,
                     record.ready_at);
}

Status Projection::on(const core::TaskReady& record, const EntryBytes&) {
  const auto work = find_for(record.id, record.sequence);
  if (!work.is_ok() || *work == nullptr) return work.status();
  (*work)->task.row.state = TaskState::kQueued;
  add_event((*work)->task, record.at, {});
  return Status::ok();
}

Status Projection::on(const core::CancelRequested& record, const EntryBytes&) {
  const auto work = find_for(record.id, record.sequence);
  if (!work.is_ok() || *work == nullptr) return work.status();
  (*work)->task.row.cancel_requested_at = record.at;
  (*work)->task.row.reason = record.reason;
  add_event((*work)->task, record.at, "cancel requested: " + record.reason);
  return Status::ok();
}

Status Projection::on(const core::TaskEnded& record, const EntryBytes& entry) {
  const auto found = find_for(record.id, record.sequence);
  if (!found.is_ok() || *found == nullptr) return found.status();
  Work& work = **found;
  TaskRow& row = work.task.row;
  const bool is_first_end = !row.ended_at;
  row.state = record.state;
  row.cause = record.cause;
  if (!record.reason.empty()) row.reason = record.reason;
  row.ended_at = record.at;
  row.result_bytes = entry.blob_bytes;
  if (!entry.blob.empty() && entry.blob.size() <= kResultBytesKeptMax) {
    work.result = entry.blob;
    pending_result_bytes_ += entry.blob.size();
  }
  add_event(work.task, record.at, record.reason);
  if (is_first_end) ++meta_.ended_tasks;
  if (is_first_end && fresh_) {
    UsageSum& sum = usage(work, record.at);
    ++sum.tasks;
    if (record.state == TaskState::kFailed || record.state == TaskState::kDead) ++sum.failed;
    if (record.state == TaskState::kCancelled) ++sum.cancelled;
  }
  add_usage(work, record.at, record.usage);
  return end_attempt(work, record.attempt, record.at, record.cause,
                     record.reason.empty() ? std::string(to_string(record.state)) : record.reason,
                     std::nullopt);
}

// A dead task gets another life. That it ended stays counted, and its next end counts again.
Status Projection::on(const core::TaskRevived& record, const EntryBytes&) {
  const auto found = find_for(record.id, record.sequence);
  if (!found.is_ok() || *found == nullptr) return found.status();
  TaskRow& row = (*found)->task.row;
  if (row.ended_at) --meta_.ended_tasks;
  row.state = TaskState::kQueued;
  row.cause = Cause::kNone;
  row.reason.clear();
  row.ended_at.reset();
  row.result_bytes = 0;
  (*found)->result = std::string();
  add_event((*found)->task, record.at, "another life");
  return Status::ok();
}

Result<Projection::Work*> Projection::find(const TaskId& id) {
  if (const auto at = index_.find(id); at != index_.end()) return &works_[at->second];
  if (!last_id_ || id > *last_id_) return static_cast<Work*>(nullptr);
  auto stored = store_.find(id);
  if (!stored.is_ok()) return stored.status();
  if (!stored.value()) return static_cast<Work*>(nullptr);
  index_.emplace(id, works_.size());
  Work& work = works_.emplace_back();
  work.task = std::move(**stored);
  work.stored_end = work.task.row.ended_at;
  return &work;
}

Result<Projection::Work*> Projection::find_for(const TaskId& id, std::uint64_t sequence) {
  auto work = find(id);
  if (!work.is_ok()) return work;
  if (*work == nullptr) {
    ++counters_.orphans;
    return work;
  }
  if (sequence <= (*work)->task.last_sequence) {
    ++counters_.repeats;
    return static_cast<Work*>(nullptr);
  }
  previous_ = std::exchange((*work)->task.last_sequence, sequence);
  (*work)->changed = true;
  return work;
}

// The attempt if it runs; null when it has ended or is unknown. Good until the next attempt.
Result<AttemptRow*> Projection::open_attempt(Work& work, Attempt attempt) {
  const auto here = std::find_if(work.attempts.begin(), work.attempts.end(),
                                 [&](const AttemptRow& row) { return row.attempt == attempt; });
  if (here != work.attempts.end())
    return here->ended_at ? static_cast<AttemptRow*>(nullptr) : &*here;
  if (work.is_new) return static_cast<AttemptRow*>(nullptr);
  auto stored = store_.find_attempt(work.task.key, attempt);
  if (!stored.is_ok()) return stored.status();
  if (!stored.value() || stored.value()->ended_at) return static_cast<AttemptRow*>(nullptr);
  return &work.attempts.emplace_back(std::move(**stored));
}

Status Projection::end_attempt(Work& work, Attempt attempt, Time at, Cause cause,
                               const std::string& because, std::optional<Time> ready_at) {
  if (attempt.number == 0) return Status::ok();
  const auto found = open_attempt(work, attempt);
  if (!found.is_ok() || *found == nullptr) return found.status();
  AttemptRow& row = **found;
  row.ended_at = at;
  row.cause = cause;
  row.ended_because = because;
  row.ready_at = ready_at;
  if (fresh_) {
    UsageSum& sum = usage(work, at);
    ++sum.attempts;
    sum.wall_milliseconds += std::max(Duration(0), at - row.started_at).count();
  }
  return Status::ok();
}

// As State::with_event makes it, so that who missed it hears the same later.
void Projection::add_event(const StoredTask& task, Time at, std::string text,
                           const WorkerName& worker) {
  FeedEvent event;
  event.sequence = task.last_sequence;
  event.previous = previous_;
  event.at = at;
  event.kind = EventKind::kState;
  event.queue = task.row.queue;
  event.task = task.row.id;
  event.attempt = Attempt{task.row.attempts};
  event.state = task.row.state;
  event.worker = worker;
  event.text = std::move(text);
  events_.push_back(std::move(event));
  ++meta_.events;
}

UsageSum& Projection::usage(const Work& work, Time at) {
  const TaskRow& row = work.task.row;
  return usage_[{std::chrono::floor<std::chrono::days>(at), row.owner, row.queue}];
}

}  // namespace assay::history
