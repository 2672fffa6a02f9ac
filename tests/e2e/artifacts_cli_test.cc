// `assay artifacts`: put, list and get, without a broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/ids.h"
#include "tests/support/process.h"

namespace assay {
namespace {

using nlohmann::json;
using support::read_file;
using testing::HasSubstr;

class ArtifactsCliTest : public testing::Test {
 protected:
  struct Ended {
    int status;
    std::string output;
  };
  Ended run(std::vector<std::string> arguments) {
    const auto log = folder_.path() / ("output" + std::to_string(++runs_));
    std::vector<std::string> command{support::program("assay"), "artifacts"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--store", folder_.path() / "store"});
    const int status = support::Process(command, log).wait();
    return {status, read_file(log)};
  }
  std::string file(const std::string& content) {
    std::ofstream(folder_.path() / "file") << content;
    return folder_.path() / "file";
  }

  support::TemporaryFolder folder_;
  int runs_ = 0;
};

TEST_F(ArtifactsCliTest, PutsListsAndGets) {
  const std::string id = TaskId::make(Time(Duration(1))).text();
  const std::string name = id + "/data/a.csv";
  const Ended put = run({"put", file("1,2\n"), "--name", name, "--json"});
  ASSERT_EQ(put.status, 0) << put.output;
  const std::string hash = json::parse(put.output)["sha256"];
  run({"put", file("unnamed")});
  const json list = json::parse(run({"list", "--json"}).output)["artifacts"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["task"], id);
  EXPECT_EQ(list[0]["name"], "data/a.csv");
  EXPECT_EQ(list[0]["sha256"], hash);
  EXPECT_TRUE(list[1]["task"].is_null());
  EXPECT_EQ(json::parse(run({"list", id.substr(0, 20), "--json"}).output)["artifacts"].size(), 1U);
  EXPECT_EQ(run({"get", hash}).output, "1,2\n");
  EXPECT_EQ(run({"get", id.substr(0, 20) + "/data/a.csv"}).output, "1,2\n");
  EXPECT_EQ(run({"get", name, "--output", folder_.path() / "out"}).status, 0);
  EXPECT_EQ(read_file(folder_.path() / "out"), "1,2\n");
}

TEST_F(ArtifactsCliTest, SaysWhatIsWrong) {
  const Ended none = run({"get", std::string(64, 'a')});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("there is no artifact aaaa"));
  EXPECT_EQ(run({"get", "nonsense"}).status, 2);
  EXPECT_EQ(run({"put", folder_.path() / "missing"}).status, 2);
  EXPECT_EQ(run({"put", file("x"), "--name", "no-task/x"}).status, 2);
  EXPECT_EQ(run({"list", "01JZZZ"}).status, 1);
  EXPECT_EQ(run({"get"}).status, 2);
}

}  // namespace
}  // namespace assay
