#include "broker/journal/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/replayed_journal.h"

namespace assay::journal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosixFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "assay-journal-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }

  PosixFileSystem file_system_;
  std::string directory_;
};

TEST_F(PosixFileSystemTest, PiecesAreWrittenOneAfterTheOther) {
  const auto file = file_system_.open(path("a"), OpenMode::kCreate);
  ASSERT_TRUE(file.is_ok());
  const std::array<std::string_view, 3> pieces{"one", "", "two"};
  ASSERT_TRUE(file.value()->write(2, pieces).is_ok());
  ASSERT_TRUE(file.value()->sync().is_ok());
  std::string content;
  ASSERT_TRUE(file.value()->read(0, 100, content).is_ok());
  EXPECT_EQ(content, std::string("\0\0onetwo", 8));
  ASSERT_TRUE(file.value()->read(5, 3, content).is_ok());
  EXPECT_EQ(content, "two");
  ASSERT_TRUE(file.value()->truncate(3).is_ok());
  EXPECT_EQ(file.value()->size().value(), 3U);
}

TEST_F(PosixFileSystemTest, ReservingTakesSpaceButNoSize) {
  const auto file = file_system_.open(path("a"), OpenMode::kCreate);
  ASSERT_TRUE(file.is_ok());
  ASSERT_TRUE(file.value()->reserve(1 << 20).is_ok());
  EXPECT_EQ(file.value()->size().value(), 0U);
}

TEST_F(PosixFileSystemTest, FilesAreListedRenamedAndRemoved) {
  ASSERT_TRUE(file_system_.open(path("b"), OpenMode::kCreate).is_ok());
  ASSERT_TRUE(file_system_.open(path("a"), OpenMode::kCreate).is_ok());
  EXPECT_THAT(file_system_.list(directory_).value(), ElementsAre("a", "b"));
  ASSERT_TRUE(file_system_.rename(path("a"), path("c")).is_ok());
  ASSERT_TRUE(file_system_.remove(path("b")).is_ok());
  ASSERT_TRUE(file_system_.sync_directory(directory_).is_ok());
  EXPECT_THAT(file_system_.list(directory_).value(), ElementsAre("c"));
}

TEST_F(PosixFileSystemTest, AMissingFileIsNotFound) {
  const Status status = file_system_.open(path("none"), OpenMode::kRead).status();
  EXPECT_EQ(status.reason(), kReasonFileNotFound);
  EXPECT_THAT(status.message(), HasSubstr(path("none")));
}

TEST_F(PosixFileSystemTest, DirectoriesAreMadeWithTheirParents) {
  ASSERT_TRUE(file_system_.create_directory(path("x/y/z")).is_ok());
  EXPECT_TRUE(std::filesystem::is_directory(path("x/y/z")));
  EXPECT_TRUE(file_system_.create_directory(path("x/y/z")).is_ok());
}

TEST_F(PosixFileSystemTest, AFileWhereTheDirectoryShouldBeIsRefused) {
  std::ofstream(path("file")) << "x";
  EXPECT_FALSE(file_system_.create_directory(path("file")).is_ok());
}

TEST_F(PosixFileSystemTest, ALockedDirectoryNamesItsHolder) {
  const auto first = file_system_.lock(path("LOCK"));
  ASSERT_TRUE(first.is_ok());
  const Status second = file_system_.lock(path("LOCK")).status();
  EXPECT_EQ(second.code(), Code::kConflict);
  EXPECT_EQ(second.reason(), kReasonLocked);
  EXPECT_THAT(second.message(),
              AllOf(HasSubstr(path("LOCK")), HasSubstr("process " + std::to_string(getpid()))));
}

TEST_F(PosixFileSystemTest, ALockIsReleasedWithItsObject) {
  { const auto first = file_system_.lock(path("LOCK")); }
  EXPECT_TRUE(file_system_.lock(path("LOCK")).is_ok());
}

TEST_F(PosixFileSystemTest, FreeSpaceIsKnown) {
  EXPECT_GT(file_system_.free_bytes(directory_).value(), 0U);
}

TEST_F(PosixFileSystemTest, TheJournalWorksOnARealDisk) {
  JournalOptions options = testing::small_segments();
  std::vector<Location> locations;
  {
    testing::ReplayedJournal opened =
        testing::open_journal(file_system_, options, path("data/journal"));
    ASSERT_TRUE(opened.status.is_ok()) << opened.status.to_string();
    for (std::uint64_t i = 0; i < 100; ++i) {
      locations.push_back(testing::append_one(*opened.journal, "entry", testing::pattern(i, 150)));
      ASSERT_TRUE(opened.journal->flush().is_ok());
    }
    ASSERT_GT(opened.journal->active_segment(), 2U);
  }
  const testing::ReplayedJournal again =
      testing::open_journal(file_system_, options, path("data/journal"));
  ASSERT_TRUE(again.status.is_ok()) << again.status.to_string();
  ASSERT_EQ(again.entries.size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(again.journal->read(locations[i]).value(), testing::pattern(i, 150));
  }
}

TEST_F(PosixFileSystemTest, AJournalKilledWithoutWarningComesBack) {
  const std::string directory = path("data");
  const pid_t child = fork();
  if (child == 0) {
    testing::ReplayedJournal opened = testing::open_journal(file_system_, {}, directory);
    for (int i = 0; i < 10; ++i) {
      testing::append_one(*opened.journal, std::to_string(i));
    }
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const testing::ReplayedJournal again = testing::open_journal(file_system_, {}, directory);
  ASSERT_TRUE(again.status.is_ok()) << again.status.to_string();
  EXPECT_EQ(again.entries.size(), 10U);
}

// A file size limit is the one way to meet a write that really fails without being root.
TEST_F(PosixFileSystemTest, AWriteThatTheSystemRefusesIsAStatus) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1024, 1024};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto file = file_system_.open(path("limited"), OpenMode::kCreate);
    const std::string bytes(2048, 'x');
    const std::array<std::string_view, 1> pieces{bytes};
    const bool refused = file.value()->write(0, pieces).reason() == kReasonInputOutput;
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace assay::journal
