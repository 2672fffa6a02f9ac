// Compaction as the broker does it, with the machine failing at every operation in turn: what was
// durable comes back, bodies and results included, and the disk does not fill with what is not
// needed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/compaction/checkpoint_directory.h"
#include "broker/core/invariants.h"
#include "broker/journal/directory.h"
#include "broker/journal/repair.h"
#include "tests/support/broker_life.h"
#include "tests/support/state_text.h"

namespace assay::testing {
namespace {

constexpr int kTurns = 60;

class StorageCompactionTest : public ::testing::Test {
 protected:
  void live(BrokerLife& life, int turns) {
    for (int i = 0; i < turns; ++i) {
      const Status status = life.turn();
      ASSERT_TRUE(status.is_ok()) << "turn " << i << ": " << status.to_string();
    }
  }
  static std::string recovered(SimulatedFileSystem& files, Status& status) {
    BrokerLife life(files, 1);
    status = life.start();
    if (!status.is_ok()) return {};
    const std::string state = life.state();
    EXPECT_TRUE(life.unreadable().is_ok()) << life.unreadable().to_string();
    return state;
  }
  std::vector<std::string> checkpoints() {
    std::vector<std::string> found;
    for (const std::string& name : *files_.list("/data"))
      if (name.starts_with("checkpoint-")) found.push_back(name);
    return found;
  }

  SimulatedFileSystem files_;
};

TEST_F(StorageCompactionTest, ALongLifeTakesBoundedSpaceAndComesBackAsItWas) {
  BrokerLife life(files_, 7);
  ASSERT_TRUE(life.start().is_ok());
  std::uint64_t most = 0;
  for (int i = 0; i < 1500; ++i) {
    ASSERT_TRUE(life.turn().is_ok());
    most = std::max(most, life.storage().counters().bytes);
  }
  EXPECT_GT(life.storage().counters().compactions, 20U);
  EXPECT_EQ(life.storage().counters().compaction_failures, 0U);
  const std::uint64_t bound = std::max<std::uint64_t>(BrokerLife::settings().compaction_bytes_min,
                                                      life.storage().counters().checkpoint_bytes);
  EXPECT_LT(most, 3 * bound);
  const std::string was = life.state();
  ASSERT_TRUE(life.unreadable().is_ok()) << life.unreadable().to_string();
  ASSERT_TRUE(life.storage().close().is_ok());
  files_.restart_process();
  Status status;
  const std::string gave = recovered(files_, status);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_EQ(difference(was, gave), "");
  EXPECT_LE(checkpoints().size(), 1U);
}

// Of each way to fail, every third operation of a life with several compactions.
TEST_F(StorageCompactionTest, AMachineThatDiesAnywhereComesBackWithAllThatWasDurable) {
  Status status;
  std::vector<std::string> states{recovered(files_, status)};  // after each turn, of a whole life
  SimulatedFileSystem whole_files;
  BrokerLife whole(whole_files, 3);
  whole.on_stored = [&] { states.push_back(whole.state()); };
  ASSERT_TRUE(whole.start().is_ok());
  live(whole, kTurns);
  ASSERT_GT(whole.storage().counters().compactions, 2U);
  for (const Unflushed unflushed : kUnflushedAll) {
    for (std::uint64_t at = 1; at < whole_files.operations(); at += 3) {
      SCOPED_TRACE("died at " + std::to_string(at) + ", " + std::string(to_string(unflushed)));
      SimulatedFileSystem files(at);
      BrokerLife life(files, 3);
      files.die_at(at);
      std::size_t stored = 0;
      life.on_stored = [&] { ++stored; };
      status = life.start();
      for (int i = 0; status.is_ok() && i < kTurns; ++i) status = life.turn();
      ASSERT_TRUE(files.is_dead());
      files.crash(unflushed);
      const std::string gave = recovered(files, status);
      ASSERT_TRUE(status.is_ok()) << status.to_string();
      // What was written by the turn that died may have reached the disk.
      const bool is_next = stored + 1 < states.size() && gave == states[stored + 1];
      EXPECT_TRUE(is_next || gave == states[stored]) << stored << " turns stored\n"
                                                     << difference(states[stored], gave);
      // It goes on from there, too.
      files.restart_process();
      BrokerLife next(files, 4);
      ASSERT_TRUE(next.start().is_ok());
      ASSERT_TRUE(next.turn().is_ok());
    }
  }
}

TEST_F(StorageCompactionTest, AFullDiskDelaysItAndNothingIsLost) {
  BrokerLife life(files_, 5);
  ASSERT_TRUE(life.start().is_ok());
  live(life, 20);
  const std::uint64_t compactions = life.storage().counters().compactions;
  files_.set_capacity(files_.used_bytes() + 9000);
  Status status;
  for (int i = 0; status.is_ok() && i < 200; ++i) status = life.turn();
  // Nobody asked can_accept() here: in the end even the reserve is used up.
  EXPECT_EQ(status.reason(), journal::kReasonDiskFull);
  EXPECT_GE(life.storage().counters().compactions, compactions);
  files_.set_capacity(std::numeric_limits<std::uint64_t>::max());
  files_.restart_process();
  recovered(files_, status);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
}

class BrokenCheckpointTest : public StorageCompactionTest {
 protected:
  void SetUp() override {
    BrokerLife life(files_, 9);
    ASSERT_TRUE(life.start().is_ok());
    live(life, kTurns);
    ASSERT_TRUE(life.storage().close().is_ok());
    ASSERT_EQ(checkpoints().size(), 1U);
    directory_ = "/data/" + checkpoints().front();
    files_.restart_process();
  }
  Status open() {
    Status status;
    recovered(files_, status);
    return status;
  }

