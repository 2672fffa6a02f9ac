// Journals that released versions wrote, kept as bytes in tests/compat/journal_v<version>/, and
// read for ever. A change that fails here needs a new format version, a new folder, and code that
// reads both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "broker/journal/journal.h"
#include "broker/journal/repair.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay::journal {
namespace {

using testing::append_one;
using testing::kJournalDirectory;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;

std::filesystem::path kept_files() {
  const char* source = std::getenv("ASSAY_SOURCE");
  return std::filesystem::path(source != nullptr ? source : ".") / "tests/compat/journal_v1";
}

std::map<std::string, std::string> read_kept_files() {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(kept_files())) {
    std::ifstream in(file.path(), std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    files[file.path().filename().string()] = content.str();
  }
  return files;
}

// Every kind of batch and file: a hole, a seal, a close, a dropped and a recycled segment, a torn
// end.
void write_sample(SimulatedFileSystem& disk) {
  {
    const ReplayedJournal opened = open_journal(disk);
    for (std::uint64_t i = 0; opened.journal->active_segment() < 3; ++i) {
      append_one(*opened.journal, "v1 " + std::to_string(i), pattern(i, i * 31 % 300));
      ASSERT_TRUE(opened.journal->flush().is_ok());
    }
    ASSERT_TRUE(opened.journal->drop_segments_before(2).is_ok());
    while (opened.journal->active_segment() < 4) {
      append_one(*opened.journal, "in segment 3", pattern(3, 333));
      ASSERT_TRUE(opened.journal->flush().is_ok());
    }
    ASSERT_TRUE(opened.journal->close().is_ok());
  }
  const std::string second = kJournalDirectory + "/" + segment_name(2);
  disk.flip_bit(second, disk.content(second).find("v1 ", 1000));
  ASSERT_TRUE(repair(disk, kJournalDirectory).is_ok());
  const ReplayedJournal opened = open_journal(disk);
  append_one(*opened.journal, "flushed", "the last flushed body");
  ASSERT_TRUE(opened.journal->flush().is_ok());
  append_one(*opened.journal, "torn", pattern(5, 100));
  const std::string fourth = kJournalDirectory + "/" + segment_name(4);
  disk.zero(fourth, disk.content(fourth).find("torn"), 50);
}

TEST(JournalCompatibility, VersionOneIsReadForEver) {
  SimulatedFileSystem disk;
  for (const auto& [name, content] : read_kept_files()) {
    disk.set_content(path_in(kJournalDirectory, name), content);
  }
  const ReplayedJournal opened = open_journal(disk);
  ASSERT_TRUE(opened.status.is_ok()) << opened.status.to_string();
  ASSERT_EQ(opened.entries.size(), 29U);
  EXPECT_EQ(opened.entries.front().head, "v1 19");
  EXPECT_EQ(opened.entries.front().blob, pattern(19, 19 * 31 % 300));
  EXPECT_TRUE(opened.entries.front().may_be_orphan);
  EXPECT_EQ(opened.entries.back().head, "flushed");
  EXPECT_EQ(opened.entries.back().blob, "the last flushed body");
  EXPECT_FALSE(opened.entries.back().may_be_orphan);
  EXPECT_EQ(opened.journal->read(opened.entries.back().location).value(), "the last flushed body");
  EXPECT_EQ(opened.journal->oldest_segment(), 2U);
  EXPECT_EQ(opened.journal->active_segment(), 4U);
  EXPECT_EQ(opened.journal->recovery_report().lost_batches, 1U);
  EXPECT_TRUE(opened.journal->recovery_report().cut);
}

TEST(JournalCompatibility, TheWriterStillWritesVersionOne) {
  SimulatedFileSystem disk;
  ASSERT_NO_FATAL_FAILURE(write_sample(disk));
  const std::vector<std::string> names = disk.list(kJournalDirectory).value();
  std::map<std::string, std::string> written;
  for (const std::string& name : names) {
    if (name == kManifestName || segment_number(name)) {
      written[name] = disk.content(path_in(kJournalDirectory, name));
    }
  }
  if (const char* folder = std::getenv("ASSAY_WRITE_COMPAT")) {  // once, when a version is born
    for (const auto& [name, content] : written) {
      std::ofstream(std::filesystem::path(folder) / name, std::ios::binary) << content;
    }
  }
  const std::map<std::string, std::string> kept = read_kept_files();
  ASSERT_EQ(written.size(), kept.size());
  for (const auto& [name, content] : kept) {
    EXPECT_TRUE(written[name] == content)
        << name << " differs from the bytes in " << kept_files()
        << ": raise kFormatVersion, keep those bytes, and add a folder for the new version";
  }
}

}  // namespace
}  // namespace assay::journal
