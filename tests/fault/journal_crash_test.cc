// The crash sweep: a scripted broker is stopped at each of its writes, flushes and renames in turn,
// the disk keeps its unflushed bytes in each of the ways disks do, and what comes back is checked:
// everything flushed is there, in order, unchanged; nothing is invented; a batch is whole or
// absent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "broker/journal/journal.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay {
namespace {

using journal::Entry;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;
using testing::Unflushed;

// Entry i of the script, so that anyone can tell from an entry's number all that it must hold.
std::string head_of(std::uint64_t i) {
  return "entry " + std::to_string(i);
}
std::string blob_of(std::uint64_t i) {
  return pattern(i, (i * 37) % 400);
}

// What a run of the script has promised and what it has merely tried.
struct Progress {
  std::uint64_t attempted = 0;            // entries handed to append()
  std::uint64_t flushed = 0;              // entries a flush() answered for
  std::vector<std::uint64_t> batch_ends;  // entries after each batch
  std::vector<std::uint64_t> flushes;     // entries after each flush
  bool failed = false;
};

constexpr std::uint64_t kTurns = 12;

// A dozen loop turns of one or two batches each, over several segments, then a good end.
Progress run_script(SimulatedFileSystem& disk, std::uint64_t first_entry = 0) {
  Progress progress;
  progress.attempted = progress.flushed = first_entry;
  ReplayedJournal opened = open_journal(disk);
  if (!opened.status.is_ok()) {
    progress.failed = true;
    return progress;
  }
  for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
    for (std::uint64_t batch = 0; batch <= turn % 2; ++batch) {
      std::vector<std::string> heads;
      std::vector<std::string> blobs;
      const std::uint64_t count = 1 + (turn + batch) % 4;
      for (std::uint64_t i = 0; i < count; ++i) {
        heads.push_back(head_of(progress.attempted + i));
        blobs.push_back(blob_of(progress.attempted + i));
      }
      std::vector<Entry> entries;
      for (std::uint64_t i = 0; i < count; ++i) {
        entries.push_back({heads[i], blobs[i]});
      }
      progress.attempted += count;
      progress.batch_ends.push_back(progress.attempted);
      if (!opened.journal->append(entries).is_ok()) {
        progress.failed = true;
        return progress;
      }
    }
    if (!opened.journal->flush().is_ok()) {
      progress.failed = true;
      return progress;
    }
    progress.flushed = progress.attempted;
    progress.flushes.push_back(progress.flushed);
  }
  progress.failed = !opened.journal->close().is_ok();
  return progress;
}

// `entries` must be the script's first n, where n is the end of a batch and covers all that was
// flushed.
void check(const ReplayedJournal& replayed, const Progress& progress) {
  ASSERT_TRUE(replayed.status.is_ok()) << replayed.status.to_string();
  const std::uint64_t count = replayed.entries.size();
  ASSERT_GE(count, progress.flushed) << "what was acknowledged is lost";
  ASSERT_LE(count, progress.attempted) << "entries were invented";
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_EQ(replayed.entries[i].head, head_of(i));
    ASSERT_EQ(replayed.entries[i].blob, blob_of(i));
    ASSERT_EQ(replayed.journal->read(replayed.entries[i].location).value(), blob_of(i));
  }
  const bool at_batch_end =
      count == 0 || std::find(progress.batch_ends.begin(), progress.batch_ends.end(), count) !=
                        progress.batch_ends.end();
  ASSERT_TRUE(at_batch_end) << "a batch came back in part";
}

// What was recovered once is there for good, and the journal goes on from it.
void check_and_go_on(SimulatedFileSystem& disk, const Progress& progress) {
  std::uint64_t recovered = 0;
  {
    const ReplayedJournal replayed = open_journal(disk);
    ASSERT_NO_FATAL_FAILURE(check(replayed, progress));
    recovered = replayed.entries.size();
  }
  disk.crash(Unflushed::kLost);
  {
    const ReplayedJournal replayed = open_journal(disk);
    ASSERT_NO_FATAL_FAILURE(check(replayed, progress));
    ASSERT_EQ(replayed.entries.size(), recovered) << "what was recovered did not last";
  }
  Progress more = run_script(disk, recovered);
  ASSERT_FALSE(more.failed);
  disk.crash(Unflushed::kLost);
  const ReplayedJournal replayed = open_journal(disk);
  more.batch_ends.push_back(recovered);
  ASSERT_NO_FATAL_FAILURE(check(replayed, more));
}

std::uint64_t operations_of_the_script() {
  SimulatedFileSystem disk;
  const Progress progress = run_script(disk);
  EXPECT_FALSE(progress.failed);
  EXPECT_TRUE(disk.exists("/data/journal-0000000003.log")) << "the script must rotate";
  return disk.operations();
}

TEST(JournalCrash, DyingAtAnyOperationLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  ASSERT_GT(operations, 40U);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SCOPED_TRACE("died at operation " + std::to_string(n) + ", unflushed " +
                   std::string(to_string(unflushed)));
      SimulatedFileSystem disk(n);
      disk.die_at(n);
      const Progress progress = run_script(disk);
      ASSERT_TRUE(progress.failed);
      disk.crash(unflushed);
      ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
    }
  }
}

