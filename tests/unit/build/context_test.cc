// The files of a context: which, in what order, and through no link.
#include "sdk/build/context_folder.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/process.h"

namespace assay::build {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Context : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((folder() / path).parent_path());
    std::ofstream(folder() / path, std::ios::binary) << text;
  }
  fs::path folder() const { return temporary_.path() / "context"; }
  Result<ContextFolder> open(ContextOptions options = {}) const {
    return ContextFolder::open(folder(), options);
  }
  static std::vector<std::string> paths(const ContextFolder& context) {
    std::vector<std::string> out;
    for (const ContextEntry& entry : context.entries()) out.push_back(entry.path);
    return out;
  }
  static std::string archive_of(const ContextFolder& context, ContextArchive::Form form,
                                std::size_t piece = 1000) {
    ContextArchive archive(context, form);
    std::string bytes;
    std::string buffer(piece, '\0');
    while (true) {
      const Result<std::size_t> count = archive.read(buffer.data(), buffer.size());
      EXPECT_TRUE(count.is_ok());
      if (!count.is_ok() || *count == 0) return bytes;
      bytes.append(buffer, 0, *count);
    }
  }
  // What another reader finds in it.
  static std::map<std::string, std::string> contents(const std::string& bytes) {
    struct archive* const reader = archive_read_new();
    archive_read_support_format_tar(reader);
    archive_read_support_filter_gzip(reader);
    EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
    std::map<std::string, std::string> out;
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
      std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
      EXPECT_EQ(archive_read_data(reader, text.data(), text.size()),
                static_cast<la_ssize_t>(text.size()));
      if (const char* link = archive_entry_symlink(entry)) text = std::string("-> ") + link;
      EXPECT_EQ(archive_entry_uid(entry), 0);
      out[archive_entry_pathname(entry)] = text;
    }
    archive_read_free(reader);
    return out;
  }

  support::TemporaryFolder temporary_;
};

TEST_F(Context, FilesComeInTheOrderOfTheirNamesWithoutWhatIsIgnored) {
  write("Dockerfile", "FROM a\n");
  write("b/x", "1");
  write("a", "2");
  write("node_modules/big", "3");
  write(".dockerignore", "node_modules\nDockerfile\n");
  const Result<ContextFolder> context = open();
  ASSERT_TRUE(context.is_ok()) << context.status().message();
  EXPECT_THAT(paths(*context), ElementsAre(".dockerignore", "Dockerfile", "a", "b", "b/x"));
  EXPECT_EQ(context->ignored(), 1U);
  EXPECT_EQ(context->dockerfile_text(), "FROM a\n");
}

TEST_F(Context, AnExceptionBelowAnIgnoredFolderIsFound) {
  write("Dockerfile", "FROM a\n");
  write("data/keep/x", "1");
  write("data/drop", "2");
  write(".dockerignore", "data\n!data/keep\n");
  const Result<ContextFolder> context = open();
  EXPECT_THAT(paths(*context),
              ElementsAre(".dockerignore", "Dockerfile", "data/keep", "data/keep/x"));
}

TEST_F(Context, TheArchiveHasWhatTheFolderHasHoweverItIsRead) {
  write("Dockerfile", "FROM a\n");
  write("large", std::string(300'000, 'x') + "end");
  write("empty", "");
  write("deep/" + std::string(120, 'd') + "/" + std::string(120, 'f'), "long path");
  fs::create_symlink("/etc/passwd", folder() / "link");
  const Result<ContextFolder> context = open();
  ASSERT_TRUE(context.is_ok()) << context.status().message();
  const std::string bytes = archive_of(*context, ContextArchive::Form::kTar);
  const auto files = contents(bytes);
  EXPECT_EQ(files.at("large"), std::string(300'000, 'x') + "end");
  EXPECT_EQ(files.at("empty"), "");
  EXPECT_EQ(files.at("link"), "-> /etc/passwd");
  EXPECT_EQ(files.at("deep/" + std::string(120, 'd') + "/" + std::string(120, 'f')), "long path");
  EXPECT_EQ(archive_of(*context, ContextArchive::Form::kTar, 7), bytes);
  EXPECT_EQ(contents(archive_of(*context, ContextArchive::Form::kTarGzip)), files);
}

TEST_F(Context, ADockerfileGivenAsTextIsAdded) {
  write("a", "1");
  const Result<ContextFolder> context = open({.dockerfile_text = "FROM scratch\n"});
  ASSERT_TRUE(context.is_ok());
  EXPECT_EQ(contents(archive_of(*context, ContextArchive::Form::kTar)).at(context->dockerfile()),
            "FROM scratch\n");
}

TEST_F(Context, NoLinkLeadsOut) {
  write("Dockerfile", "FROM a\n");
  fs::create_directories(temporary_.path() / "outside");
  std::ofstream(temporary_.path() / "outside/Dockerfile") << "FROM secret\n";
  fs::create_symlink("../outside", folder() / "sub");
  EXPECT_THAT(open({.subdirectory = "sub"}).status().message(), HasSubstr("link"));
  EXPECT_THAT(open({.dockerfile = "sub/Dockerfile"}).status().message(), HasSubstr("link"));
  fs::remove(folder() / "Dockerfile");
  fs::create_symlink("../outside/Dockerfile", folder() / "Dockerfile");
  EXPECT_THAT(open().status().message(), HasSubstr("link"));
  EXPECT_FALSE(open({.subdirectory = ".."}).is_ok());
}

TEST_F(Context, WhatIsMissingOrTooMuchIsSaidSo) {
  write("a", "12345");
  EXPECT_EQ(open().status().reason(), "no_dockerfile");
  EXPECT_THAT(open({.subdirectory = "nowhere"}).status().message(), HasSubstr("no such folder"));
  write("Dockerfile", "FROM a\n");
  EXPECT_EQ(open({.limits = {.entries_max = 1}}).status().reason(), "context_too_large");
  EXPECT_EQ(open({.limits = {.bytes_max = 11}}).status().reason(), "context_too_large");
  EXPECT_TRUE(open({.limits = {.entries_max = 2, .bytes_max = 12}}).is_ok());
  ASSERT_EQ(mkfifo((folder() / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(open().status().message(), HasSubstr("a device, a pipe or a socket"));
}

TEST_F(Context, AFileThatShrinksWhileItIsSentFailsTheArchive) {
  write("Dockerfile", "FROM a\n");
  write("z", std::string(200'000, 'x'));
  const Result<ContextFolder> context = open();
  write("z", "short");
  ContextArchive archive(*context, ContextArchive::Form::kTar);
  std::string buffer(1 << 20, '\0');
  Result<std::size_t> count = archive.read(buffer.data(), buffer.size());
  while (count.is_ok() && *count > 0) count = archive.read(buffer.data(), buffer.size());
  EXPECT_THAT(count.status().message(), HasSubstr("'z' changed while it was sent"));
}

}  // namespace
}  // namespace assay::build
