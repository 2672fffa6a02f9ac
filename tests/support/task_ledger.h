// The smallest owner of state that a journal can have: numbered tasks that are submitted and
// finished, each in a batch or some in one, so that tests can crash it and drop what is not needed.
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
  // Appends what is pending again, whole, flushes, and drops all segments before.
  Status compact(journal::Journal& journal);
  // For Journal::open. Fails on an entry that could not have been written.
  Status replay(const journal::EntryView& entry);

  std::set<std::uint64_t> tasks() const;
  // Every task's body can be read and is the right one.
  Status check_bodies(journal::Journal& journal) const;

  static std::string body_of(std::uint64_t task);

 private:
  std::map<std::uint64_t, journal::Location> tasks_;
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
