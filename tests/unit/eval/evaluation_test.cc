// An evaluation as bytes, and from files on disk.
#include "assay/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "sdk/evaluation/config_document.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Evaluation full_evaluation() {
  Evaluation out;
  out.kind = EvaluationKind::kConfig;
  out.name = "n";
  out.entry = "a/e.yaml";
  out.files = {{"a/e.yaml", std::string("x\0y", 3)}, {"b.txt", ""}};
  out.arguments = {"--x", ""};
  out.timeout = Duration(1);
  out.test_timeout = Duration(2);
  out.tests = 0;
  out.seconds_per_test = 0.5;
  out.danger = 10;
  out.isolated = true;
  out.pods_max = 7;
  out.profile = "p";
  out.endpoint = "e";
  out.model = "m";
  out.pass_threshold = 0.25;
  out.outputs = {"r.json"};
  return out;
}

TEST(Evaluation, IsTheSameAfterItTravelled) {
  const auto decoded = decode_evaluation(encode_evaluation(full_evaluation()));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, full_evaluation());
}

TEST(Evaluation, NoBytesWhateverMakeTheDecoderThrow) {
  const std::string good = encode_evaluation(full_evaluation());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_evaluation(good.substr(0, size)).is_ok());
  }
  std::mt19937 chance(4711);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i) bytes[chance() % bytes.size()] = static_cast<char>(chance());
    (void)decode_evaluation(bytes).is_ok();
  }
}

TEST(Evaluation, APathThatLeavesItsFolderIsRefused) {
  for (const char* path : {"../x", "/etc/passwd", "a/../b", "a//b", "./a", "", "a\nb", "a/"}) {
    Evaluation evaluation = full_evaluation();
    evaluation.files.push_back({path, ""});
    EXPECT_FALSE(decode_evaluation(encode_evaluation(evaluation)).is_ok()) << path;
  }
  Evaluation evaluation = full_evaluation();
  evaluation.files.push_back({"b.txt/c", ""});
  EXPECT_THAT(decode_evaluation(encode_evaluation(evaluation)).status().message(),
              HasSubstr("b.txt is a file and, for b.txt/c, a folder"));
  evaluation = full_evaluation();
  evaluation.outputs = {"../x"};
  EXPECT_FALSE(decode_evaluation(encode_evaluation(evaluation)).is_ok());
}

TEST(Evaluation, AnEntryThatIsNotAmongTheFilesIsRefused) {
  Evaluation evaluation = full_evaluation();
  evaluation.entry = "other.py";
  EXPECT_THAT(decode_evaluation(encode_evaluation(evaluation)).status().message(),
              HasSubstr("other.py is not among its files"));
}

class LoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/assay-load-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string write(const std::string& path, const std::string& content) {
    const fs::path full = fs::path(folder_) / path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << content;
    return full;
  }
  std::string mistake(const std::string& path) {
    const auto loaded = load_evaluation(path);
    return loaded.is_ok() ? "" : loaded.status().message();
  }
  static std::vector<std::string> paths(const Evaluation& evaluation) {
    std::vector<std::string> out;
    for (const EvaluationFile& file : evaluation.files) out.push_back(file.path);
    return out;
  }
  std::string folder_;
};