  std::string directory_;
};

TEST_F(BrokenCheckpointTest, OneThatIsMissingIsRefusedByName) {
  for (const std::string& name : *files_.list(directory_)) files_.lose(directory_ + "/" + name);
  const Status status = open();
  EXPECT_EQ(status.reason(), journal::kReasonDamaged);
  EXPECT_NE(status.message().find(directory_), std::string::npos) << status.message();
}

TEST_F(BrokenCheckpointTest, OneThatEndsTooSoonIsRefused) {
  const auto numbers = journal::list_segments(files_, directory_);
  ASSERT_GT(numbers->size(), 1U);
  files_.lose(directory_ + "/" + journal::segment_name(numbers->back()));
  EXPECT_EQ(open().reason(), journal::kReasonDamaged);
}

TEST_F(BrokenCheckpointTest, OneWithAFlippedBitIsRefused) {
  // The first segment is too small for a batch, the last one only closes it.
  files_.flip_bit(directory_ + "/" + journal::segment_name(2), 300);
  EXPECT_EQ(open().reason(), journal::kReasonDamaged);
}

TEST_F(BrokenCheckpointTest, OneOfAnotherJournalIsRefused) {
  SimulatedFileSystem others(5);
  BrokerLife other(others, 9);
  ASSERT_TRUE(other.start().is_ok());
  live(other, kTurns);
  for (const std::string& name : *others.list(directory_))
    files_.set_content(directory_ + "/" + name, others.content(directory_ + "/" + name));
  const Status status = open();
  EXPECT_EQ(status.reason(), journal::kReasonDamaged);
  EXPECT_NE(status.message().find("another"), std::string::npos) << status.message();
}

// Repaired, the broker starts with all that is intact, and nobody waits for what was given up.
class RepairedCheckpointTest : public BrokenCheckpointTest {
 protected:
  void expect_a_life_after() {
    const auto repaired = journal::repair(files_, directory_);
    ASSERT_TRUE(repaired.is_ok()) << repaired.status().to_string();
    BrokerLife life(files_, 9);
    const Status status = life.start();
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_GT(life.recovery().orphans, 0U);
    for (const std::string& sentence : invariants_of(life)) ADD_FAILURE() << sentence;
    live(life, kTurns);
    for (const std::string& sentence : core::check_now(life.core())) ADD_FAILURE() << sentence;
    EXPECT_GT(life.storage().counters().compactions, 0U);
    ASSERT_TRUE(life.storage().close().is_ok());
    files_.restart_process();
    EXPECT_TRUE(open().is_ok()) << "what was made of it is whole";
  }
  // Those that hold before the start, too: nobody holds what runs.
  static std::vector<std::string> invariants_of(const BrokerLife& life) {
    std::vector<std::string> wrong = core::check_now(life.core());
    std::erase_if(wrong, [](const std::string& sentence) {
      return sentence.find("held") != std::string::npos;
    });
    return wrong;
  }
};

TEST_F(RepairedCheckpointTest, OneWithAFlippedBitGoesOn) {
  files_.flip_bit(directory_ + "/" + journal::segment_name(2), 300);
  ASSERT_FALSE(open().is_ok());
  files_.restart_process();
  expect_a_life_after();
}

TEST_F(RepairedCheckpointTest, OneWithoutItsEndGoesOn) {
  const auto numbers = journal::list_segments(files_, directory_);
  for (std::size_t i = 1; i < numbers->size(); ++i) {
    files_.lose(directory_ + "/" + journal::segment_name((*numbers)[i]));
  }
  ASSERT_FALSE(open().is_ok());
  files_.restart_process();
  expect_a_life_after();
}

TEST_F(RepairedCheckpointTest, OneThatIsMissingGoesOnAsAnEmptyOne) {
  for (const std::string& name : *files_.list(directory_)) files_.lose(directory_ + "/" + name);
  const auto manifest = journal::read_manifest(files_, "/data");
  const auto replaced = compaction::replace_missing_checkpoint(files_, "/data", *manifest.value());
  ASSERT_TRUE(replaced.is_ok()) << replaced.status().to_string();
  EXPECT_TRUE(*replaced);
  files_.restart_process();
  expect_a_life_after();
}

TEST_F(BrokenCheckpointTest, WhatAnInterruptedOneLeftIsRemoved) {
  files_.set_content("/data/checkpoint-0000009999/journal-0000000001.log", "half");
  EXPECT_TRUE(open().is_ok());
  EXPECT_EQ(checkpoints().size(), 1U);
}

}  // namespace
}  // namespace assay::testing
