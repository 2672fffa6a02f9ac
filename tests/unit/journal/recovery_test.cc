// How a journal ends: what is cut as torn, what is refused as damaged, and what is never believed.
#include "broker/journal/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/replayed_journal.h"
#include "tests/support/simulated_file_system.h"

namespace assay::journal {
namespace {

using ::testing::AllOf;
using testing::append_one;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kJournalDirectory;
using testing::open_journal;
using testing::pattern;
using testing::ReplayedJournal;
using testing::SimulatedFileSystem;

const std::string kFirst = kJournalDirectory + "/journal-0000000001.log";
const std::string kSecond = kJournalDirectory + "/journal-0000000002.log";
const std::string kManifestPath = kJournalDirectory + "/MANIFEST";

class RecoveryTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    replayed_ = {};
    replayed_ = open_journal(disk_, options_);
    ASSERT_TRUE(replayed_.status.is_ok()) << replayed_.status.to_string();
  }
  void end_process() {
    replayed_.journal.reset();
    disk_.restart_process();
  }
  Status refusal() {
    end_process();
    return open_journal(disk_).status;
  }
  // One batch, flushed; answers where it starts.
  std::uint32_t flushed_batch(std::string_view head, std::size_t blob_bytes = 100) {
    const std::uint32_t start = unflushed_batch(head, blob_bytes);
    EXPECT_TRUE(journal().flush().is_ok());
    return start;
  }
  std::uint32_t unflushed_batch(std::string_view head, std::size_t blob_bytes = 100) {
    const Location location = append_one(journal(), head, pattern(blob_bytes, blob_bytes));
    return location.offset - static_cast<std::uint32_t>(head.size()) - kEntryBytesMin -
           kBlobChecksumBytes - kBatchHeaderBytes;
  }
  void fill_first_segment() {
    while (journal().active_segment() == 1) {
      flushed_batch("filler", 500);
    }
  }
  Journal& journal() { return *replayed_.journal; }

  SimulatedFileSystem disk_;
  JournalOptions options_ = testing::small_segments();
  ReplayedJournal replayed_;
};

TEST_F(RecoveryTest, ATornLastBatchIsCutAndReported) {
  flushed_batch("kept");
  const std::uint32_t torn = unflushed_batch("torn");
  disk_.zero(kFirst, torn + 60, 40);
  end_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("kept"));
  const RecoveryReport& report = journal().recovery_report();
  ASSERT_TRUE(report.cut);
  EXPECT_EQ(report.cut->file, "journal-0000000001.log");
  EXPECT_EQ(report.cut->offset, torn);
  EXPECT_GT(report.cut->bytes, 100U);
  EXPECT_THAT(report.to_string(), HasSubstr("never flushed from journal-0000000001.log"));
}

TEST_F(RecoveryTest, ATornHeaderIsCut) {
  flushed_batch("kept");
  const std::uint32_t torn = unflushed_batch("torn");
  disk_.flip_bit(kFirst, torn + 9);
  end_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("kept"));
  EXPECT_EQ(journal().recovery_report().cut->offset, torn);
}

TEST_F(RecoveryTest, AFileThatEndsInTheMiddleOfABatchIsCut) {
  flushed_batch("kept");
  const std::uint32_t torn = unflushed_batch("torn");
  for (const std::uint32_t keep : {1U, 8U, 47U, 48U, 60U}) {
    disk_.set_content(kFirst, disk_.content(kFirst).substr(0, torn + keep));
    end_process();
    open();
    EXPECT_THAT(replayed_.heads(), ElementsAre("kept")) << keep;
    unflushed_batch("torn");
  }
}

TEST_F(RecoveryTest, AfterAnUnflushedGapLaterUnflushedBatchesAreCutToo) {
  flushed_batch("kept");
  const std::uint32_t lost = unflushed_batch("lost");
  unflushed_batch("reached the disk before the one in front of it");
  disk_.zero(kFirst, lost, 64);
  end_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("kept"));
  EXPECT_EQ(journal().recovery_report().cut->offset, lost);
}

TEST_F(RecoveryTest, ACutBatchNeverComesBackToLifeBehindANewOne) {
  options_.written_ahead_bytes = 0;  // or the zeros in front of the new batch would bury the ghost
  end_process();
  open();
  flushed_batch("kept");
  const std::uint32_t lost = unflushed_batch("lost", 100);
  unflushed_batch("ghost", 100);
  disk_.zero(kFirst, lost, 64);
  end_process();
  open();
  // Of the same size as the lost one: the ghost would follow it with the right sequence number.
  flushed_batch("anew", 100);
  end_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("kept", "anew"));
}

