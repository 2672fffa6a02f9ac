// Opens a journal for a test and keeps what it replayed; and entries that tell their own content,
// so that a test can see whether what comes back is what was written.
#ifndef ASSAY_TESTS_SUPPORT_REPLAYED_JOURNAL_H_
#define ASSAY_TESTS_SUPPORT_REPLAYED_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/journal/journal.h"

namespace assay::testing {

inline const std::string kJournalDirectory = "/data";

struct ReplayedEntry {
  std::uint64_t sequence = 0;
  std::string head;
  std::string blob;
  journal::Location location;
  bool may_be_orphan = false;
};

struct ReplayedJournal {
  Status status;  // of open()
  std::unique_ptr<journal::Journal> journal;
  std::vector<ReplayedEntry> entries;

  std::vector<std::string> heads() const;
};

// Segments of 4 KiB, a few zeros ahead, hardly any recent memory, and always the same salts.
journal::JournalOptions small_segments();

ReplayedJournal open_journal(journal::FileSystem& file_system,
                             const journal::JournalOptions& options = small_segments(),
                             const std::string& directory = kJournalDirectory);

// `bytes` bytes that differ with `seed`.
std::string pattern(std::uint64_t seed, std::size_t bytes);

// Appends one entry as one batch, without a flush, and asserts that it went well.
journal::Location append_one(journal::Journal& journal, std::string_view head,
                             std::string_view blob = {});

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SUPPORT_REPLAYED_JOURNAL_H_
