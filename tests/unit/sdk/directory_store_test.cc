// Artifacts in a directory: stored once, verified, named, removed; damage is found and mended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "assay/artifacts.h"
#include "sdk/artifacts/sha256.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using artifacts::Sha256;
using testing::ElementsAre;
using testing::IsEmpty;

const Time kEver = Time(Duration(std::int64_t{1} << 50));

class DirectoryStoreTest : public testing::Test {
 protected:
  DirectoryStoreTest() {
    std::string name = (fs::temp_directory_path() / "assay-artifacts-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    store_ = open_artifacts({.location = (folder_ / "deep" / "store").string()}).value();
  }
  ~DirectoryStoreTest() override { fs::remove_all(folder_); }

  ArtifactHash put(std::string_view text) { return put_text(*store_, text).value().hash; }
  fs::path file_of(const ArtifactHash& hash) {
    return folder_ / "deep/store/objects" / hash.text().substr(0, 2) / hash.text();
  }
  std::vector<std::string> names(std::optional<TaskId> task = std::nullopt) {
    std::vector<std::string> out;
    EXPECT_TRUE(store_
                    ->list_names(task,
                                 [&](const NamedArtifact& one) {
                                   out.push_back(one.name.name);
                                   return Status::ok();
                                 })
                    .is_ok());
    return out;
  }
  std::size_t files_below(const char* sub) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "deep/store" / sub)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  fs::path folder_;
  std::unique_ptr<ArtifactStore> store_;
};

TEST_F(DirectoryStoreTest, GivesBackWhatWasPut) {
  const std::string big(3'000'001, 'x');
  for (const std::string& text :
       {std::string(), std::string("abc"), std::string("\0\xff", 2), big}) {
    const Result<ArtifactInfo> info = put_text(*store_, text);
    ASSERT_TRUE(info.is_ok()) << info.status().to_string();
    EXPECT_EQ(info->hash, Sha256::of(text));
    EXPECT_EQ(info->bytes, text.size());
    EXPECT_EQ(get_text(*store_, info->hash, 1U << 24).value(), text);
    EXPECT_EQ(store_->stat(info->hash).value(), *info);
  }
  EXPECT_EQ(files_below("tmp"), 0U);
}

TEST_F(DirectoryStoreTest, TheSameContentIsStoredOnceAndBecomesYoung) {
  const ArtifactHash hash = put("abc");
  fs::last_write_time(file_of(hash), fs::file_time_type::clock::now() - std::chrono::hours(100));
  const Time old = store_->stat(hash)->stored_at;
  EXPECT_EQ(put("abc"), hash);
  EXPECT_EQ(files_below("objects"), 1U);
  EXPECT_EQ(files_below("tmp"), 0U);
  EXPECT_GT(store_->stat(hash)->stored_at, old + std::chrono::hours(99));
}

TEST_F(DirectoryStoreTest, GivesRanges) {
  const ArtifactHash hash = put("0123456789");
  const auto get = [&](ByteRange range) {
    std::string out;
    const Status status = store_->get(hash, range, [&](std::string_view bytes) {
      out += bytes;
      return Status::ok();
    });
    return status.is_ok() ? out : status.reason();
  };
  EXPECT_EQ(get({0, 3}), "012");
  EXPECT_EQ(get({7, 100}), "789");
  EXPECT_EQ(get({9, 1}), "9");
  EXPECT_EQ(get({2, 0}), "");
  EXPECT_EQ(get({10, 1}), "invalid_range");
}

TEST_F(DirectoryStoreTest, AFlippedBitIsFoundAndPuttingItAgainMendsIt) {
  const ArtifactHash hash = put("abcdef");
  {
    std::fstream file(file_of(hash), std::ios::in | std::ios::out);
    file.seekp(3);
    file.put('X');
  }
  const Result<std::string> damaged = get_text(*store_, hash, 100);
  EXPECT_EQ(damaged.status().reason(), "damaged_artifact");
  EXPECT_EQ(damaged.status().code(), Code::kDataLoss);
  EXPECT_EQ(store_->stat(hash).status().reason(), "unknown_artifact");
  EXPECT_EQ(files_below("damaged"), 1U);
  put("abcdef");
  EXPECT_EQ(get_text(*store_, hash, 100).value(), "abcdef");
}

TEST_F(DirectoryStoreTest, ACutFileIsMendedByTheNextPut) {
  const ArtifactHash hash = put("abcdef");
  fs::resize_file(file_of(hash), 2);
  put("abcdef");
  EXPECT_EQ(get_text(*store_, hash, 100).value(), "abcdef");
}

TEST_F(DirectoryStoreTest, AFailingSourceLeavesNothing) {
  int calls = 0;
  const Result<ArtifactInfo> info = store_->put([&](std::span<char> buffer) -> Result<std::size_t> {
    if (++calls == 3) return retry_later("source_broke", "it broke");
    buffer[0] = 'x';
    return std::size_t{1};
  });
  EXPECT_EQ(info.status().reason(), "source_broke");
  EXPECT_EQ(files_below("objects"), 0U);
  EXPECT_EQ(files_below("tmp"), 0U);
}

TEST_F(DirectoryStoreTest, RemovesOnlyWhatIsOldEnough) {
  const ArtifactHash hash = put("abc");
  const Time stored = store_->stat(hash)->stored_at;
  EXPECT_EQ(store_->remove(hash, stored).reason(), "artifact_is_young");
  EXPECT_TRUE(store_->remove(hash, stored + Duration(1)).is_ok());
  EXPECT_EQ(store_->remove(hash, kEver).reason(), "unknown_artifact");
  EXPECT_EQ(get_text(*store_, hash, 10).status().reason(), "unknown_artifact");
}