TEST_F(RecoveryTest, DamageInFrontOfALaterFlushedBatchIsRefused) {
  flushed_batch("one");
  const std::uint32_t damaged_at = flushed_batch("two");
  flushed_batch("three");
  disk_.flip_bit(kFirst, damaged_at + 100);
  const Status status = refusal();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_EQ(status.reason(), kReasonDamaged);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("journal-0000000001.log"),
                    HasSubstr("offset " + std::to_string(damaged_at)), HasSubstr("expected"),
                    HasSubstr("found"), HasSubstr("--verify"), HasSubstr("--repair")));
}

TEST_F(RecoveryTest, AZeroedBlockInTheMiddleIsRefused) {
  const std::uint32_t zeroed = flushed_batch("one", 600);
  flushed_batch("two");
  disk_.zero(kFirst, zeroed, 512);
  EXPECT_EQ(refusal().reason(), kReasonDamaged);
}

TEST_F(RecoveryTest, EveryFlippedBitInFlushedBatchesIsRefusedNotCut) {
  flushed_batch("one", 40);
  flushed_batch("two", 40);
  ASSERT_TRUE(journal().close().is_ok());
  const std::string intact = disk_.content(kFirst);
  end_process();
  const std::size_t end =
      intact.find_last_not_of('\0') + 1 - kBatchHeaderBytes;  // before the close
  for (std::size_t at = 0; at < end; ++at) {
    disk_.flip_bit(kFirst, at, static_cast<int>(at % 8));
    const ReplayedJournal opened = open_journal(disk_);
    // Padding is the one place where a bit means nothing.
    if (opened.status.is_ok()) {
      ASSERT_EQ(opened.entries.size(), 2U) << "at " << at;
      ASSERT_EQ(intact[at], '\0') << "at " << at;
    } else {
      ASSERT_EQ(opened.status.reason(), kReasonDamaged) << "at " << at;
    }
    ASSERT_EQ(disk_.content(kFirst).size(), intact.size()) << "a refused journal is not changed";
    disk_.set_content(kFirst, intact);
  }
}

TEST_F(RecoveryTest, DamageToTheLastBatchIsSeenWhenTheBrokerEndedInGoodOrder) {
  const std::uint32_t last = flushed_batch("last");
  ASSERT_TRUE(journal().close().is_ok());
  disk_.flip_bit(kFirst, last + 60);
  EXPECT_EQ(refusal().reason(), kReasonDamaged);
}

TEST_F(RecoveryTest, DamageInASealedSegmentIsRefused) {
  const std::uint32_t first = flushed_batch("first");
  fill_first_segment();
  disk_.flip_bit(kFirst, first + 70);
  EXPECT_THAT(refusal().message(), HasSubstr("journal-0000000001.log"));
}

TEST_F(RecoveryTest, ADamagedSealIsRefusedWhenTheNextSegmentIsInUse) {
  fill_first_segment();
  flushed_batch("in the second segment");
  const std::size_t end = disk_.content(kFirst).find_last_not_of('\0');
  disk_.zero(kFirst, end - 40, 41);
  EXPECT_EQ(refusal().reason(), kReasonDamaged);
}

TEST_F(RecoveryTest, AMissingSegmentIsRefused) {
  fill_first_segment();
  disk_.lose(kFirst);
  EXPECT_THAT(refusal().message(),
              AllOf(HasSubstr("journal-0000000001.log"), HasSubstr("no such file")));
}

TEST_F(RecoveryTest, AMissingNewestSegmentIsRefused) {
  fill_first_segment();
  disk_.lose(kSecond);
  EXPECT_THAT(refusal().message(),
              AllOf(HasSubstr("journal-0000000002.log"), HasSubstr("no such file")));
}

TEST_F(RecoveryTest, AMissingManifestBesideASegmentInUseIsRefused) {
  flushed_batch("one");
  disk_.lose(kManifestPath);
  EXPECT_THAT(refusal().message(), HasSubstr("MANIFEST"));
}

TEST_F(RecoveryTest, ADamagedManifestIsRefused) {
  disk_.flip_bit(kManifestPath, 30);
  EXPECT_EQ(refusal().reason(), kReasonDamaged);
}

TEST_F(RecoveryTest, ADamagedSegmentHeaderIsRefused) {
  disk_.flip_bit(kFirst, 20);
  EXPECT_EQ(refusal().reason(), kReasonDamaged);
}

TEST_F(RecoveryTest, ASegmentUnderAnotherNameIsRefused) {
  fill_first_segment();
  disk_.set_content(kSecond, disk_.content(kFirst));
  EXPECT_THAT(refusal().message(), HasSubstr("expected segment 2, found segment 1"));
}

TEST_F(RecoveryTest, ASegmentOfAnotherJournalIsRefused) {
  SimulatedFileSystem other_disk;
  JournalOptions options = testing::small_segments();
  options.seed = 4711;
  open_journal(other_disk, options);
  disk_.set_content(kFirst, other_disk.content(kFirst));
  EXPECT_THAT(refusal().message(), HasSubstr("of journal"));
}

