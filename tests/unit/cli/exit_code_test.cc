#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

TEST(ExitCodes, FollowTheTasksEnd) {
  EXPECT_EQ(exit_code(TaskState::kSucceeded), ExitCode::kOk);
  EXPECT_EQ(exit_code(TaskState::kFailed), ExitCode::kFailed);
  EXPECT_EQ(exit_code(TaskState::kDead), ExitCode::kFailed);
  EXPECT_EQ(exit_code(TaskState::kCancelled), ExitCode::kCancelled);
}

TEST(ExitCodes, ADocumentThatSaysFailedIsNeverASuccess) {
  EXPECT_EQ(exit_code(TaskState::kSucceeded, "passed"), ExitCode::kOk);
  EXPECT_EQ(exit_code(TaskState::kSucceeded, "failed"), ExitCode::kFailed);
  EXPECT_EQ(exit_code(TaskState::kSucceeded, "something new"), ExitCode::kFailed);
  EXPECT_EQ(exit_code(TaskState::kFailed, "passed"), ExitCode::kFailed);
  EXPECT_EQ(exit_code(TaskState::kFailed, "timeout"), ExitCode::kCancelled);
}

TEST(ExitCodes, FollowWhatTheCallerShouldDo) {
  EXPECT_EQ(exit_code(Status::ok()), ExitCode::kOk);
  EXPECT_EQ(exit_code(fix_input("unknown_queue", "")), ExitCode::kUsage);
  EXPECT_EQ(exit_code(not_found("unknown_task", "")), ExitCode::kError);
  EXPECT_EQ(exit_code(retry_later("queue_full", "")), ExitCode::kError);
  EXPECT_EQ(exit_code(retry_later("wait_timeout", "")), ExitCode::kCancelled);
  EXPECT_EQ(exit_code(Status(Code::kRetryCall, "broker_unreachable", "")), ExitCode::kError);
}

TEST(ExitCodes, TheWorstOfSeveralWins) {
  EXPECT_EQ(worst(ExitCode::kOk, ExitCode::kCancelled), ExitCode::kCancelled);
  EXPECT_EQ(worst(ExitCode::kFailed, ExitCode::kCancelled), ExitCode::kFailed);
  EXPECT_EQ(worst(ExitCode::kFailed, ExitCode::kError), ExitCode::kError);
}

}  // namespace
}  // namespace assay::cli
