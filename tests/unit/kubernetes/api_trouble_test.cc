// The API server misbehaves; the pod runs once nevertheless, and nothing is left.
#include <atomic>
#include <fstream>

#include "sdk/http/client.h"
#include "tests/unit/kubernetes/executor_fixture.h"
#include "workers/eval/evaluator.h"

namespace assay::eval::kubernetes {
namespace {

using support::ServerConnection;
using support::ServerRequest;
using ::testing::HasSubstr;

class Uncalled : public TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string) override {}
  void log(std::string) override {}
  void safety(std::string) override {}
  bool cancelled() const override { return false; }
  bool wait_cancelled(Duration) override { return false; }
};

bool creates_job(const ServerRequest& request) {
  return request.method == "POST" && request.path().ends_with("/jobs");
}
bool watches(const ServerRequest& request) {
  return request.query("watch") == "1";
}
bool follows(const ServerRequest& request) {
  return request.query("follow") == "true";
}

TEST_F(KubernetesTest, APodRunsAndItsTaskLeavesNothing) {
  start();
  const Story story = run(spec());
  expect_good(story);
  EXPECT_EQ(story.isolation, "isolated");
  EXPECT_EQ(server_.count("jobs"), 1U);  // until the task has ended
  expect_clean_after("TASK1");
  EXPECT_EQ(server_.jobs_created(), 1U);
  // create, its files, delete: what an evaluation of one pod costs, watches and logs not counted.
  EXPECT_EQ(server_.requests("POST", "/"), 2U);
  EXPECT_EQ(server_.requests("DELETE", "/"), 1U);
}

TEST_F(KubernetesTest, AnAnswerThatIsLostAfterTheJobWasMadeMakesNoSecondJob) {
  start();
  std::atomic<int> lost{0};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    // The first time somebody else makes it under the same name: a 409 for ours.
    if (!creates_job(request) || lost++ > 0) return false;
    http::Client client;
    http::Request same;
    same.method = "POST";
    same.url = server_.url() + request.target;
    same.body = request.body;
    EXPECT_TRUE(client.perform(same).is_ok());
    connection.hang_up();
    return true;
  });
  expect_good(run(spec()));
  EXPECT_EQ(server_.jobs_created(), 1U);
  expect_clean_after("TASK1");
}

TEST_F(KubernetesTest, TooManyRequestsAreHeededAndInternalErrorsRepeated) {
  start();
  std::atomic<int> tries{0};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!creates_job(request)) return false;
    const int now = ++tries;
    if (now == 1) connection.respond(429, "{}", {{"Retry-After", "0.3"}});
    if (now == 2) connection.respond(500, "no JSON at all");
    if (now == 3) connection.respond(503, "{\"message\":\"starting\"}", {{"Retry-After", "1e-6s"}});
    return now <= 3;
  });
  expect_good(run(spec()));
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(server_.jobs_created(), 1U);
  EXPECT_EQ(metrics_.value("assay_kube_requests_total",
                           {{"verb", "create"}, {"resource", "jobs"}, {"code", "429"}}),
            1);
}

TEST_F(KubernetesTest, ARefusedJobIsAnErrorWithTheServersWords) {
  start();
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!creates_job(request)) return false;
    connection.respond(422, R"({"reason":"Invalid","message":"spec.template: no such class"})");
    return true;
  });
  const Story story = run(spec());
  EXPECT_EQ(story.end.failure.code(), Code::kFixInput);
  EXPECT_THAT(story.end.failure.message(), HasSubstr("no such class"));
}

TEST_F(KubernetesTest, HalfAnAnswerIsNone) {
  start();
  std::atomic<int> tries{0};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!creates_job(request) || ++tries > 1) return false;
    connection.send("HTTP/1.1 201 Created\r\nContent-Length: 5000\r\n\r\n{\"metadata\":");
    connection.hang_up();
    return true;
  });
  expect_good(run(spec()));
  EXPECT_EQ(server_.jobs_created(), 1U);
}

TEST_F(KubernetesTest, AWatchThatExpiresIsListedAnewAndNothingIsMissed) {
  start();
  server_.play([](support::KubeServer& server, const std::string& job) {
    server.expire_watches();  // 410 as an event, in the middle
    server.run_to_end(job, good_lines());
    server.forget_versions();  // and as a status
    server.hang_up_all();
  });
  expect_good(run(spec()));
  EXPECT_TRUE(support::eventually([&] { return server_.requests("GET", "limit=500") >= 4; }));
  expect_clean_after("TASK1");
}

