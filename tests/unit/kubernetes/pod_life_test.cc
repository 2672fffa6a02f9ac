// What becomes of pods: how they are found again, how they end, and whose doing that is.
#include <nlohmann/json.hpp>

#include "tests/unit/kubernetes/executor_fixture.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;
using support::KubeServer;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

json waiting(const char* reason, const char* message) {
  return {{"phase", "Pending"},
          {"containerStatuses",
           {{{"name", "subject"},
             {"state", {{"waiting", {{"reason", reason}, {"message", message}}}}}}}}};
}

TEST_F(KubernetesTest, AnotherWorkerAdoptsAPodThatRunsAndRunsNothingTwice) {
  server_.play([](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    server.set_status(job, {{"phase", "Running"},
                            {"containerStatuses",
                             {{{"name", "harness"}, {"state", {{"running", json::object()}}}}}}});
    server.write_log(job, "harness", support::framed({good_lines()[0], good_lines()[1]}));
  });
  start();
  {
    PodEvents events;
    auto pod = executor_->launch(spec(), events);
    EXPECT_TRUE(support::eventually([&] { return server_.requests("GET", "/log") > 0; }));
    (*pod)->leave();
  }
  executor_.reset();
  ASSERT_EQ(server_.count("jobs"), 1U);
  start();
  // The next attempt, as after a worker that was killed: the same batch of the same task.
  PodEvents events;
  Story story;
  const auto pod = executor_->launch(spec("TASK1", 2), events);
  const std::string job = server_.names("jobs")[0];
  server_.write_log(job, "harness",
                    support::framed(good_lines())
                        .substr(support::framed({good_lines()[0], good_lines()[1]}).size()));
  server_.write_log(job, "subject", support::framed({"words of the subject"}));
  server_.end_log(job, "harness");
  server_.end_log(job, "subject");
  const auto ended = [](const char* name) {
    return json{{"name", name}, {"state", {{"terminated", {{"exitCode", 0}}}}}};
  };
  server_.set_status(
      job, {{"phase", "Succeeded"}, {"containerStatuses", {ended("subject"), ended("harness")}}});
  EXPECT_TRUE(listen(events, story));
  expect_good(story);
  EXPECT_EQ(server_.jobs_created(), 1U);
}

TEST_F(KubernetesTest, AJobOfAnotherTaskOrOfOtherFilesIsNotAdopted) {
  start();
  run(spec("TASK1"));
  PodSpec other = spec("TASK1", 2);
  other.files = std::make_shared<const std::vector<EvaluationFile>>(
      std::vector<EvaluationFile>{{"my_eval.py", "something else"}});
  run(std::move(other));
  run(spec("TASK2"));
  EXPECT_EQ(server_.jobs_created(), 3U);
}

TEST_F(KubernetesTest, AStoppedPodIsGone) {
  server_.play([](KubeServer& server, const std::string& job) { server.add_pod(job); });
  start();
  PodEvents events;
  Story story;
  const auto pod = executor_->launch(spec(), events);
  EXPECT_TRUE(support::eventually([&] { return server_.count("configmaps") == 1; }));
  (*pod)->stop();
  EXPECT_TRUE(listen(events, story));
  EXPECT_EQ(server_.count("jobs") + server_.count("pods") + server_.count("configmaps"), 0U);
}

TEST_F(KubernetesTest, APodThatIsDeletedFromOutsideIsNoSuccess) {
  server_.play([](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    server.set_status(job, {{"phase", "Running"}});
    server.delete_pod(job);
  });
  start();
  const Story story = run(spec());
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
  EXPECT_THAT(story.end.failure.message(), HasSubstr("deleted"));
  EXPECT_TRUE(support::eventually([&] { return server_.count("jobs") == 0; }));
}

TEST_F(KubernetesTest, AnEvictedPodIsNotItsTasksFaultUnlessItsOwnDiskWasFull) {
  std::string message = "The node was low on resource: memory.";
  server_.play([&](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    server.set_status(job, {{"phase", "Failed"}, {"reason", "Evicted"}, {"message", message}});
  });
  start();
  Story story = run(spec("TASK1"));
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
  message = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.";
  story = run(spec("TASK2"));
  EXPECT_TRUE(story.end.failure.is_ok());
  ASSERT_EQ(story.subjects.size(), 1U);
  EXPECT_EQ(story.subjects[0].limit, "storage");
  EXPECT_THAT(story.lines, Contains(HasSubstr("load_failed")));
}