TEST_F(LoadTest, AScriptBringsItsSettingsItsFilesAndTheModulesBesideIt) {
  write("checks.py", "import deeper.inner\n");
  write("deeper/__init__.py", "");
  write("deeper/inner.py", "");
  write("unrelated.py", "");
  write("cases.jsonl", "{}");
  const auto loaded = load_evaluation(write("my_eval.py",
                                            "# /// assay\n# tests: 12\n# timeout: 5m\n"
                                            "# files: [cases.jsonl]\n# ///\n"
                                            "import os, checks\nfrom json import loads\n"));
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().to_string();
  EXPECT_EQ(loaded->kind, EvaluationKind::kScript);
  EXPECT_EQ(loaded->name, "my_eval");
  EXPECT_EQ(loaded->tests, 12U);
  EXPECT_EQ(loaded->timeout, Duration(300'000));
  EXPECT_THAT(paths(*loaded),
              ::testing::UnorderedElementsAre("my_eval.py", "checks.py", "deeper/__init__.py",
                                              "deeper/inner.py", "cases.jsonl"));
}

TEST_F(LoadTest, AGraderComesWithItsFolder) {
  write("grader/grade.py", "def test_a(): pass\n");
  write("grader/answers/secret.txt", "42");
  const std::string script = "# /// assay\n# grader: grader/grade.py\n# outputs: [a.txt]\n# ///\n";
  const auto loaded = load_evaluation(write("solve.py", script));
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().to_string();
  EXPECT_EQ(loaded->grader, "grader/grade.py");
  EXPECT_THAT(paths(*loaded), ::testing::UnorderedElementsAre("solve.py", "grader/grade.py",
                                                              "grader/answers/secret.txt"));
  EXPECT_EQ(decode_evaluation(encode_evaluation(*loaded)).value(), *loaded);
  EXPECT_THAT(mistake(write("b.py", "# /// assay\n# grader: ../up.py\n# ///\n")),
              HasSubstr("grader"));
}

TEST_F(LoadTest, AMistakeInASettingsBlockNamesTheScriptsLine) {
  const std::string path =
      write("e.py", "import os\n\n# /// assay\n# tests: many\n# tmeout: 3\n# ///\n");
  EXPECT_THAT(mistake(path), HasSubstr("e.py:4: tests: expected"));
  EXPECT_THAT(mistake(path), HasSubstr("e.py:5: unknown key 'tmeout'; did you mean 'timeout'?"));
  EXPECT_THAT(mistake(write("f.py", "# /// assay\n# tests: 1\n")), HasSubstr("f.py:1"));
}

TEST_F(LoadTest, WhatIsNoNotebookIsToldApart) {
  EXPECT_THAT(mistake(write("a.ipynb", "{")), HasSubstr("no valid JSON"));
  EXPECT_THAT(mistake(write("b.ipynb", "[]")), HasSubstr("expected a Jupyter notebook"));
  EXPECT_THAT(mistake(write("c.ipynb", R"({"cells":[],"nbformat":3})")), HasSubstr("format 4"));
  EXPECT_THAT(mistake(write("d.ipynb", R"({"cells":[{}],"nbformat":4})")), HasSubstr("cell 1"));
  EXPECT_EQ(mistake(write("e.ipynb", R"({"cells":[],"nbformat":4})")), "");
}

TEST_F(LoadTest, AFileThatCannotBeReadOrIsOfNoKnownKindSaysSo) {
  EXPECT_THAT(mistake(folder_ + "/nowhere.py"), HasSubstr("nowhere.py"));
  EXPECT_EQ(load_evaluation(folder_ + "/nowhere.py").status().reason(), "unreadable_file");
  EXPECT_THAT(mistake(write("x.txt", "")), HasSubstr("expected a .py, .ipynb, .yaml or .yml file"));
}

TEST_F(LoadTest, AConfigurationBringsAllThatItRefersTo) {
  write("my_tests/edge.py", "");
  write("scorers/mine.py", "");
  write("speech/cases.jsonl", "{\"file\": \"a.wav\"}\n\n{\"file\": \"sub/b.wav\"}\n");
  write("speech/a.wav", "a");
  write("speech/sub/b.wav", "b");
  write("suites/basics.yaml", "suite: {dataset: ../cases.json}\n");
  write("suites/good.yaml", "suite: {dataset: cases.json}\n");
  write("suites/cases.json", "[{\"input\": \"x\", \"target\": \"y\"}]");
  const auto loaded = load_evaluation(write("e.yaml", R"(
evaluation:
  timeout: 100
  model: m
  tests:
    - suite: good
    - suite: of_the_worker
    - custom: my_tests/edge.py
    - {dataset: speech/cases.jsonl, request: transcription, audio: "{file}", scorer: wer}
    - cases: [{input: a}]
      scorer: scorers/mine.py:score
  parameters: {timeout: 30, runs_per_test: 3}
)"));
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().to_string();
  EXPECT_EQ(loaded->timeout, Duration(100'000));
  EXPECT_EQ(loaded->test_timeout, Duration(30'000));
  EXPECT_THAT(paths(*loaded), ElementsAre("e.yaml", "suites/good.yaml", "suites/cases.json",
                                          "my_tests/edge.py", "speech/cases.jsonl", "speech/a.wav",
                                          "speech/sub/b.wav", "scorers/mine.py"));
}

TEST_F(LoadTest, EveryMistakeOfAConfigurationIsToldWithItsLine) {
  write("bad.jsonl", "{}\nnonsense\n");
  const std::string text = mistake(write("e.yaml", R"(evaluation:
  modell: x
  danger: 11
  tests:
    - dataset: nowhere.jsonl
    - dataset: bad.jsonl
    - custom: ../outside.py
    - scorer: exact
    - cases: [{input: a}]
      scorer: guess
    - cases: [{input: a}]
      scorer: {name: numeric, tolerence: 1}
)"));
  for (const char* expected :
       {"e.yaml:2: unknown key 'modell' in 'evaluation'; did you mean 'model'?", "e.yaml:3: ",
        "nowhere.jsonl", "bad.jsonl:2: expected a JSON object", "it leaves the evaluation's folder",
        "expected one of suite, custom, dataset and cases, found none", "guess", "tolerence"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(text, Not(HasSubstr("unknown key 'scorer'")));
}

TEST(ConfigDocument, HasEveryKeyOfAGroupWithItsDefault) {
  evaluation::ConfigSource source;
  source.read = [](const std::string& path) -> Result<std::string> {
    return not_found("unreadable_file", "there is no " + path);
  };
  source.suites_must_be_there = true;
  const auto config = evaluation::read_config_evaluation(
      "evaluation:\n  tests:\n    - cases: [{input: '2 + 2?', target: 4}]\n      scorer: numeric\n",
      "sums.yaml", source);
  ASSERT_TRUE(config.is_ok()) << config.status().to_string();
  const auto document = nlohmann::json::parse(config->document);
  EXPECT_EQ(document["groups"][0], nlohmann::json::parse(R"({
    "kind": "cases", "name": "cases", "file": null, "cases": [{"input": "2 + 2?", "target": 4}],
    "limit": null, "runs": 1, "request": "chat", "system": "", "prompt": "{input}",
    "messages": null, "audio": null, "target": "{target}", "parameters": {},
    "scorer": {"name": "numeric", "negate": false, "tolerance": 1e-6, "relative": 0.0},
    "pass_score": 0.5})"));
  EXPECT_EQ(document["retries"], 2);
  EXPECT_EQ(document["call_timeout_seconds"], 60.0);
}

TEST(ConfigDocument, ASuiteThatNobodyHasNamesThoseThatAre) {
  evaluation::ConfigSource source;
  source.read = [](const std::string& path) -> Result<std::string> {
    return not_found("unreadable_file", "there is no " + path);
  };
  source.suites_must_be_there = true;
  source.known_suites = {"safety_basics_v2"};
  const auto config = evaluation::read_config_evaluation(
      "evaluation: {tests: [{suite: nonsense}]}\n", "e.yaml", source);
  EXPECT_THAT(config.status().message(), HasSubstr("safety_basics_v2"));
}

}  // namespace
}  // namespace assay
