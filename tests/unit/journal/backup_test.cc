#include "broker/journal/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "broker/journal/directory.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"
#include "tests/support/task_ledger.h"

namespace assay::journal {
namespace {

using testing::open_ledger;
using testing::OpenedLedger;
using testing::SimulatedFileSystem;
using testing::small_segments;

constexpr auto kOriginal = "/data";
constexpr auto kCopy = "/copy";

// The same disk, but somebody else acts each time the copy opens a file of the original to read it.
class BusyFileSystem final : public FileSystem {
 public:
  BusyFileSystem(FileSystem& disk, std::function<void()> act) : disk_(disk), act_(std::move(act)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (path.starts_with(kOriginal)) {
      act_();
    }
    return disk_.open(path, mode);
  }
  Status create_directory(const std::string& path) override { return disk_.create_directory(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return disk_.list(directory);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status sync_directory(const std::string& directory) override {
    return disk_.sync_directory(directory);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return disk_.lock(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    return disk_.free_bytes(directory);
  }

 private:
  FileSystem& disk_;
  std::function<void()> act_;
};

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : opened_(open_ledger(disk_, small_segments(), kOriginal)) {}

  void submit(int count) {
    for (int i = 0; i < count; ++i) {
      const std::uint64_t tasks[] = {next_task_++};
      ASSERT_TRUE(opened_.ledger.change(*opened_.journal, tasks, {}).is_ok());
    }
    ASSERT_TRUE(opened_.journal->flush().is_ok());
  }
  void finish_all_but(std::size_t kept) {
    while (opened_.ledger.tasks().size() > kept) {
      const std::uint64_t tasks[] = {*opened_.ledger.tasks().begin()};
      ASSERT_TRUE(opened_.ledger.change(*opened_.journal, {}, tasks).is_ok());
    }
    ASSERT_TRUE(opened_.journal->flush().is_ok());
  }

  SimulatedFileSystem disk_;
  OpenedLedger opened_;
  std::uint64_t next_task_ = 1;
};

TEST_F(BackupTest, TheCopyOfARunningJournalOpensWithAllThatWasFlushed) {
  submit(100);
  ASSERT_GT(opened_.journal->active_segment(), 2U);
  const Result<BackupReport> report = backup(disk_, kOriginal, kCopy);
  ASSERT_TRUE(report.is_ok()) << report.status().to_string();
  EXPECT_EQ(report.value().last_sequence, opened_.journal->last_sequence());
  const OpenedLedger copy = open_ledger(disk_, small_segments(), kCopy);
  ASSERT_TRUE(copy.status.is_ok()) << copy.status.to_string();
  EXPECT_EQ(copy.ledger.tasks(), opened_.ledger.tasks());
  EXPECT_TRUE(copy.ledger.check_bodies(*copy.journal).is_ok());
}

TEST_F(BackupTest, WhatIsAppendedMeanwhileIsInTheCopyUpToSomePoint) {
  submit(60);
  const std::set<std::uint64_t> before = opened_.ledger.tasks();
  BusyFileSystem busy(disk_, [&] { submit(3); });
  ASSERT_TRUE(backup(busy, kOriginal, kCopy).is_ok());
  const OpenedLedger copy = open_ledger(disk_, small_segments(), kCopy);
  ASSERT_TRUE(copy.status.is_ok()) << copy.status.to_string();
  const std::set<std::uint64_t> copied = copy.ledger.tasks();
  EXPECT_GE(copied.size(), before.size());
  // Tasks are numbered as they come: a gap would be a hole in the copy.
  EXPECT_EQ(copied.size(), *copied.rbegin());
  EXPECT_TRUE(copy.ledger.check_bodies(*copy.journal).is_ok());
}

TEST_F(BackupTest, ACompactionMeanwhileSpoilsNothing) {
  submit(200);
  finish_all_but(30);
  bool was_overtaken = false;
  bool succeeded = false;
  // Start the compaction at each file that the copy opens in turn.
  for (int start = 0; start < 40; ++start) {
    const std::string to = "/copy" + std::to_string(start);
    int opened = 0;
    BusyFileSystem busy(disk_, [&] {
      if (opened++ == start) {
        submit(20);
        finish_all_but(30);
        ASSERT_TRUE(opened_.ledger.compact(*opened_.journal).is_ok());
      }
    });
    const std::set<std::uint64_t> before = opened_.ledger.tasks();
    const Result<BackupReport> report = backup(busy, kOriginal, to);
    if (!report.is_ok()) {
      ASSERT_EQ(report.status().reason(), kReasonBackupOvertaken) << report.status().to_string();
      ASSERT_FALSE(disk_.exists(to + "/MANIFEST")) << "an unfinished copy must not open";
      was_overtaken = true;
      continue;
    }
    succeeded = true;
    const OpenedLedger copy = open_ledger(disk_, small_segments(), to);
    ASSERT_TRUE(copy.status.is_ok()) << copy.status.to_string();
    ASSERT_TRUE(copy.ledger.check_bodies(*copy.journal).is_ok());
    const std::set<std::uint64_t> copied = copy.ledger.tasks();
    ASSERT_TRUE(copied == before || copied == opened_.ledger.tasks() ||
                *copied.rbegin() > *before.rbegin())
        << "start " << start;
    submit(40);
    finish_all_but(30);
  }
  EXPECT_TRUE(was_overtaken);
  EXPECT_TRUE(succeeded);
}

TEST_F(BackupTest, AnUnflushedEndIsNoHindrance) {
  submit(3);
  const std::uint64_t tasks[] = {99};
  ASSERT_TRUE(opened_.ledger.change(*opened_.journal, tasks, {}).is_ok());
  ASSERT_TRUE(backup(disk_, kOriginal, kCopy).is_ok());
  EXPECT_TRUE(open_ledger(disk_, small_segments(), kCopy).status.is_ok());
}

TEST_F(BackupTest, ADirectoryThatIsNotEmptyIsRefused) {
  disk_.set_content("/copy/something", "precious");
  const Status status = backup(disk_, kOriginal, kCopy).status();
  EXPECT_EQ(status.reason(), kReasonBackupNotEmpty);
}

TEST_F(BackupTest, ADamagedJournalIsNotCopiedAsIfItWereGood) {
  submit(1);
  submit(1);
  submit(1);
  disk_.flip_bit(std::string(kOriginal) + "/" + segment_name(1), 200);
  EXPECT_EQ(backup(disk_, kOriginal, kCopy).status().reason(), kReasonDamaged);
  EXPECT_EQ(backup(disk_, "/nothing", "/copy2").status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace assay::journal
