// Real child processes: how they start, end, and are told of.
#include "cli/up/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace assay::cli {
namespace {

class ChildTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_child_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ChildOptions shell(const std::string& script) const {
    return {"/bin/sh", {"-c", script}, folder_ / "log", -1};
  }

  // Waits on the process itself, not on the clock; the deadline only guards against a hang.
  static ChildEnd wait(Child& child) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, child.id(), 0));
    pollfd waiting{process, POLLIN, 0};
    EXPECT_EQ(poll(&waiting, 1, 10'000), 1) << "the child did not end";
    close(process);
    const auto end = child.ended();
    EXPECT_TRUE(end.has_value());
    return end.value_or(ChildEnd{});
  }

  std::filesystem::path folder_;
};

TEST_F(ChildTest, ItsOutputIsInTheLogAndItsLastWordsAreThisRunsOnly) {
  for (const std::string word : {"first", "second"}) {
    auto child = Child::start(shell("echo out " + word + "; echo err " + word + " >&2; exit 3"));
    ASSERT_TRUE(child.is_ok());
    const ChildEnd end = wait(*child);
    EXPECT_TRUE(end.exited);
    EXPECT_EQ(end.number, 3);
    EXPECT_EQ(end.text(), "exit status 3");
    EXPECT_EQ(child->last_words(), "out " + word + "\nerr " + word);
  }
}

TEST_F(ChildTest, WordsForPeopleOutweighStructuredLogs) {
  auto child = Child::start(shell("echo '{\"a\":1}'; echo port in use; echo '{\"b\":2}'"));
  ASSERT_TRUE(child.is_ok());
  wait(*child);
  EXPECT_EQ(child->last_words(), "port in use");
  child = Child::start(shell("echo '{\"a\":1}'"));
  ASSERT_TRUE(child.is_ok());
  wait(*child);
  EXPECT_EQ(child->last_words(), "{\"a\":1}");
}

TEST_F(ChildTest, AProgramThatIsNotThereIsSaidSo) {
  const auto child = Child::start({"/no/such/program", {}, folder_ / "log", -1});
  ASSERT_FALSE(child.is_ok());
  EXPECT_NE(child.status().message().find("/no/such/program: No such file"), std::string::npos);
}

TEST_F(ChildTest, ALogThatCannotBeWrittenIsSaidSo) {
  const auto child = Child::start({"/bin/true", {}, folder_ / "none" / "log", -1});
  ASSERT_FALSE(child.is_ok());
  EXPECT_NE(child.status().message().find("cannot write the log"), std::string::npos);
}

TEST_F(ChildTest, SignalsReachItAndEndIt) {
  auto child = Child::start(shell("exec sleep 100"));
  ASSERT_TRUE(child.is_ok());
  EXPECT_FALSE(child->ended().has_value());
  child->signal(SIGKILL);
  const ChildEnd end = wait(*child);
  EXPECT_FALSE(end.exited);
  EXPECT_EQ(end.number, SIGKILL);
}

TEST_F(ChildTest, OnlyTheDescriptorItMayHaveIsOpen) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  ChildOptions options = shell("echo ready >&" + std::to_string(pipe_ends[1]));
  options.inherited_descriptor = pipe_ends[1];
  auto child = Child::start(options);
  ASSERT_TRUE(child.is_ok());
  wait(*child);
  char text[16] = {};
  EXPECT_EQ(read(pipe_ends[0], text, sizeof(text)), 6);
  EXPECT_STREQ(text, "ready\n");
  options = shell("echo secret >&" + std::to_string(pipe_ends[0]) + " || exit 9");
  auto other = Child::start(options);
  ASSERT_TRUE(other.is_ok());
  EXPECT_NE(wait(*other).number, 0) << "a descriptor that was not given is closed";
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST_F(ChildTest, ItDiesWithItsParent) {
  int alive[2];
  ASSERT_EQ(pipe2(alive, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    ChildOptions options = shell("exec sleep 100");
    options.inherited_descriptor = alive[1];
    const auto child = Child::start(options);
    if (!child.is_ok()) _exit(1);
    close(alive[1]);
    raise(SIGKILL);
  }
  close(alive[1]);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  ASSERT_TRUE(WIFSIGNALED(status));
  // The pipe's other end is closed when the last process that holds it is gone.
  pollfd waiting{alive[0], POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 10'000), 1) << "the child outlived its parent";
  close(alive[0]);
}

}  // namespace
}  // namespace assay::cli
