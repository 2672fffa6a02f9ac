// The smallest owner of state that a journal can have: numbered tasks that are submitted and
// finished. It keeps the contract of docs/journal.md ("What the owner owes"), so tests can crash it
// and compact it.
#ifndef ASSAY_TESTS_SUPPORT_TASK_LEDGER_H_
#define ASSAY_TESTS_SUPPORT_TASK_LEDGER_H_

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

#include "broker/journal/journal.h"

namespace assay::testing {

class TaskLedger {
 public:
  // Appends one batch that submits and finishes these tasks, then applies it.
  Status change(journal::Journal& journal, std::span<const std::uint64_t> submitted,
                std::span<const std::uint64_t> finished);
  // Carries forward at most `entries_max` tasks of the oldest segment, if the journal wants that,
  // and drops the segment (after a flush) once nothing of it is needed.
  Status compact_some(journal::Journal& journal, std::size_t entries_max);
  // For Journal::open. Fails on an entry that could not have been written.
  Status replay(journal::Journal& journal, const journal::EntryView& entry);

  std::set<std::uint64_t> tasks() const;
  // Every task's body can be read and is the right one.
  Status check_bodies(journal::Journal& journal) const;
  std::uint64_t orphans() const { return orphans_; }

  static std::string body_of(std::uint64_t task);

 private:
  std::map<std::uint64_t, journal::Location> tasks_;
  std::uint64_t orphans_ = 0;  // replayed entries about tasks that were dropped
};

// Opens the journal into a new ledger.
struct OpenedLedger {
  Status status;
  std::unique_ptr<journal::Journal> journal;
  TaskLedger ledger;
};
OpenedLedger open_ledger(journal::FileSystem& file_system, const journal::JournalOptions& options,
                         const std::string& directory = "/data");

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SUPPORT_TASK_LEDGER_H_
