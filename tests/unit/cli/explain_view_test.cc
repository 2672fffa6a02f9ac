// `assay explain` for people and programs.
#include "cli/explain_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

std::string shown(const Explanation& task) {
  std::string text;
  for (const Line& line : explanation_lines(task, Time())) text += render(line, Look{}) + "\n";
  return text;
}

Explanation queued() {
  Explanation task;
  task.queue = QueueName("eval");
  task.owner = OwnerName("ann");
  task.state = TaskState::kQueued;
  task.position = 3;
  task.queued = 9;
  task.share_deserved = 0.25;
  task.share_used = 1;
  task.quota_here = 2;
  task.running_here = 2;
  task.running = 2;
  task.workers = task.able_workers = 1;
  task.because = {"ann has its quota of 2 running in the queue eval", "all slots are \x1b[1mtaken"};
  task.estimated = true;
  task.estimate_low_seconds = 10;
  task.estimate_high_seconds = 20;
  return task;
}

TEST(ExplainView, SaysWhyBeforeItSaysHowMuch) {
  EXPECT_EQ(shown(queued()),
            "task       00000000000000000000000000\n"
            "state      queued\n"
            "because    ann has its quota of 2 running in the queue eval\n"
            "           all slots are taken\n"
            "may start  in 10s to 20s\n"
            "workers    1 connected, 1 able to take it, 0 free slots\n"
            "position   3 of 9\n"
            "owner      ann: deserves 25 % of eval, uses 100 %\n"
            "           2 of 2 in this queue, 2 running over all queues\n");
}

TEST(ExplainView, AnEndedTaskHasNoFigures) {
  Explanation task;
  task.state = TaskState::kFailed;
  task.because = {"it has ended: failed, 2 tests failed"};
  EXPECT_EQ(shown(task),
            "task       00000000000000000000000000\n"
            "state      failed\n"
            "because    it has ended: failed, 2 tests failed\n");
}

TEST(ExplainView, JsonHasEveryFieldAndNullForWhatIsAbsent) {
  Explanation task = queued();
  task.waits_for = {{TaskId(), TaskState::kRunning}};
  auto json = nlohmann::json::parse(to_json(task));
  EXPECT_EQ(json["estimate_high_seconds"], 20);
  EXPECT_EQ(json["waits_for"][0]["state"], "running");
  EXPECT_TRUE(json["not_before"].is_null());
  EXPECT_TRUE(json["shares_run_of"].is_null());
  task.estimated = false;
  EXPECT_TRUE(nlohmann::json::parse(to_json(task))["estimate_low_seconds"].is_null());
}

}  // namespace
}  // namespace assay::cli
