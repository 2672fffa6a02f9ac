// A process killed in the middle of a thousand puts: what it was told is stored is there, and
// nothing that can be seen is partial.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "assay/artifacts.h"
#include "sdk/artifacts/sha256.h"
#include "tests/support/process.h"

namespace assay {
namespace {

constexpr int kPuts = 1000;

// From a few bytes to several pieces, each another.
std::string content(int number) {
  const std::string line = "artifact " + std::to_string(number) + "\n";
  const std::size_t size = number % 7 == 0 ? 600'000 : 1 + static_cast<std::size_t>(number) * 13;
  std::string text;
  while (text.size() < size) text += line;
  return text;
}

// Puts everything, and writes a byte to `told` each time a put and its name have returned.
[[noreturn]] void put_all(const std::string& folder, const TaskId& task, int told) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto store = open_artifacts({.location = folder});
  if (!store.is_ok()) _exit(1);
  for (int i = 0; i < kPuts; ++i) {
    const Result<ArtifactInfo> info = put_text(**store, content(i));
    if (!info.is_ok()) _exit(1);
    if (!(*store)->set_name({task, "n" + std::to_string(i)}, info->hash).is_ok()) _exit(1);
    if (write(told, "x", 1) != 1) _exit(1);
  }
  _exit(0);
}

// Reads until `count` puts were told of, kills the writer, and returns how many were.
int kill_after(const std::string& folder, const TaskId& task, int count) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    put_all(folder, task, ends[1]);
  }
  close(ends[1]);
  int told = 0;
  char byte = 0;
  while (told < count && read(ends[0], &byte, 1) == 1) ++told;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(ends[0], &byte, 1) == 1) ++told;
  close(ends[0]);
  return told;
}

TEST(ArtifactCrash, KilledInTheMiddleOfAThousandPutsNothingPartialIsVisible) {
  const support::TemporaryFolder folder;
  for (const int count : {1, 50, 499, 999}) {
    const std::string place = folder.path() / std::to_string(count);
    const TaskId task = TaskId::make(Time(Duration(count)));
    const int told = kill_after(place, task, count);
    ASSERT_GE(told, count);
    auto store = open_artifacts({.location = place});
    ASSERT_TRUE(store.is_ok());
    for (int i = 0; i < told; ++i) {
      const auto named = (*store)->find_name({task, "n" + std::to_string(i)});
      ASSERT_TRUE(named.is_ok()) << "put " << i << " of " << told << " was told and is gone";
      ASSERT_EQ(named->hash, artifacts::Sha256::of(content(i)));
    }
    int seen = 0;
    const Status listed = (*store)->list([&](const ArtifactInfo& info) {
      ++seen;
      return (*store)->get(info.hash, {}, [](std::string_view) { return Status::ok(); });
    });
    EXPECT_TRUE(listed.is_ok()) << listed.to_string();
    EXPECT_GE(seen, told);
    EXPECT_LE(seen, told + 1);
  }
}

TEST(ArtifactCrash, WhatAKilledProcessWasWritingIsRemovedWhenItIsOld) {
  const support::TemporaryFolder folder;
  const std::string place = folder.path() / "store";
  const pid_t child = fork();
  if (child == 0) {
    auto store = open_artifacts({.location = place});
    (void)(*store)
        ->put([](std::span<char> buffer) -> Result<std::size_t> {
          static int calls = 0;
          if (++calls == 3) raise(SIGKILL);
          return buffer.size();
        })
        .is_ok();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const auto left = [&] {
    std::set<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(place + "/tmp")) {
      paths.insert(entry.path());
    }
    return paths;
  };
  ASSERT_EQ(left().size(), 1U);
  ASSERT_TRUE(open_artifacts({.location = place}).is_ok());
  EXPECT_EQ(left().size(), 1U) << "it could be of a put that has just begun";
  std::filesystem::last_write_time(
      *left().begin(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(open_artifacts({.location = place}).is_ok());
  EXPECT_TRUE(left().empty());
}

}  // namespace
}  // namespace assay
