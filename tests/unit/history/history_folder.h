// A folder of its own for each test, gone with it.
#ifndef ASSAY_TESTS_UNIT_HISTORY_HISTORY_FOLDER_H_
#define ASSAY_TESTS_UNIT_HISTORY_HISTORY_FOLDER_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace assay::history::testing {

class HistoryFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "assay-history-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "history.db") const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

}  // namespace assay::history::testing

#endif  // ASSAY_TESTS_UNIT_HISTORY_HISTORY_FOLDER_H_
