// Settings from a file, the environment and flags, as a program sees them.
#include "sdk/config/program_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sdk/log/structured_log.h"

namespace assay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Settings {
  std::string data_dir = "/data";
  std::uint16_t port = 9555;
  bool durable = true;
  Duration lease{10'000};
  std::uint64_t segment{std::uint64_t{64} << 20};
  double weight = 1;
  std::vector<std::string> queues = {"eval"};
  std::string mode = "fast";
  int depth = 0;
};

class ProgramOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / "assay_options_XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override {
    for (const std::string& name : variables_) unsetenv(name.c_str());
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& yaml) {
    const std::string path = folder_ + "/assay.yaml";
    std::ofstream(path) << yaml;
    return path;
  }
  void environment(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  std::optional<int> read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "assay-test");
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const auto status = read_settings(
        {"assay-test", "Tests."}, static_cast<int>(arguments.size()), arguments.data(),
        [&](Options& options) {
          options.text("data_dir", settings_.data_dir, "where data lives");
          options.integer("port", settings_.port, "where to listen", {1, 65'535});
          options.boolean("durable", settings_.durable, "flush before answering");
          options.duration("lease", settings_.lease, "silence that loses tasks");
          options.bytes("segment", settings_.segment, "size of a segment");
          options.number("weight", settings_.weight, "share", {0, 10});
          options.texts("queues", settings_.queues, "what to take");
          options.choice("mode", settings_.mode, "how", {"fast", "safe"});
          options.in_file([&](Map& map) {
            map.map("limits", [&](Map& limits) { limits.integer("depth", settings_.depth); });
          });
          options.check([&] {
            return settings_.port == 666 ? fix_input("invalid_value", "port 666 is taken")
                                         : Status::ok();
          });
        });
    errors_ = testing::internal::GetCapturedStderr();
    output_ = testing::internal::GetCapturedStdout();
    return status;
  }

  Settings settings_;
  std::string errors_;
  std::string output_;
  std::string folder_;
  std::vector<std::string> variables_;
};

TEST_F(ProgramOptionsTest, WithoutAnythingTheInitialValuesHold) {
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(settings_.data_dir, "/data");
  EXPECT_TRUE(settings_.durable);
  EXPECT_EQ(errors_ + output_, "");
}

TEST_F(ProgramOptionsTest, LaterSourcesWin) {
  const std::string path = file("data_dir: /from-file\nport: 1\nlease: 1s\nlimits: {depth: 7}\n");
  environment("ASSAY_PORT", "2");
  environment("ASSAY_LEASE", "2s");
  EXPECT_EQ(read({"--config", path.c_str(), "--lease", "3s"}), std::nullopt);
  EXPECT_EQ(settings_.data_dir, "/from-file");
  EXPECT_EQ(settings_.port, 2);
  EXPECT_EQ(settings_.lease, Duration(3000));
  EXPECT_EQ(settings_.depth, 7);
}

TEST_F(ProgramOptionsTest, EveryKindCanComeFromAFlag) {
  EXPECT_EQ(read({"--data-dir=/d", "--port=3", "--durable=false", "--segment=1KiB", "--weight=2.5",
                  "--queues=a,b", "--mode=safe"}),
            std::nullopt);
  EXPECT_EQ(settings_.data_dir, "/d");
  EXPECT_EQ(settings_.port, 3);
  EXPECT_FALSE(settings_.durable);
  EXPECT_EQ(settings_.segment, 1024U);
  EXPECT_EQ(settings_.weight, 2.5);
  EXPECT_THAT(settings_.queues, ElementsAre("a", "b"));
  EXPECT_EQ(settings_.mode, "safe");
}

TEST_F(ProgramOptionsTest, SwitchNeedsNoValue) {
  settings_.durable = false;
  EXPECT_EQ(read({"--durable"}), std::nullopt);
  EXPECT_TRUE(settings_.durable);
  settings_.durable = false;
  EXPECT_EQ(read({"--durable", "--port", "7"}), std::nullopt);
  EXPECT_TRUE(settings_.durable);
  EXPECT_EQ(settings_.port, 7);
  EXPECT_EQ(read({"--durable=maybe"}), 2);
  EXPECT_EQ(errors_, "--durable: expected true or false, found 'maybe'\n");
}

TEST_F(ProgramOptionsTest, ConfigFileMayBeNamedByTheEnvironment) {
  environment("ASSAY_CONFIG", file("port: 5\n"));
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(settings_.port, 5);
}

TEST_F(ProgramOptionsTest, EveryMistakeOfEverySourceIsNamedAndTheExitStatusIsTwo) {
  const std::string path = file("port: 0\ndata-dir: /x\n");
  environment("ASSAY_LEASE", "soon");
  EXPECT_EQ(read({"--config", path.c_str(), "--mode", "slow"}), 2);
  EXPECT_THAT(errors_,
              HasSubstr(path + ":1: port: expected an integer from 1 to 65535, found '0'"));
  EXPECT_THAT(errors_, HasSubstr(path + ":2: unknown key 'data-dir'; did you mean 'data_dir'?"));
  EXPECT_THAT(errors_, HasSubstr("ASSAY_LEASE: expected a duration"));
  EXPECT_THAT(errors_, HasSubstr("--mode: expected one of fast, safe, found 'slow'"));
}

TEST_F(ProgramOptionsTest, BadUsageExitsWithTwo) {
  EXPECT_EQ(read({"--no-such-flag"}), 2);
  EXPECT_THAT(errors_, HasSubstr("no-such-flag"));
  EXPECT_EQ(read({"--config", "/no/such/file.yaml"}), 2);
  EXPECT_THAT(errors_, HasSubstr("/no/such/file.yaml: cannot be read: No such file or directory"));
}

TEST_F(ProgramOptionsTest, ChecksSeeTheFinalValues) {
  EXPECT_EQ(read({"--port", "666"}), 2);
  EXPECT_EQ(errors_, "port 666 is taken\n");
}

TEST_F(ProgramOptionsTest, CheckConfigSaysThatAllIsWellAndExits) {
  const std::string path = file("port: 5\n");
  EXPECT_EQ(read({"--config", path.c_str(), "--check-config"}), 0);
  EXPECT_EQ(output_, path + ": the configuration is good\n");
}

TEST_F(ProgramOptionsTest, HelpNamesEverySettingAndItsInitialValue) {
  EXPECT_EQ(read({"--help"}), 0);
  for (const char* text : {"--data-dir", "/data", "--lease", "10s", "64MiB", "--check-config",
                           "--log-level", "fast, safe"}) {
    EXPECT_THAT(output_, HasSubstr(text));
  }
  EXPECT_EQ(read({"--version"}), 0);
  EXPECT_EQ(output_, "assay-test " ASSAY_VERSION "\n");
}

TEST_F(ProgramOptionsTest, LogLevelTakesEffect) {
  EXPECT_EQ(read({"--log-level", "error"}), std::nullopt);
  EXPECT_FALSE(log::enabled(log::Level::kWarn));
  EXPECT_EQ(read({"--log-level", "debug"}), std::nullopt);
  EXPECT_TRUE(log::enabled(log::Level::kDebug));
}

}  // namespace
}  // namespace assay::config
