// What an evaluation left behind, kept under its task's name.
#include "workers/eval/kept_artifacts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class KeptArtifactsTest : public testing::Test {
 protected:
  KeptArtifactsTest() {
    std::string name = (fs::temp_directory_path() / "assay-kept-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    store_ = open_artifacts({.location = folder_ / "store"}).value();
  }
  ~KeptArtifactsTest() override { fs::remove_all(folder_); }

  std::string content(const std::string& name) {
    const auto named = store_->find_name({task_, name});
    return named.is_ok() ? get_text(*store_, named->hash, 1U << 20).value() : "none";
  }

  TaskId task_ = TaskId::make(Time(Duration(1)));
  fs::path folder_;
  std::unique_ptr<ArtifactStore> store_;
};

json document(json outputs) {
  return {
      {"version", 1}, {"log", "line\n"}, {"outputs", std::move(outputs)}, {"notes", json::array()}};
}

TEST_F(KeptArtifactsTest, KeepsLogOutputsAndTheDocumentItself) {
  const std::string kept =
      keep_artifacts(*store_, task_,
                     document({{{"path", "a/b.json"}, {"pod", 0}, {"content_base64", "e30="}},
                               {{"path", "big"}, {"pod", 0}, {"content_base64", nullptr}}})
                         .dump());
  EXPECT_EQ(content("log.txt"), "line\n");
  EXPECT_EQ(content("outputs/a/b.json"), "{}");
  EXPECT_EQ(content("result.json"), kept);
  const json out = json::parse(kept);
  ASSERT_EQ(out["artifacts"].size(), 2U);
  EXPECT_EQ(out["artifacts"][1]["name"], "outputs/a/b.json");
  EXPECT_EQ(out["artifacts"][1]["bytes"], 2);
  EXPECT_TRUE(out["notes"].empty());
}

TEST_F(KeptArtifactsTest, PodsDoNotOverwriteEachOther) {
  keep_artifacts(*store_, task_,
                 document({{{"path", "x"}, {"pod", 0}, {"content_base64", "YQ=="}},
                           {{"path", "x"}, {"pod", 1}, {"content_base64", "Yg=="}}})
                     .dump());
  EXPECT_EQ(content("outputs/pod-0/x"), "a");
  EXPECT_EQ(content("outputs/pod-1/x"), "b");
}

TEST_F(KeptArtifactsTest, WhatCannotBeStoredIsANoteAndNoFailure) {
  fs::remove_all(folder_ / "store" / "tmp");
  const json out = json::parse(keep_artifacts(*store_, task_, document(json::array()).dump()));
  EXPECT_TRUE(out["artifacts"].empty());
  ASSERT_EQ(out["notes"].size(), 1U);
  EXPECT_NE(out["notes"][0].get<std::string>().find("log.txt"), std::string::npos);
}

TEST_F(KeptArtifactsTest, AnOutputWhoseNameLeadsElsewhereIsNotKept) {
  const json out = json::parse(keep_artifacts(
      *store_, task_,
      document({{{"path", "../../x"}, {"pod", 0}, {"content_base64", "YQ=="}}}).dump()));
  EXPECT_EQ(out["artifacts"].size(), 1U);  // the log
  EXPECT_EQ(out["notes"].size(), 1U);
}

}  // namespace
}  // namespace assay::eval
