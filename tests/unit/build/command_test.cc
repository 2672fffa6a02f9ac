// Other programs, run to their ends.
#include "workers/build/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace assay::image_build {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(Command, TellsItsOutputItsErrorsAndItsStatus) {
  Command command;
  command.arguments = {"/bin/sh", "-c", "echo out; echo err 1>&2; exit 3"};
  std::string lines;
  command.on_error_line = [&](std::string_view line) { lines += line; };
  const Result<CommandEnd> end = run_command(command, {});
  ASSERT_TRUE(end.is_ok());
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->output, "out\n");
  EXPECT_EQ(lines, "err");
}

TEST(Command, GetsAnEnvironmentOfItsOwn) {
  Command command;
  command.arguments = {"/usr/bin/env"};
  command.environment = {"ONLY=this"};
  const Result<CommandEnd> end = run_command(command, {});
  EXPECT_THAT(end->output, HasSubstr("ONLY=this\n"));
  EXPECT_THAT(end->output, Not(HasSubstr("ASSAY_BIN=")));
}

TEST(Command, EndsWithItsTimeAndWithItsChildren) {
  Command command;
  command.arguments = {"/bin/sh", "-c", "/bin/cat /dev/zero & wait"};
  command.output_bytes_max = 10;
  command.timeout = milliseconds(200);
  EXPECT_EQ(run_command(command, {}).status().reason(), "command_timeout");
}

TEST(Command, EndsWhenItIsStopped) {
  Command command;
  command.arguments = {"/bin/cat", "/dev/zero"};
  command.output_bytes_max = 10;
  std::stop_source stop;
  const std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(run_command(command, stop.get_token()).status().reason(), "stopped");
}

TEST(Command, OutputIsBoundedAndTheRestIsRead) {
  Command command;
  command.arguments = {"/bin/sh", "-c", "head -c 1000000 /dev/zero"};
  command.output_bytes_max = 1000;
  const Result<CommandEnd> end = run_command(command, {});
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_EQ(end->output.size(), 1000U);
  EXPECT_TRUE(end->output_cut);
}

TEST(Command, WritesNoFileLargerThanItMay) {
  Command command;
  command.arguments = {"/bin/sh", "-c",
                       "head -c 100000 /dev/zero > /tmp/assay_command_$$; s=$?;"
                       " rm -f /tmp/assay_command_$$; exit $s"};
  command.file_bytes_max = 1000;
  EXPECT_NE(run_command(command, {})->exit_code, 0);
}

TEST(Command, AProgramThatIsNotThereIsStatus127) {
  Command command;
  command.arguments = {"/nowhere/to/be/found"};
  EXPECT_EQ(run_command(command, {})->exit_code, 127);
}

}  // namespace
}  // namespace assay::image_build