TEST_F(KubernetesTest, AnEventThatComesTooLateDoesNotTurnTheClockBack) {
  start();
  std::atomic<int> told{0};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!watches(request) || request.path().find("/pods") == std::string::npos || told > 0) {
      return false;
    }
    if (server_.count("pods") == 0) return false;
    ++told;
    connection.begin_chunks(200);
    auto pod = server_.object("pods", server_.names("pods")[0]);
    connection.chunk(nlohmann::json({{"type", "MODIFIED"}, {"object", pod}}).dump() + "\n");
    pod["metadata"]["resourceVersion"] = "1";
    pod["status"] = {{"phase", "Failed"}, {"reason", "NodeLost"}};
    connection.chunk(nlohmann::json({{"type", "MODIFIED"}, {"object", pod}}).dump() + "\n");
    connection.end_chunks();
    return true;
  });
  server_.play([](support::KubeServer& server, const std::string& job) {
    server.run(job, good_lines());
    server.hang_up_all();
    server.end(job);
  });
  expect_good(run(spec()));
}

TEST_F(KubernetesTest, ALogThatBreaksInTheMiddleOfALineIsResumedWithoutALossOrARepeat) {
  start();
  std::atomic<int> breaks{0};
  const std::string all = support::framed(good_lines());
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!follows(request) || request.query("container") != "harness" || breaks >= 3) return false;
    const int now = ++breaks;
    connection.begin_chunks(200);
    connection.chunk(all.substr(0, all.size() * static_cast<std::size_t>(now) / 4));
    connection.hang_up();
    return true;
  });
  server_.play([&](support::KubeServer& server, const std::string& job) {
    server.run(job, good_lines());
    EXPECT_TRUE(support::eventually([&] { return breaks == 3; }));
    server.end(job);
  });
  expect_good(run(spec()));
  EXPECT_EQ(breaks, 3);
}

TEST_F(KubernetesTest, ALogWithAHoleIsReadAgainFromItsBeginning) {
  start();
  std::atomic<int> holes{0};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!follows(request) || request.query("container") != "harness" || ++holes > 1) return false;
    const std::string all = support::framed(good_lines());
    connection.respond(200, all.substr(0, all.find('\n') + 1) + all.substr(all.find("3.")));
    return true;
  });
  expect_good(run(spec()));
}

TEST_F(KubernetesTest, AnExpiredTokenIsReadAgain) {
  start();
  server_.require_token("renewed");
  std::ofstream(folder_.path() / "token") << "renewed\n";
  expect_good(run(spec()));
  EXPECT_EQ(server_.jobs_created(), 1U);
}

TEST_F(KubernetesTest, ATokenThatIsRefusedIsSaidAtTheStart) {
  server_.require_token("another");
  executor_ = std::make_unique<KubernetesExecutor>(settings_, "", metrics_);
  const Status status = executor_->check();
  EXPECT_EQ(status.reason(), "kube_refused");
}

TEST_F(KubernetesTest, AListOfFiveThousandPodsIsReadInPages) {
  server_.fill_with_pods(5000);
  start();
  expect_good(run(spec()));
  EXPECT_EQ(server_.requests("GET", "/pods?labelSelector"), 10U);  // pages of 500
}

TEST_F(KubernetesTest, AServerThatIsAwayOpensTheCircuitAndIsFoundAgain) {
  start();
  std::atomic<bool> away{true};
  server_.misbehave([&](const ServerRequest& request, ServerConnection& connection) {
    if (!away || request.method != "POST") return false;
    connection.hang_up();
    return true;
  });
  PodEvents events;
  Story story;
  const auto pod = executor_->launch(spec(), events);
  EXPECT_TRUE(support::eventually([&] {
    return metrics_.value("assay_kube_circuit_open", {{"cluster", "scripted"}}) == 1;
  }));
  EXPECT_TRUE(support::eventually([&] { return !executor_->takes_pods(); }));
  // Meanwhile a task is put off at no cost, instead of waiting here.
  Evaluation evaluation;
  evaluation.entry = "a.py";
  evaluation.files = {{"a.py", "def test_a(): pass"}};
  TaskAssignment task;
  task.body = encode_evaluation(evaluation);
  Uncalled context;
  EXPECT_EQ(Evaluator(*executor_, {.executor = "kubernetes"}).run(task, context).outcome,
            TaskOutcome::snooze(Duration(1)).outcome);
  away = false;
  EXPECT_TRUE(listen(events, story));
  expect_good(story);
  EXPECT_TRUE(support::eventually([&] { return executor_->takes_pods(); }));
  EXPECT_EQ(metrics_.value("assay_kube_circuit_open", {{"cluster", "scripted"}}), 0);
}

}  // namespace
}  // namespace assay::eval::kubernetes