template <typename Header, std::size_t kSize>
void set_header(SimulatedFileSystem& disk, const std::string& path, const Header& header) {
  std::string bytes = disk.content(path);
  encode(header, std::span<char, kSize>(bytes.data(), kSize));
  disk.set_content(path, bytes);
}

TEST_F(RecoveryTest, AJournalOfANewerVersionIsRefusedNamingBoth) {
  flushed_batch("one");
  SegmentHeader header = *decode_segment_header(disk_.content(kFirst)).header;
  header.version = 2;
  set_header<SegmentHeader, kSegmentHeaderBytes>(disk_, kFirst, header);
  Status status = refusal();
  EXPECT_EQ(status.reason(), kReasonVersion);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("version 1"), HasSubstr("version 2")));

  Manifest manifest = *decode_manifest(disk_.content(kManifestPath)).header;
  manifest.version = 3;
  set_header<Manifest, kManifestBytes>(disk_, kManifestPath, manifest);
  status = refusal();
  EXPECT_EQ(status.reason(), kReasonVersion);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("version 1"), HasSubstr("version 3")));
}

TEST_F(RecoveryTest, ABodyThatLooksLikeABatchIsNotOne) {
  flushed_batch("kept");
  const std::uint32_t torn = unflushed_batch("torn", 100);
  // A producer that guesses everything but the salt: a batch that claims all before it was flushed.
  BatchHeader forged;
  forged.salt = 12345;
  forged.sequence = 9;
  forged.durable = 8;
  std::string bytes(kBatchHeaderBytes, '\0');
  encode(forged, std::span<char, kBatchHeaderBytes>(bytes.data(), kBatchHeaderBytes));
  std::string content = disk_.content(kFirst);
  content.replace(torn + 80, bytes.size(), bytes);
  disk_.set_content(kFirst, content);
  end_process();
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("kept")) << "torn, and not taken for damage";
}

TEST_F(RecoveryTest, BatchesOfAnEarlierUseOfTheFileAreNotBelieved) {
  // As if segment 1 had been made over an old file: its batches carry another salt.
  SimulatedFileSystem other_disk;
  JournalOptions options = testing::small_segments();
  options.seed = 4711;
  ReplayedJournal other = open_journal(other_disk, options);
  append_one(*other.journal, "old", pattern(1, 100));
  std::string content = other_disk.content(kFirst);
  content.replace(0, kSegmentHeaderBytes, disk_.content(kFirst), 0, kSegmentHeaderBytes);
  disk_.set_content(kFirst, content);
  end_process();
  open();
  EXPECT_TRUE(replayed_.entries.empty());
}

TEST_F(RecoveryTest, ARotationCutShortIsTakenBack) {
  flushed_batch("one");
  end_process();
  SegmentHeader header = *decode_segment_header(disk_.content(kFirst)).header;
  header.number = 2;
  header.first_sequence = 3;
  std::string bytes(kSegmentBytesMin, '\0');
  encode(header, std::span<char, kSegmentHeaderBytes>(bytes.data(), kSegmentHeaderBytes));
  disk_.set_content(kSecond, bytes);
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
  EXPECT_EQ(journal().active_segment(), 1U);
  EXPECT_FALSE(disk_.exists(kSecond));
  EXPECT_THAT(journal().recovery_report().removed, ElementsAre("journal-0000000002.log"));
}

TEST_F(RecoveryTest, FilesThatNeverGotTheirNameDoNoHarm) {
  flushed_batch("one");
  end_process();
  disk_.set_content(kJournalDirectory + "/spare-0000000007.log", "half a segment");
  disk_.set_content(kJournalDirectory + "/MANIFEST.new", "half a manifest");
  disk_.set_content(kJournalDirectory + "/history.sqlite", "not ours");
  open();
  EXPECT_THAT(replayed_.heads(), ElementsAre("one"));
  fill_first_segment();
  end_process();
  open();
  EXPECT_EQ(disk_.content(kJournalDirectory + "/history.sqlite"), "not ours");
}

TEST_F(RecoveryTest, OldBytesOfARecycledFileAreNeitherBelievedNorReported) {
  end_process();
  // A spare that is full of good batches, with sequence numbers that are still to come.
  SimulatedFileSystem other_disk;
  JournalOptions other_options = options_;
  other_options.seed = 4711;
  ReplayedJournal other = open_journal(other_disk, other_options);
  for (int i = 0; i < 20; ++i) {
    append_one(*other.journal, "old", pattern(1, 300));
  }
  disk_.set_content(kJournalDirectory + "/spare-0000000001.log", other_disk.content(kSecond));
  open();
  fill_first_segment();
  flushed_batch("new");
  const std::size_t expected = 2 + replayed_.entries.size();
  end_process();
  open();
  EXPECT_FALSE(journal().recovery_report().cut);
  EXPECT_GE(replayed_.entries.size(), expected);
  for (const std::string& head : replayed_.heads()) {
    EXPECT_NE(head, "old");
  }
}

}  // namespace
}  // namespace assay::journal
