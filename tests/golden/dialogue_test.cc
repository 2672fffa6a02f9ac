// Runs every dialogue in tests/golden/dialogues. With ASSAY_REWRITE=1 it writes what the core does
// now into the files: read the diff, and commit it only if you understand what caused each changed
// line.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/golden/dialogue.h"

namespace assay::golden {
namespace {

std::vector<std::filesystem::path> dialogue_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ASSAY_DIALOGUES))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The file again, with what the core does now in place of what the file says it does.
std::string replay(const std::string& text, std::string& wrong) {
  Dialogue dialogue;
  std::istringstream lines(text);
  std::string output, pending;
  bool in_output = false;
  for (std::string line; std::getline(lines, line);) {
    if (in_output) {
      if (!line.empty()) continue;
      in_output = false;
    }
    if (line == "----") {
      output += line + "\n" + pending;
      pending.clear();
      in_output = true;
      continue;
    }
    if (!line.empty() && line[0] != '#') pending += dialogue.run(line, wrong);
    output += line + "\n";
    if (!wrong.empty()) {
      wrong = "at '" + line + "': " + wrong;
      return output;
    }
  }
  if (!pending.empty()) wrong = "the file ends with commands that no ---- follows";
  return output;
}

class GoldenDialogue : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(GoldenDialogue, IsWhatTheCoreDoes) {
  std::ifstream file(GetParam());
  std::stringstream expected;
  expected << file.rdbuf();
  std::string wrong;
  const std::string actual = replay(expected.str(), wrong);
  EXPECT_EQ(wrong, "");
  if (std::getenv("ASSAY_REWRITE") != nullptr && wrong.empty()) {
    std::ofstream(GetParam()) << actual;
  } else {
    EXPECT_EQ(expected.str(), actual);
  }
}

INSTANTIATE_TEST_SUITE_P(Dialogues, GoldenDialogue, testing::ValuesIn(dialogue_files()),
                         [](const auto& parameter) { return parameter.param.stem().string(); });

}  // namespace
}  // namespace assay::golden
