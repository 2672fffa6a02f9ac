// Files from code that is not trusted, on our disk.
#include "cli/output_files.h"
#include "sdk/wire/base64.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sdk/wire/base64.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

class OutputFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_outputs_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder_;
};

TEST_F(OutputFiles, AreWrittenWithTheirFolders) {
  const auto written = write_outputs(
      {{"a.txt", 0, "aGk="}, {"b/c.bin", 0, "AAH/"}, {"large", 0, std::nullopt}}, folder_ / "new");
  ASSERT_TRUE(written.is_ok());
  EXPECT_EQ(written->size(), 2U);
  EXPECT_EQ(content(folder_ / "new/a.txt"), "hi");
  EXPECT_EQ(content(folder_ / "new/b/c.bin"), std::string("\0\1\xff", 3));
}

TEST_F(OutputFiles, OfSeveralPodsEachGetsAFolder) {
  ASSERT_TRUE(write_outputs({{"r.json", 0, "MA=="}, {"r.json", 3, "Mw=="}}, folder_).is_ok());
  EXPECT_EQ(content(folder_ / "pod-0/r.json"), "0");
  EXPECT_EQ(content(folder_ / "pod-3/r.json"), "3");
}

TEST_F(OutputFiles, NoneLeavesTheDirectory) {
  for (const char* path : {"../x", "/etc/x", "a/../../x", "a//b", ".", "", "a/.", "a\nb", "a/"}) {
    EXPECT_FALSE(is_safe_path(path)) << path;
    const auto written = write_outputs({{path, 0, "aGk="}}, folder_ / "in");
    ASSERT_FALSE(written.is_ok()) << path;
    EXPECT_EQ(written.status().reason(), "unsafe_path");
  }
  EXPECT_TRUE(fs::is_empty(folder_)) << "nothing was written anywhere";
  EXPECT_TRUE(is_safe_path("a/b..c/...d"));
}

TEST_F(OutputFiles, ALinkThatLiesThereIsNotFollowed) {
  std::ofstream(folder_ / "mine") << "precious";
  fs::create_directory(folder_ / "out");
  fs::create_symlink(folder_ / "mine", folder_ / "out/a");
  ASSERT_TRUE(write_outputs({{"a", 0, "aGk="}}, folder_ / "out").is_ok());
  EXPECT_EQ(content(folder_ / "mine"), "precious");
  EXPECT_EQ(content(folder_ / "out/a"), "hi");
}

TEST_F(OutputFiles, DamagedContentIsSaidSo) {
  for (const char* text : {"aGk", "aG=k", "a Gk", "====", "aGk=\n"}) {
    EXPECT_EQ(wire::decode_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(wire::decode_base64(""), "");
  const auto written = write_outputs({{"a", 0, "!"}}, folder_);
  ASSERT_FALSE(written.is_ok());
  EXPECT_EQ(written.status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace assay::cli
