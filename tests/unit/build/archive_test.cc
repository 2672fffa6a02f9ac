// Archives of strangers.
#include "workers/build/source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "tests/support/process.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Entry {
  std::string path;
  std::string content;
  unsigned int type = AE_IFREG;
  std::string link;       // symbolic, or
  std::string hard_link;  // to a file before it
};

std::string archive_of(const std::vector<Entry>& entries, int filter = ARCHIVE_FILTER_NONE) {
  struct archive* const to = archive_write_new();
  archive_write_set_format_pax(to);
  archive_write_add_filter(to, filter);
  std::size_t bytes = 1U << 20;
  for (const Entry& entry : entries) bytes += entry.content.size() + 4096;
  std::string out(bytes, '\0');
  std::size_t used = 0;
  archive_write_open_memory(to, out.data(), out.size(), &used);
  for (const Entry& one : entries) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.path.c_str());
    archive_entry_set_perm(entry, 06755);
    archive_entry_set_filetype(entry, one.type);
    archive_entry_set_size(entry, static_cast<la_int64_t>(one.content.size()));
    if (!one.link.empty()) archive_entry_set_symlink(entry, one.link.c_str());
    if (!one.hard_link.empty()) archive_entry_set_hardlink(entry, one.hard_link.c_str());
    archive_write_header(to, entry);
    archive_write_data(to, one.content.data(), one.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(to);
  archive_write_free(to);
  out.resize(used);
  return out;
}

class Archive : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(into()); }
  fs::path into() const { return temporary_.path() / "into"; }
  Status unpack(const std::string& bytes, const ArchiveLimits& limits = {}) const {
    std::string_view rest = bytes;
    const ArchiveBytes source = [&rest](char* to, std::size_t size) -> Result<std::size_t> {
      const std::size_t count = std::min({size, rest.size(), std::size_t{1000}});
      std::memcpy(to, rest.data(), count);
      rest.remove_prefix(count);
      return count;
    };
    return unpack_archive(source, into(), limits, {});
  }
  support::TemporaryFolder temporary_;
};

TEST_F(Archive, PlainGzipAndZstdAreUnpacked) {
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD}) {
    const Status status = unpack(archive_of({{"./", "", AE_IFDIR},
                                             {"./a/b", "hello"},
                                             {"c", "", AE_IFLNK, "/etc/passwd"},
                                             {"d", "", AE_IFREG, "", "a/b"}},
                                            filter));
    ASSERT_TRUE(status.is_ok()) << status.message();
    EXPECT_EQ(support::read_file(into() / "a/b"), "hello");
    EXPECT_EQ(fs::read_symlink(into() / "c"), "/etc/passwd");
    EXPECT_EQ(fs::hard_link_count(into() / "d"), 2U);
    EXPECT_EQ(fs::status(into() / "a/b").permissions(), static_cast<fs::perms>(0755));
    fs::remove_all(into());
    fs::create_directories(into());
  }
}

TEST_F(Archive, WhatWouldLeaveTheFolderIsRefusedAndNothingLeavesIt) {
  const std::string outside = temporary_.path() / "outside";
  for (const std::vector<Entry>& entries : std::vector<std::vector<Entry>>{
           {{"../outside", "x"}},
           {{"a/../../outside", "x"}},
           {{outside, "x"}},
           {{"a", "", AE_IFLNK, ".."}, {"a/outside", "x"}},
           {{"a", "", AE_IFLNK, temporary_.path()}, {"a/outside", "x"}},
           {{"a", "", AE_IFLNK, outside}, {"a/b", "x"}},
           {{"a", "", AE_IFREG, "", "../outside"}},
           {{"a", "", AE_IFREG, "", "/etc/passwd"}},
           {{"l", "", AE_IFLNK, "/etc/passwd"}, {"a", "", AE_IFREG, "", "l"}},
           {{"a", "", AE_IFREG, "", "not/there"}},
           {{"dev", "", AE_IFCHR}},
           {{"pipe", "", AE_IFIFO}},
           {{"a\\..\\..\\b", "x"}},
           {{"a", "x"}, {"a/b", "x"}},
       }) {
    const Status status = unpack(archive_of(entries));
    EXPECT_EQ(status.reason(), "unsafe_archive") << entries.back().path << status.message();
    EXPECT_FALSE(fs::exists(outside)) << entries.back().path;
    fs::remove_all(into());
    fs::create_directories(into());
  }
}

// A link that was there is replaced, not written through.
TEST_F(Archive, AFileTakesThePlaceOfALinkOfItsName) {
  ASSERT_TRUE(
      unpack(archive_of({{"a", "", AE_IFLNK, temporary_.path() / "outside"}, {"a", "x"}})).is_ok());
  EXPECT_FALSE(fs::exists(temporary_.path() / "outside"));
  EXPECT_EQ(support::read_file(into() / "a"), "x");
}

TEST_F(Archive, BombsAreRefused) {
  const std::string zeros(200U << 20, '\0');
  const Status bomb = unpack(archive_of({{"zeros", zeros}}, ARCHIVE_FILTER_ZSTD));
  EXPECT_EQ(bomb.reason(), "context_too_large");
  EXPECT_THAT(bomb.message(), HasSubstr("times its size"));
  EXPECT_THAT(unpack(archive_of({{"a", "12345"}}), {.bytes_max = 4}).message(),
              HasSubstr("more than 4 bytes"));
  EXPECT_THAT(unpack(archive_of({{"a", ""}, {"b", ""}, {"c", ""}}), {.entries_max = 2}).message(),
              HasSubstr("more than 2 entries"));
}

TEST_F(Archive, WhatIsNoArchiveOrCutShortIsDamaged) {
  EXPECT_EQ(unpack("this is no archive, whatever it may be").reason(), "damaged_archive");
  const std::string whole = archive_of({{"a", std::string(100'000, 'x')}}, ARCHIVE_FILTER_GZIP);
  for (std::size_t cut = 1; cut < whole.size(); cut += 17) {
    EXPECT_FALSE(unpack(whole.substr(0, cut)).is_ok()) << cut;
  }
}

TEST_F(Archive, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  std::string_view rest;
  const std::string bytes = archive_of({{"a", "x"}});
  rest = bytes;
  const ArchiveBytes source = [&rest](char* to, std::size_t size) -> Result<std::size_t> {
    const std::size_t count = rest.copy(to, size);
    rest.remove_prefix(count);
    return count;
  };
  EXPECT_EQ(unpack_archive(source, into(), {}, stop.get_token()).reason(), "stopped");
  EXPECT_TRUE(fs::is_empty(into()));
}

}  // namespace
}  // namespace assay::image_build
