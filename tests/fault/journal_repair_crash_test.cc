// A repair that dies at any of its operations can be run again, and keeps exactly what it would
// have kept.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/journal/repair.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay {
namespace {

using testing::append_one;
using testing::kJournalDirectory;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;
using testing::Unflushed;

enum class ManifestIs { kKept, kLost };

// Three segments: a damaged batch in the first, the second missing.
void make_damaged_journal(SimulatedFileSystem& disk, ManifestIs manifest) {
  {
    const ReplayedJournal opened = open_journal(disk);
    for (std::uint64_t i = 0; opened.journal->active_segment() < 3 || i % 5 != 0; ++i) {
      append_one(*opened.journal, "entry " + std::to_string(i), pattern(i, 100));
      ASSERT_TRUE(opened.journal->flush().is_ok());
    }
    ASSERT_TRUE(opened.journal->close().is_ok());
  }
  disk.crash(Unflushed::kKept);
  const std::string first = kJournalDirectory + "/journal-0000000001.log";
  disk.flip_bit(first, disk.content(first).find("entry 6"));
  disk.lose(kJournalDirectory + "/journal-0000000002.log");
  if (manifest == ManifestIs::kLost) disk.lose(kJournalDirectory + "/MANIFEST");
}

// Each entry's head, and whether the broker may leave it out where what it speaks of is lost.
std::vector<std::string> kept(const ReplayedJournal& opened) {
  std::vector<std::string> lines;
  for (const testing::ReplayedEntry& entry : opened.entries) {
    lines.push_back(entry.head + (entry.may_be_orphan ? ", may be an orphan" : ""));
  }
  return lines;
}

class JournalRepairCrash : public ::testing::TestWithParam<ManifestIs> {};

TEST_P(JournalRepairCrash, DyingAtAnyOperationOfARepairLosesNothingMore) {
  std::vector<std::string> expected;
  std::uint64_t operations = 0;
  {
    SimulatedFileSystem disk;
    ASSERT_NO_FATAL_FAILURE(make_damaged_journal(disk, GetParam()));
    const std::uint64_t before = disk.operations();
    ASSERT_TRUE(journal::repair(disk, kJournalDirectory).is_ok());
    operations = disk.operations() - before;
    expected = kept(open_journal(disk));
    ASSERT_GT(expected.size(), 10U);
    ASSERT_TRUE(expected.back().ends_with("may be an orphan")) << expected.back();
  }
  ASSERT_GT(operations, 15U);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SCOPED_TRACE("died at operation " + std::to_string(n) + ", unflushed " +
                   std::string(to_string(unflushed)));
      SimulatedFileSystem disk(n);
      ASSERT_NO_FATAL_FAILURE(make_damaged_journal(disk, GetParam()));
      disk.die_at(n);
      static_cast<void>(journal::repair(disk, kJournalDirectory));
      disk.crash(unflushed);
      const auto again = journal::repair(disk, kJournalDirectory);
      ASSERT_TRUE(again.is_ok()) << again.status().to_string();
      const ReplayedJournal opened = open_journal(disk);
      ASSERT_TRUE(opened.status.is_ok()) << opened.status.to_string();
      ASSERT_EQ(kept(opened), expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TheManifest, JournalRepairCrash,
                         ::testing::Values(ManifestIs::kKept, ManifestIs::kLost),
                         [](const auto& manifest) {
                           return manifest.param == ManifestIs::kKept ? "IsKept" : "IsLost";
                         });

}  // namespace
}  // namespace assay
