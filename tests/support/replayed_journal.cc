#include "tests/support/replayed_journal.h"

#include <utility>

namespace assay::testing {

std::vector<std::string> ReplayedJournal::heads() const {
  std::vector<std::string> heads;
  for (const ReplayedEntry& entry : entries) {
    heads.push_back(entry.head);
  }
  return heads;
}

journal::JournalOptions small_segments() {
  journal::JournalOptions options;
  options.segment_bytes = journal::kSegmentBytesMin;
  options.written_ahead_bytes = 1024;
  options.recent_bytes = 256;
  options.seed = 42;
  return options;
}

ReplayedJournal open_journal(journal::FileSystem& file_system,
                             const journal::JournalOptions& options, const std::string& directory) {
  ReplayedJournal replayed;
  Result<std::unique_ptr<journal::Journal>> opened =
      journal::Journal::open(file_system, directory, options, [&](const journal::EntryView& entry) {
        replayed.entries.push_back({entry.sequence, std::string(entry.head),
                                    std::string(entry.blob), entry.location, entry.may_be_orphan});
        return Status::ok();
      });
  replayed.status = opened.status();
  if (opened.is_ok()) {
    replayed.journal = std::move(opened).value();
  }
  return replayed;
}

std::string pattern(std::uint64_t seed, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint64_t state = seed * 2862933555777941757 + 3037000493;
  for (char& byte : text) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<char>(state >> 56);
  }
  return text;
}

journal::Location append_one(journal::Journal& journal, std::string_view head,
                             std::string_view blob) {
  const journal::Entry entry{head, blob};
  const Result<journal::Appended> appended = journal.append({&entry, 1});
  ASSAY_ASSERT(appended.is_ok());
  return appended->locations[0];
}

}  // namespace assay::testing
