// Verify tells all damage there is; repair keeps all that is intact, and says what is not.
#include "broker/journal/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "broker/journal/directory.h"
#include "broker/journal/print.h"
#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay::journal {
namespace {

using ::testing::AllOf;
using testing::append_one;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kJournalDirectory;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;
using ::testing::SizeIs;

std::string segment_path(std::uint32_t number) {
  return kJournalDirectory + "/" + segment_name(number);
}

// A journal of three segments and more, one entry a batch, ended in good order.
class RepairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ReplayedJournal opened = open_journal(disk_);
    ASSERT_TRUE(opened.status.is_ok());
    for (std::uint64_t i = 0; opened.journal->active_segment() < 3 || i % 4 != 0; ++i) {
      const std::string head = "entry " + std::to_string(i);
      const Location location = append_one(*opened.journal, head, pattern(i, i * 13 % 170));
      const auto header_bytes = static_cast<std::uint32_t>(
          kBatchHeaderBytes + entry_bytes(head.size(), location.length) - location.length);
      places_.push_back(
          {location.segment, location.offset - header_bytes, location.offset + location.length});
      heads_.push_back(head);
      ASSERT_TRUE(opened.journal->flush().is_ok());
    }
    ASSERT_TRUE(opened.journal->close().is_ok());
    const std::vector<std::string> names = disk_.list(kJournalDirectory).value();
    for (const std::string& name : names) {
      const std::string path = path_in(kJournalDirectory, name);
      intact_[path] = disk_.content(path);
    }
  }

  // The journal as it was, without what the last repair made.
  void restore() {
    const std::vector<std::string> names = disk_.list(kJournalDirectory).value();
    for (const std::string& name : names) {
      disk_.lose(path_in(kJournalDirectory, name));
    }
    for (const auto& [path, content] : intact_) {
      disk_.set_content(path, content);
    }
  }

  // The entries that a range of a segment's bytes touches.
  std::vector<std::string> heads_in(std::uint32_t segment, std::uint64_t from,
                                    std::uint64_t to) const {
    std::vector<std::string> heads;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].segment == segment && places_[i].begin < to && places_[i].end > from) {
        heads.push_back(heads_[i]);
      }
    }
    return heads;
  }

  // Repairs, opens, and answers which entries are lost. All others are there, in order, unchanged.
  std::vector<std::string> lost_after_repair() {
    const Result<RepairReport> report = repair(disk_, kJournalDirectory);
    EXPECT_TRUE(report.is_ok()) << report.status().to_string();
    const ReplayedJournal opened = open_journal(disk_);
    EXPECT_TRUE(opened.status.is_ok()) << opened.status.to_string();
    std::vector<std::string> lost;
    std::size_t at = 0;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      if (at < opened.entries.size() && opened.entries[at].head == heads_[i]) {
        EXPECT_EQ(opened.entries[at].blob, pattern(i, i * 13 % 170));
        EXPECT_EQ(opened.journal->read(opened.entries[at].location).value(),
                  opened.entries[at].blob);
        ++at;
      } else {
        lost.push_back(heads_[i]);
      }
    }
    EXPECT_EQ(at, opened.entries.size()) << "entries were invented or changed their order";
    return lost;
  }

  struct Place {
    std::uint32_t segment;
    std::uint32_t begin;
    std::uint32_t end;
  };
  SimulatedFileSystem disk_;
  std::vector<std::string> heads_;
  std::vector<Place> places_;
  std::map<std::string, std::string> intact_;
};

TEST_F(RepairTest, AnIntactJournalIsVerifiedAndLeftAlone) {
  const Result<Inspection> inspection = inspect(disk_, kJournalDirectory);
  ASSERT_TRUE(inspection.is_ok());
  EXPECT_TRUE(inspection.value().is_intact());
  EXPECT_THAT(
      inspection.value().to_string(),
      AllOf(HasSubstr("nothing is damaged"), HasSubstr("journal-0000000001.log: batches 1")));
  EXPECT_THAT(repair(disk_, kJournalDirectory).value().to_string(),
              HasSubstr("nothing was changed"));
  EXPECT_EQ(disk_.content(segment_path(1)), intact_[segment_path(1)]);
}