TEST_F(KubernetesTest, AHarnessThatEndsWithoutAWordIsNoSuccess) {
  server_.play([](KubeServer& server, const std::string& job) {
    server.run_to_end(job, {good_lines()[0], good_lines()[1], good_lines()[2]});
  });
  start();
  const Story story = run(spec());
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
  EXPECT_THAT(story.end.failure.message(), HasSubstr("before it had finished"));
}

TEST_F(KubernetesTest, AnOpenNetworkEndsThePodBeforeTheSubjectStarts) {
  server_.play([](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    const json found = {{"isolated", false}, {"canary", json::array()}};
    server.set_status(
        job, {{"phase", "Failed"},
              {"initContainerStatuses",
               {{{"name", "prepare"},
                 {"state", {{"terminated", {{"exitCode", 3}, {"message", found.dump()}}}}}}}}});
  });
  start();
  const Story story = run(spec());
  EXPECT_EQ(story.isolation, "not isolated");
  EXPECT_THAT(story.end.failure.message(), HasSubstr("not isolated"));
}

TEST_F(KubernetesTest, AnUnschedulablePodIsGivenUpInTimeWithTheSchedulersWords) {
  settings_.pending_max = Milliseconds(1000);
  server_.play([](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    server.set_status(job, {{"conditions",
                             {{{"type", "PodScheduled"},
                               {"status", "False"},
                               {"message", "0/1 nodes: Insufficient nvidia.com/gpu."}}}}});
  });
  start();
  const Story story = run(spec());
  EXPECT_THAT(story.waits, Contains(HasSubstr("Insufficient nvidia.com/gpu")));
  EXPECT_THAT(story.end.failure.message(), HasSubstr("Insufficient nvidia.com/gpu"));
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
}

TEST_F(KubernetesTest, AnImageNameThatIsNoneFailsAtOnceAndIsTheTasksFault) {
  server_.play([](KubeServer& server, const std::string& job) {
    server.add_pod(job);
    server.set_status(job, waiting("InvalidImageName", "couldn't parse image reference"));
  });
  start();
  const Story story = run(spec());
  EXPECT_TRUE(story.end.failure.is_ok());
  EXPECT_THAT(story.lines, Contains(HasSubstr("InvalidImageName")));
}

TEST_F(KubernetesTest, AJobThatGetsNoPodIsGivenUp) {
  settings_.no_pod_max = Milliseconds(1000);
  server_.play({});
  start();
  const Story story = run(spec());
  EXPECT_THAT(story.end.failure.message(), HasSubstr("made no pod"));
}

TEST_F(KubernetesTest, PodsWaitInTheWorkerWhenTheClusterIsFull) {
  settings_.clusters[0].pods_max = 1;
  server_.play([](KubeServer& server, const std::string& job) { server.add_pod(job); });
  start();
  PodEvents first_events;
  PodEvents second_events;
  const auto first = executor_->launch(spec("TASK1"), first_events);
  EXPECT_TRUE(support::eventually([&] { return server_.count("jobs") == 1; }));
  const auto second = executor_->launch(spec("TASK2"), second_events);
  Story story;
  EXPECT_TRUE(support::eventually([&] {
    for (PodEvent& event : second_events.wait(Milliseconds(20))) add(story, event);
    return !story.waits.empty();
  }));
  EXPECT_THAT(story.waits, Contains(HasSubstr("no room")));
  EXPECT_EQ(server_.jobs_created(), 1U);
  server_.run_to_end(server_.names("jobs")[0], good_lines());
  EXPECT_TRUE(support::eventually([&] { return server_.jobs_created() == 2; }));
}

TEST_F(KubernetesTest, AFinishedJobThatNobodyWantsIsSwept) {
  settings_.orphan_grace = Milliseconds(100);
  start();
  run(spec());
  executor_.reset();
  ASSERT_EQ(server_.count("jobs"), 1U);
  server_.finish_job(server_.names("jobs")[0]);
  start();
  EXPECT_TRUE(support::eventually([&] { return server_.count("jobs") == 0; }));
}

TEST_F(KubernetesTest, AClusterOfNoWeightGetsNothing) {
  KubeServer other;
  const support::TemporaryFolder other_folder;
  settings_.clusters[0].weight = 0;
  settings_.clusters.push_back(settings_.clusters[0]);
  settings_.clusters[1].weight = 1;
  settings_.clusters[1].name = "other";
  settings_.clusters[1].kubeconfig = other.kubeconfig(other_folder.path());
  other.play(
      [](KubeServer& server, const std::string& job) { server.run_to_end(job, good_lines()); });
  start();
  expect_good(run(spec()));
  EXPECT_EQ(server_.jobs_created(), 0U);
  EXPECT_EQ(other.jobs_created(), 1U);
  executor_.reset();
}

}  // namespace
}  // namespace assay::eval::kubernetes
