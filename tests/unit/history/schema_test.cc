#include "broker/history/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "tests/unit/history/history_folder.h"

namespace assay::history {
namespace {

using ::testing::HasSubstr;

class SchemaTest : public testing::HistoryFolder {
 protected:
  Database open() {
    auto database = Database::open(path(), Access::kWrite);
    EXPECT_TRUE(database.is_ok()) << database.status().to_string();
    return std::move(*database);
  }
};

TEST_F(SchemaTest, AnEmptyFileIsBroughtUpFromVersionZero) {
  std::ofstream(path()).close();
  ASSERT_TRUE(open_for_writing(path()).is_ok());
  Database database = open();
  EXPECT_EQ(database.number("PRAGMA user_version").value(),
            static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(database.number("SELECT COUNT(*) FROM tasks").value(), 0);
  EXPECT_TRUE(check_version(database).is_ok());
  EXPECT_TRUE(open_for_writing(path()).is_ok()) << "a second time";
}

TEST_F(SchemaTest, OnlyTheMissingStepsAreDone) {
  Database database = open();
  const std::array<const char*, 1> first{"CREATE TABLE a (x)"};
  ASSERT_TRUE(migrate(database, first).is_ok());
  const std::array<const char*, 3> all{"CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y",
                                       "INSERT INTO a VALUES (1, 2)"};
  ASSERT_TRUE(migrate(database, all).is_ok());
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 3);
  EXPECT_EQ(database.number("SELECT y FROM a").value(), 2);
}

TEST_F(SchemaTest, AStepThatFailsLeavesEverythingAsItWas) {
  Database database = open();
  const std::array<const char*, 1> first{"CREATE TABLE a (x)"};
  ASSERT_TRUE(migrate(database, first).is_ok());
  const std::array<const char*, 3> all{"CREATE TABLE a (x)", "CREATE TABLE b (x)", "NONSENSE"};
  const Status status = migrate(database, all);
  EXPECT_THAT(status.message(), HasSubstr("from version 2"));
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 1);
  EXPECT_EQ(database.number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'b'").value(), 0);
}

TEST_F(SchemaTest, AHistoryOfANewerVersionIsRefusedWithBothVersions) {
  ASSERT_TRUE(open_for_writing(path()).is_ok());
  ASSERT_TRUE(open().execute("PRAGMA user_version = 99").is_ok());
  const Status status = open_for_writing(path()).status();
  EXPECT_EQ(status.reason(), kReasonVersion);
  EXPECT_THAT(status.message(), HasSubstr("found version 99"));
  EXPECT_THAT(status.message(), HasSubstr("--history-rebuild"));
}

TEST_F(SchemaTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  ASSERT_TRUE(open().execute("CREATE TABLE treasure (x)").is_ok());
  const auto before = std::filesystem::file_size(path());
  EXPECT_EQ(open_for_writing(path()).status().reason(), kReasonForeign);
  EXPECT_EQ(std::filesystem::file_size(path()), before);
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
}

TEST_F(SchemaTest, AFileThatIsNoDatabaseIsCalledDamaged) {
  std::ofstream(path()) << std::string(8192, 'x');
  const Status status = open_for_writing(path()).status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_EQ(status.reason(), kReasonDamaged);
  EXPECT_THAT(status.message(), HasSubstr("--history-rebuild"));
}

TEST_F(SchemaTest, AFolderThatIsNotThereIsUnreachable) {
  EXPECT_EQ(open_for_writing(path("no/such/folder.db")).status().reason(), kReasonUnreachable);
}

TEST_F(SchemaTest, ARemovedHistoryLeavesNoFile) {
  Database database = std::move(*open_for_writing(path()));
  ASSERT_TRUE(std::filesystem::exists(path() + "-wal"));
  ASSERT_TRUE(remove_history(path()).is_ok());
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(path()).parent_path()));
  EXPECT_TRUE(remove_history(path()).is_ok()) << "none to remove";
}

}  // namespace
}  // namespace assay::history