TEST_F(RepairTest, OneDamagedBatchIsNamedGivenUpAndSetAside) {
  const Place place = places_[5];
  disk_.flip_bit(segment_path(1), place.begin + 60);
  const Result<Inspection> inspection = inspect(disk_, kJournalDirectory);
  ASSERT_TRUE(inspection.is_ok());
  ASSERT_THAT(inspection.value().damages, SizeIs(1));
  EXPECT_THAT(
      inspection.value().to_string(),
      AllOf(HasSubstr("DAMAGED: journal-0000000001.log at offset " + std::to_string(place.begin)),
            HasSubstr("expected"), HasSubstr("found"), HasSubstr("lost: batches 6 to 6"),
            HasSubstr("--repair")));
  const std::string damaged = disk_.content(segment_path(1));
  EXPECT_THAT(lost_after_repair(), ElementsAre("entry 5"));
  EXPECT_EQ(disk_.content(kJournalDirectory + "/damaged-journal-0000000001.log"), damaged);
  EXPECT_TRUE(inspect(disk_, kJournalDirectory).value().is_intact());
}

TEST_F(RepairTest, WhateverBitFlipsAtMostItsOwnEntryIsLost) {
  for (std::uint32_t segment = 1; segment <= 3; ++segment) {
    const std::size_t end = intact_[segment_path(segment)].find_last_not_of('\0') + 1;
    for (std::size_t at = 0; at < end; at += 3) {
      SCOPED_TRACE("segment " + std::to_string(segment) + ", offset " + std::to_string(at));
      disk_.flip_bit(segment_path(segment), at, static_cast<int>(at % 8));
      const std::vector<std::string> lost = lost_after_repair();
      const std::vector<std::string> touched = heads_in(segment, at, at + 1);
      ASSERT_TRUE(lost.empty() || lost == touched) << lost.size() << " lost, first " << lost[0];
      restore();
    }
  }
}

TEST_F(RepairTest, AZeroedBlockCostsTheEntriesInItAndNoOthers) {
  constexpr std::uint64_t kBlock = 512;
  for (std::uint32_t segment = 1; segment <= 2; ++segment) {
    for (std::uint64_t at = 0; at + kBlock <= intact_[segment_path(segment)].size(); at += kBlock) {
      SCOPED_TRACE("segment " + std::to_string(segment) + ", offset " + std::to_string(at));
      disk_.zero(segment_path(segment), at, kBlock);
      const std::vector<std::string> lost = lost_after_repair();
      ASSERT_EQ(lost, heads_in(segment, at, at + kBlock));
      restore();
    }
  }
}

TEST_F(RepairTest, AMissingSegmentCostsItsEntriesAndNoOthers) {
  for (std::uint32_t segment = 1; segment <= 2; ++segment) {
    disk_.lose(segment_path(segment));
    EXPECT_EQ(lost_after_repair(), heads_in(segment, 0, UINT32_MAX));
    restore();
  }
}

TEST_F(RepairTest, AMissingNewestSegmentCostsItsEntriesAndNoOthers) {
  disk_.lose(segment_path(3));
  const Inspection inspection = inspect(disk_, kJournalDirectory).value();
  EXPECT_THAT(inspection.to_string(), HasSubstr("lost: whatever followed batch"));
  EXPECT_EQ(lost_after_repair(), heads_in(3, 0, UINT32_MAX));
}

TEST_F(RepairTest, ASegmentFullOfRubbishCostsItsEntriesAndNoOthers) {
  disk_.set_content(segment_path(2), pattern(9, 4096));
  EXPECT_EQ(lost_after_repair(), heads_in(2, 0, UINT32_MAX));
  restore();
  disk_.set_content(segment_path(2), "");
  EXPECT_EQ(lost_after_repair(), heads_in(2, 0, UINT32_MAX));
}

TEST_F(RepairTest, ASegmentInThePlaceOfAnotherCostsThatOnesEntries) {
  disk_.set_content(segment_path(2), intact_[segment_path(1)]);
  EXPECT_EQ(lost_after_repair(), heads_in(2, 0, UINT32_MAX));
}

TEST_F(RepairTest, AMissingOrDamagedManifestCostsNothing) {
  disk_.lose(kJournalDirectory + "/MANIFEST");
  EXPECT_FALSE(inspect(disk_, kJournalDirectory).value().is_intact());
  EXPECT_THAT(lost_after_repair(), IsEmpty());
  restore();
  disk_.flip_bit(kJournalDirectory + "/MANIFEST", 25);
  EXPECT_THAT(lost_after_repair(), IsEmpty());
  EXPECT_TRUE(disk_.exists(kJournalDirectory + "/damaged-MANIFEST"));
}

