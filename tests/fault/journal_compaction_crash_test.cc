// The crash sweep over a broker that also compacts: it is stopped at each operation in turn, and
// what comes back must be the state after some batch that is not older than the last flush.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"
#include "tests/support/task_ledger.h"

namespace assay {
namespace {

using testing::open_ledger;
using testing::OpenedLedger;
using testing::SimulatedFileSystem;
using testing::Unflushed;

using Tasks = std::set<std::uint64_t>;

struct Progress {
  std::vector<Tasks> states;  // after each batch that was tried
  std::size_t flushed = 0;    // the state that the last flush answered for
  bool failed = false;
  std::uint32_t oldest_segment = 0;
};

journal::JournalOptions options() {
  journal::JournalOptions options = testing::small_segments();
  options.written_ahead_bytes = 0;
  options.compaction_bytes_min = 2 * options.segment_bytes;
  return options;
}

// Tasks come and go, every ninth stays; slices of the compaction lie between.
Progress run_script(SimulatedFileSystem& disk, const Tasks& before = {}) {
  constexpr std::uint64_t kTurns = 40;
  Progress progress;
  progress.states.push_back(before);
  progress.failed = true;
  OpenedLedger opened = open_ledger(disk, options());
  if (!opened.status.is_ok()) {
    return progress;
  }
  std::uint64_t next = before.empty() ? 1 : *before.rbegin() + 1;
  for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
    Tasks tasks = opened.ledger.tasks();
    const std::vector<std::uint64_t> submitted{next, next + 1};
    next += 2;
    std::vector<std::uint64_t> finished;
    for (const std::uint64_t task : tasks) {
      if (task % 9 != 0 && finished.size() < 2 && tasks.size() > 8) {
        finished.push_back(task);
      }
    }
    tasks.insert(submitted.begin(), submitted.end());
    for (const std::uint64_t task : finished) {
      tasks.erase(task);
    }
    progress.states.push_back(tasks);
    // Once accepted, neither of these may fail for any reason but the disk's.
    if (!opened.journal->can_accept(1000).is_ok() ||
        !opened.ledger.change(*opened.journal, submitted, finished).is_ok() ||
        !opened.journal->flush().is_ok()) {
      return progress;
    }
    progress.flushed = progress.states.size() - 1;
    if (!opened.ledger.compact_some(*opened.journal, 3).is_ok()) {
      return progress;
    }
  }
  progress.oldest_segment = opened.journal->oldest_segment();
  progress.failed = false;
  return progress;
}

// Answers the state that came back.
void check(SimulatedFileSystem& disk, const Progress& progress, Tasks& tasks) {
  const OpenedLedger opened = open_ledger(disk, options());
  ASSERT_TRUE(opened.status.is_ok()) << opened.status.to_string();
  ASSERT_TRUE(opened.ledger.check_bodies(*opened.journal).is_ok());
  tasks = opened.ledger.tasks();
  bool is_a_state = false;
  for (std::size_t i = progress.flushed; i < progress.states.size(); ++i) {
    is_a_state = is_a_state || progress.states[i] == tasks;
  }
  ASSERT_TRUE(is_a_state) << "neither the state after the last flush nor a later one";
}

void check_and_go_on(SimulatedFileSystem& disk, const Progress& progress) {
  Tasks tasks;
  ASSERT_NO_FATAL_FAILURE(check(disk, progress, tasks));
  const Progress more = run_script(disk, tasks);
  ASSERT_FALSE(more.failed);
  disk.crash(Unflushed::kLost);
  ASSERT_NO_FATAL_FAILURE(check(disk, more, tasks));
}

std::uint64_t operations_of_the_script() {
  SimulatedFileSystem disk;
  const Progress progress = run_script(disk);
  EXPECT_FALSE(progress.failed);
  EXPECT_GT(progress.oldest_segment, 3U) << "the script must drop segments";
  return disk.operations();
}

TEST(JournalCompactionCrash, DyingAtAnyOperationLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SCOPED_TRACE("died at operation " + std::to_string(n) + ", unflushed " +
                   std::string(to_string(unflushed)));
      SimulatedFileSystem disk(n);
      disk.die_at(n);
      const Progress progress = run_script(disk);
      disk.crash(unflushed);
      ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
    }
  }
}

TEST(JournalCompactionCrash, AFailureOfAnyOperationLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SCOPED_TRACE("operation " + std::to_string(n) + " failed, unflushed " +
                   std::string(to_string(unflushed)));
      SimulatedFileSystem disk(n);
      disk.fail_at(n);
      const Progress progress = run_script(disk);
      disk.restart_process();
      Tasks recovered;
      ASSERT_NO_FATAL_FAILURE(check(disk, progress, recovered));
      disk.crash(unflushed);
      Tasks again;
      ASSERT_NO_FATAL_FAILURE(check(disk, progress, again));
      ASSERT_EQ(recovered, again) << "what was recovered did not last";
      ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
    }
  }
}

// The disk fills up at every point in turn; whatever was accepted is finished all the same.
TEST(JournalCompactionCrash, ADiskThatFillsUpAtAnyPointLosesNothing) {
  for (std::uint64_t room = 0; room < 20 * journal::kSegmentBytesMin; room += 500) {
    SCOPED_TRACE("room for " + std::to_string(room) + " bytes");
    SimulatedFileSystem disk;
    disk.set_capacity(room);
    const Progress progress = run_script(disk);
    disk.crash(Unflushed::kLost);
    disk.set_capacity(1 << 24);
    ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
  }
}

}  // namespace
}  // namespace assay