TEST_F(DirectoryStoreTest, ListsInTheOrderOfHashes) {
  for (int i = 0; i < 300; ++i) put(std::to_string(i));
  std::ofstream(folder_ / "deep/store/objects/README") << "not ours";
  std::vector<ArtifactHash> seen;
  ASSERT_TRUE(store_
                  ->list([&](const ArtifactInfo& info) {
                    seen.push_back(info.hash);
                    return Status::ok();
                  })
                  .is_ok());
  EXPECT_EQ(seen.size(), 300U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  const Status stopped = store_->list([](const auto&) { return not_found("enough", "enough"); });
  EXPECT_EQ(stopped.reason(), "enough");
}

TEST_F(DirectoryStoreTest, NamesAreSetFoundListedAndForgotten) {
  const TaskId one = TaskId::make(Time(Duration(1)));
  const TaskId two = TaskId::make(Time(Duration(2)));
  const ArtifactHash a = put("a");
  const ArtifactHash b = put("b");
  ASSERT_TRUE(store_->set_name({one, "log.txt"}, a).is_ok());
  ASSERT_TRUE(store_->set_name({one, "outputs/x/y.json"}, a).is_ok());
  ASSERT_TRUE(store_->set_name({two, "log.txt"}, a).is_ok());
  ASSERT_TRUE(store_->set_name({two, "log.txt"}, b).is_ok());
  EXPECT_EQ(store_->find_name({one, "log.txt"})->hash, a);
  EXPECT_EQ(store_->find_name({two, "log.txt"})->hash, b);
  EXPECT_THAT(names(one), ElementsAre("log.txt", "outputs/x/y.json"));
  EXPECT_EQ(names().size(), 3U);
  EXPECT_TRUE(store_->remove_name({one, "log.txt"}).is_ok());
  EXPECT_EQ(store_->remove_name({one, "log.txt"}).reason(), "unknown_name");
  EXPECT_EQ(store_->find_name({one, "log.txt"}).status().reason(), "unknown_name");
  EXPECT_TRUE(store_->remove_name({one, "outputs/x/y.json"}).is_ok());
  EXPECT_THAT(names(one), IsEmpty());
  EXPECT_EQ(get_text(*store_, a, 10).value(), "a");
}

TEST_F(DirectoryStoreTest, RefusesNamesThatLeadElsewhereAndUnknownContent) {
  const TaskId task = TaskId::make(Time(Duration(1)));
  EXPECT_EQ(store_->set_name({task, "../../x"}, put("a")).reason(), "invalid_name");
  EXPECT_EQ(store_->set_name({task, "x"}, Sha256::of("nowhere")).reason(), "unknown_artifact");
  EXPECT_EQ(store_->find_name({task, "../x"}).status().reason(), "unknown_name");
}

TEST_F(DirectoryStoreTest, RefusesALocationThatIsNoDirectory) {
  EXPECT_EQ(open_artifacts({.location = ""}).status().reason(), "invalid_location");
  EXPECT_EQ(open_artifacts({.location = "ftp://x"}).status().reason(), "invalid_location");
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(open_artifacts({.location = (folder_ / "file").string()}).status().reason(),
            "storage_failed");
}

TEST_F(DirectoryStoreTest, ARemovalThatIsNotConfirmedPutsItBack) {
  const ArtifactHash hash = put("abc");
  bool seen = true;
  const Status needed = store_->remove(hash, kEver, [&]() -> Result<bool> {
    seen = store_->stat(hash).is_ok();
    return false;
  });
  EXPECT_EQ(needed.reason(), "artifact_is_needed");
  EXPECT_FALSE(seen) << "it is out of sight while the question is asked";
  EXPECT_EQ(get_text(*store_, hash, 10).value(), "abc");
  const Status unknown = store_->remove(hash, kEver, []() -> Result<bool> {
    return retry_later("broker_unreachable", "nobody there");
  });
  EXPECT_EQ(unknown.reason(), "broker_unreachable");
  EXPECT_TRUE(store_->touch(hash).is_ok());
  EXPECT_TRUE(store_->remove(hash, kEver, []() -> Result<bool> { return true; }).is_ok());
  EXPECT_EQ(store_->touch(hash).status().reason(), "unknown_artifact");
}

TEST_F(DirectoryStoreTest, WhatAKilledRemoverPutOutOfSightIsReadAndComesBack) {
  const ArtifactHash hash = put("abc");
  fs::rename(file_of(hash), folder_ / "deep/store/removing" / hash.text());
  std::string read;
  EXPECT_TRUE(store_
                  ->get(hash, {},
                        [&](std::string_view bytes) {
                          read += bytes;
                          return Status::ok();
                        })
                  .is_ok());
  EXPECT_EQ(read, "abc");
  put("abc");  // stored anew, it is in sight whatever is out of sight
  EXPECT_TRUE(store_->stat(hash).is_ok());
}

// What a put returned is there whatever a removal does at the same moment.
TEST_F(DirectoryStoreTest, APutThatReturnedIsNeverTakenByARemovalOfTheOld) {
  const ArtifactHash hash = put("contended");
  for (int round = 0; round < 200; ++round) {
    fs::last_write_time(file_of(hash), fs::file_time_type::clock::now() - std::chrono::hours(100));
    const Time limit = store_->stat(hash)->stored_at + std::chrono::hours(1);
    std::thread remover([&] { (void)store_->remove(hash, limit).is_ok(); });
    put("contended");
    const bool there = store_->stat(hash).is_ok();
    remover.join();
    ASSERT_TRUE(there) << "round " << round;
    ASSERT_TRUE(store_->stat(hash).is_ok()) << "round " << round;
  }
}

}  // namespace
}  // namespace assay
