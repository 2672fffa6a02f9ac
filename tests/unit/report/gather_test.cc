// Which tasks a report is about: those it comes after, or a query; and what a wrong request is
// told.
#include "workers/report/gather.h"

#include <gtest/gtest.h>

#include <map>

#include "workers/report/run_reader.h"

namespace assay::report {
namespace {

// A gtest test has a member Run.
using TaskRun = report::Run;

std::string document(const std::string& name) {
  return R"({"status":"passed","name":")" + name +
         R"(","counts":{"passed":1},"total":1,)"
         R"("tests":[{"name":"t","outcome":"passed","seconds":1}]})";
}

class FakeSource : public TaskSource {
 public:
  void add(const TaskInfo& info, const std::string& result) {
    tasks.insert(tasks.begin(), info);  // the newest first
    documents[info.id] = result;
  }
  Result<TaskInfo> status(const TaskId& id) override {
    for (const TaskInfo& info : tasks) {
      if (info.id == id) return info;
    }
    return not_found("unknown_task", "no such task");
  }
  Result<std::vector<TaskInfo>> list(ListRequest request) override {
    std::vector<TaskInfo> out;
    for (const TaskInfo& info : tasks) {
      const bool fits = (request.queue.value.empty() || info.queue == request.queue) &&
                        info.submitted_at >= request.since;
      if (fits) out.push_back(info);
    }
    return out;
  }
  Result<std::vector<TaskResult>> results(std::span<const TaskId> ids) override {
    TaskResult result;
    result.id = ids[0];
    result.result = documents.at(ids[0]);
    return std::vector{result};
  }

  std::vector<TaskInfo> tasks;
  std::map<TaskId, std::string> documents;
};

TaskInfo info_of(int number, const std::string& name, const std::string& team) {
  TaskInfo info;
  info.id = TaskId::make(Time(Duration(number)));
  info.queue = QueueName("eval");
  info.owner = OwnerName("me");
  info.state = TaskState::kSucceeded;
  info.submitted_at = Time(Duration(number * 1000));
  info.labels = {{"name", name}, {"team", team}};
  return info;
}

TEST(Gather, TakesTheTasksThatItComesAfter) {
  FakeSource source;
  const TaskInfo info = info_of(1, "s", "red");
  source.add(info, document("s"));
  TaskAssignment task;
  task.inputs.push_back({info.id, TaskState::kSucceeded, document("s")});
  const auto out = gather({}, task, &source, Time(Duration(9'000'000)));
  ASSERT_TRUE(out.is_ok());
  ASSERT_EQ(out->runs.size(), 1U);
  EXPECT_EQ(out->runs[0].name, "s");
  EXPECT_EQ(out->runs[0].labels.at("team"), "red");
  ASSERT_EQ(out->runs[0].tests.size(), 1U);
  EXPECT_EQ(gather({}, task, nullptr, Time())->runs.size(), 1U);
}

TEST(Gather, QueriesByLabelAndComparesWithTheLastBefore) {
  FakeSource source;
  for (const int number : {1, 2, 3}) source.add(info_of(number, "s", "red"), document("s"));
  source.add(info_of(4, "s", "blue"), document("s"));
  Request request;
  request.query = Query{.labels = {{"team", "red"}}, .limit = 1};
  request.baseline_last = true;
  const auto out = gather(request, {}, &source, Time(Duration(9'000'000)));
  ASSERT_TRUE(out.is_ok()) << out.status().to_string();
  ASSERT_EQ(out->runs.size(), 1U);
  EXPECT_EQ(out->runs[0].id, source.tasks[1].id);
  ASSERT_EQ(out->baseline.size(), 1U);
  EXPECT_EQ(out->baseline[0].id, source.tasks[2].id);
}

TEST(Gather, SaysWhatIsMissing) {
  EXPECT_EQ(gather({}, {}, nullptr, Time()).status().reason(), "nothing_to_report");
  Request request;
  request.query.emplace();
  EXPECT_EQ(gather(request, {}, nullptr, Time()).status().reason(), "broker_needed");
  FakeSource nobody;
  EXPECT_EQ(gather(request, {}, &nobody, Time()).status().reason(), "nothing_to_report");
}

TEST(Request, NamesTheMistake) {
  const auto message = [](const char* body) { return read_request(body).status().message(); };
  EXPECT_TRUE(read_request("").is_ok());
  EXPECT_TRUE(read_request(R"({"version":1,"formats":["html"],"query":{"since":"24h"},
                               "baseline":"last","compare":{"goal":"min"},"sla":{}})")
                  .is_ok());
  EXPECT_EQ(message(R"({"titel":"x"})").substr(0, 18), "titel: unknown key");
  EXPECT_EQ(message(R"({"query":{"limit":0}})"),
            "query.limit: expected a number from 1 to 1000, found 0");
  EXPECT_EQ(message(R"({"formats":["pdf"]})"),
            R"(formats: expected csv, html, json, junit, markdown, found ["pdf"])");
  EXPECT_EQ(message(R"({"compare":{"goal":"up"}})"),
            R"(compare.goal: expected max or min, found "up")");
  EXPECT_EQ(message(R"({"baseline":"yesterday"})"),
            R"(baseline: expected "last", a task's id, or a list of ids, found "yesterday")");
  EXPECT_FALSE(read_request("[]").is_ok());
  EXPECT_FALSE(read_request("{\"title\": \"\xff\"}").is_ok());
}

TEST(RunReader, TakesWhatIsThereAndNothingFromWrongTypes) {
  TaskRun run;
  EXPECT_FALSE(read_document("no json", run));
  EXPECT_FALSE(read_document(R"({"status":1})", run));
  EXPECT_TRUE(read_document(R"({"status":"failed","counts":{"passed":"many","failed":2},"name":7,
    "scores":[],"tests":[{"name":1},{"name":"a","outcome":"nonsense","score":"x"},7],
    "usage":{"requests":{"a":"b"}},"notes":"n","log":null})",
                            run));
  EXPECT_EQ(run.counts.size(), 1U);
  ASSERT_EQ(run.tests.size(), 2U);
  EXPECT_EQ(run.tests[1].outcome, "unknown");
  EXPECT_FALSE(run.tests[1].score);
}

}  // namespace
}  // namespace assay::report