TEST(JournalCrash, AFailureOfAnyOperationLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  std::uint64_t unnoticed = 0;
  for (std::uint64_t n = 1; n <= operations; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n) + " failed");
    SimulatedFileSystem disk(n);
    disk.fail_at(n);
    const Progress progress = run_script(disk);
    unnoticed += progress.failed ? 0 : 1;
    disk.restart_process();
    ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
  }
  EXPECT_LE(unnoticed, 2U) << "making room for the next manifest is the one thing that may fail";
}

TEST(JournalCrash, AFailureAndThenACrashLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SCOPED_TRACE("operation " + std::to_string(n) + " failed, unflushed " +
                   std::string(to_string(unflushed)));
      SimulatedFileSystem disk(n);
      disk.fail_at(n);
      const Progress progress = run_script(disk);
      disk.crash(unflushed);
      ASSERT_NO_FATAL_FAILURE(check_and_go_on(disk, progress));
    }
  }
}

TEST(JournalCrash, DyingAgainDuringRecoveryLosesNothingFlushed) {
  const std::uint64_t operations = operations_of_the_script();
  for (std::uint64_t n = 1; n <= operations; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      for (std::uint64_t again = 1; again <= 8; ++again) {
        SCOPED_TRACE("died at operation " + std::to_string(n) + " and again at operation " +
                     std::to_string(again) + " of the recovery, unflushed " +
                     std::string(to_string(unflushed)));
        SimulatedFileSystem disk(n);
        disk.die_at(n);
        const Progress progress = run_script(disk);
        disk.crash(unflushed);
        disk.die_at(again);
        const bool recovered = open_journal(disk).status.is_ok();
        disk.crash(unflushed);
        const ReplayedJournal replayed = open_journal(disk);
        ASSERT_NO_FATAL_FAILURE(check(replayed, progress));
        if (recovered) {
          break;  // the recovery has fewer operations than that
        }
      }
    }
  }
}

// What a disk may do to a file beside forgetting: a bit, a sector or a page of it changes, or what
// was written last arrives over something else.
void damage(SimulatedFileSystem& disk, const std::string& path, std::uint64_t offset, int kind) {
  const std::uint64_t size = disk.content(path).size();
  const auto clipped = [&](std::uint64_t bytes) { return std::min(bytes, size - offset); };
  if (kind == 0) return disk.flip_bit(path, offset, static_cast<int>(offset % 8));
  if (kind == 1) return disk.zero(path, offset, clipped(512));
  if (kind == 2) return disk.zero(path, offset, size - offset);
  std::string torn = disk.content(path);
  torn.replace(offset, clipped(100), torn.substr(size / 2, clipped(100)));
  disk.set_content(path, torn);
}

// After any death and any damage: a beginning of the story, true in every byte, or a refusal that
// names the damage. A flipped bit costs at most what the last flush brought.
TEST(JournalCrash, ADamagedDiskGivesABeginningOfTheStoryOrARefusal) {
  const std::uint64_t operations = operations_of_the_script();
  std::uint64_t refused = 0, shortened = 0, whole = 0;
  for (std::uint64_t n = operations / 4; n <= operations + 1; ++n) {
    for (const Unflushed unflushed : testing::kUnflushedAll) {
      SimulatedFileSystem crashed(n);
      crashed.die_at(n);
      Progress progress = run_script(crashed);
      crashed.crash(unflushed);
      const std::uint64_t flushed = std::exchange(progress.flushed, 0);
      for (const std::string& name : crashed.list("/data").value()) {
        const std::string path = "/data/" + name;
        const std::uint64_t size = crashed.content(path).size();
        for (std::uint64_t i = 0; i < size; i += 23) {
          const std::uint64_t offset = i + (n + i) % std::min<std::uint64_t>(23, size - i);
          const int kind = static_cast<int>(i / 23 % 4);
          SCOPED_TRACE("died at operation " + std::to_string(n) + ", unflushed " +
                       std::string(to_string(unflushed)) + ", damage " + std::to_string(kind) +
                       " of " + name + " at " + std::to_string(offset));
          SimulatedFileSystem disk = crashed;
          damage(disk, path, offset, kind);
          const ReplayedJournal replayed = open_journal(disk);
          if (!replayed.status.is_ok()) {
            ASSERT_THAT(replayed.status.reason(),
                        ::testing::AnyOf(journal::kReasonDamaged, journal::kReasonVersion));
            ASSERT_NE(replayed.status.message().find("/data/"), std::string::npos)
                << replayed.status.to_string();
            ++refused;
            continue;
          }
          ASSERT_NO_FATAL_FAILURE(check(replayed, progress));
          replayed.entries.size() < flushed ? ++shortened : ++whole;
          const auto last =
              std::lower_bound(progress.flushes.begin(), progress.flushes.end(), flushed);
          if (kind == 0 && last != progress.flushes.begin()) {
            ASSERT_GE(replayed.entries.size(), *(last - 1)) << "one bit took more than one flush";
          }
        }
      }
    }
  }
  EXPECT_GT(refused, 10'000U);
  EXPECT_GT(shortened, 1000U);
  EXPECT_GT(whole, 1000U);
}

}  // namespace
}  // namespace assay