TEST_F(RepairTest, SeveralDamagesAreAllMendedAtOnce) {
  disk_.flip_bit(segment_path(1), places_[3].begin + 50);
  disk_.flip_bit(segment_path(1), places_[8].begin + 10);
  disk_.zero(segment_path(2), 0, 64);
  disk_.lose(kJournalDirectory + "/MANIFEST");
  EXPECT_THAT(lost_after_repair(), ElementsAre("entry 3", "entry 8"));
}

TEST_F(RepairTest, WhatFollowsALossMayBeOrphaned) {
  disk_.flip_bit(segment_path(1), places_[5].begin + 60);
  ASSERT_THAT(lost_after_repair(), SizeIs(1));
  ReplayedJournal opened = open_journal(disk_);
  EXPECT_TRUE(opened.entries.back().may_be_orphan);
  EXPECT_EQ(opened.journal->recovery_report().lost_batches, 1U);
  append_one(*opened.journal, "new");
  ASSERT_TRUE(opened.journal->flush().is_ok());
  opened.journal.reset();
  EXPECT_FALSE(open_journal(disk_).entries.back().may_be_orphan);
}

TEST_F(RepairTest, ATornEndIsNoDamageAndLeftToRecovery) {
  const std::string torn = intact_[segment_path(3)];
  disk_.set_content(segment_path(3), torn.substr(0, places_.back().begin + 60));
  const Inspection inspection = inspect(disk_, kJournalDirectory).value();
  EXPECT_TRUE(inspection.is_intact());
  EXPECT_THAT(inspection.notes, ElementsAre(HasSubstr("never flushed")));
}

TEST_F(RepairTest, ARepairedJournalCanBeDamagedAndRepairedAgain) {
  disk_.flip_bit(segment_path(1), places_[5].begin + 60);
  ASSERT_THAT(lost_after_repair(), ElementsAre("entry 5"));
  // The hole took 48 bytes where the batch had more.
  const std::string content = disk_.content(segment_path(1));
  disk_.flip_bit(segment_path(1), content.find("entry 7"));
  EXPECT_THAT(lost_after_repair(), ElementsAre("entry 5", "entry 7"));
  EXPECT_TRUE(disk_.exists(kJournalDirectory + "/damaged-journal-0000000001.log.2"));
}

TEST_F(RepairTest, AJournalInUseIsNotRepaired) {
  const ReplayedJournal opened = open_journal(disk_);
  EXPECT_EQ(repair(disk_, kJournalDirectory).status().reason(), kReasonLocked);
}

TEST_F(RepairTest, ADirectoryWithoutAJournalIsNotFound) {
  EXPECT_EQ(inspect(disk_, "/elsewhere").status().code(), Code::kNotFound);
}

TEST_F(RepairTest, AJournalOfANewerVersionIsNotRepaired) {
  std::string content = intact_[segment_path(2)];
  SegmentHeader header = *decode_segment_header(content).header;
  header.version = 2;
  encode(header, std::span<char, kSegmentHeaderBytes>(content.data(), kSegmentHeaderBytes));
  disk_.set_content(segment_path(2), content);
  EXPECT_EQ(repair(disk_, kJournalDirectory).status().reason(), kReasonVersion);
}

TEST_F(RepairTest, AJournalIsPrintedFrameByFrame) {
  disk_.flip_bit(segment_path(1), places_[1].begin + 60);
  ASSERT_TRUE(repair(disk_, kJournalDirectory).is_ok());
  std::ostringstream out;
  const Status status = print(disk_, kJournalDirectory, out,
                              [](std::string_view head) { return "<" + std::string(head) + ">"; });
  ASSERT_TRUE(status.is_ok());
  EXPECT_THAT(
      out.str(),
      AllOf(HasSubstr("journal-0000000001.log: salt 0x"), HasSubstr("batch 1 at 64, durable 0"),
            HasSubstr("<entry 7> +91 bytes"), HasSubstr("hole of 1 batches"), HasSubstr(", seal"),
            HasSubstr(", close"), HasSubstr("nothing is damaged")));
}

}  // namespace
}  // namespace assay::journal
