// What `assay bench` reports.
#include "cli/bench/load_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

TEST(LoadReport, PercentilesAreOfTasksNotOfMessages) {
  LoadReport report;
  report.accepted(98, Microseconds(1000));
  report.accepted(2, Microseconds(9000));
  report.submitted_for(Duration(2000));
  const auto json = nlohmann::json::parse(report.json());
  EXPECT_EQ(json["accepted"], 100);
  EXPECT_EQ(json["accepted_per_second"], 50);
  EXPECT_EQ(json["accept_ms"],
            (nlohmann::json{{"p50", 1.0}, {"p90", 1.0}, {"p99", 9.0}, {"max", 9.0}}));
}

TEST(LoadReport, TheExitStatusTellsTheWorst) {
  LoadReport report;
  EXPECT_EQ(report.exit_code(), ExitCode::kOk);
  report.accepted(2, Microseconds(1));
  report.ended(TaskState::kSucceeded, Microseconds(1));
  EXPECT_EQ(report.exit_code(), ExitCode::kError);  // one goes on
  report.ended(TaskState::kSucceeded, Microseconds(1));
  EXPECT_EQ(report.exit_code(), ExitCode::kOk);
  report.refused(1, retry_later("queue_full", "full"));
  EXPECT_EQ(report.exit_code(), ExitCode::kFailed);
}

TEST(LoadReport, NothingAtAllIsNoDivisionByNothing) {
  const auto json = nlohmann::json::parse(LoadReport().json());
  EXPECT_EQ(json["accepted_per_second"], 0);
  EXPECT_EQ(json["end_ms"]["p99"], 0);
}

TEST(LoadReport, RefusalsAndEndsHaveALineEach) {
  LoadReport report;
  report.refused(3, retry_later("queue_full", "full"));
  report.ended(TaskState::kFailed, Microseconds(2500));
  std::string text;
  for (const Line& line : report.lines()) text += render(line, Look{}) + "\n";
  EXPECT_EQ(text,
            "submitted  3 in 0.0s, 0.0 accepted a second\n"
            "accepted   0\n"
            "refused    3 queue_full\n"
            "failed     1\n"
            "to accept  p50 0.0 ms  p90 0.0 ms  p99 0.0 ms  max 0.0 ms\n"
            "to end     p50 2.5 ms  p90 2.5 ms  p99 2.5 ms  max 2.5 ms\n");
}

}  // namespace
}  // namespace assay::cli
