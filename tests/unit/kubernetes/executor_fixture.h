// A Kubernetes executor against the scripted API server, and what its pods said.
#ifndef ASSAY_TESTS_UNIT_KUBERNETES_EXECUTOR_FIXTURE_H_
#define ASSAY_TESTS_UNIT_KUBERNETES_EXECUTOR_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/kube_server.h"
#include "tests/support/process.h"
#include "workers/eval/executor/kubernetes/kubernetes_executor.h"

namespace assay::eval::kubernetes {

// What a pod said, until its end.
struct Story {
  std::vector<std::string> lines;
  std::vector<std::string> waits;
  std::vector<SubjectEnded> subjects;
  std::string log;
  std::string isolation;
  PodEnded end;
  bool ended = false;
};

inline const std::vector<std::string>& good_lines() {
  static const std::vector<std::string> kLines{
      R"({"event":"listening"})", R"({"event":"connected"})",
      R"({"event":"result","test":"a","outcome":"passed"})",
      R"({"event":"finished","reason":"done","not_run":[]})"};
  return kLines;
}

class KubernetesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_.pod_image = "pod@sha256:1";
    settings_.clusters[0].kubeconfig = server_.kubeconfig(folder_.path());
    settings_.clusters[0].name = "scripted";
    settings_.writes_per_second = 1000;
    server_.play([](support::KubeServer& server, const std::string& job) {
      server.run_to_end(job, good_lines());
    });
  }
  void start() {
    executor_ = std::make_unique<KubernetesExecutor>(settings_, "", metrics_);
    const Status status = executor_->check();
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  static PodSpec spec(const std::string& task = "TASK1", std::uint32_t attempt = 1,
                      const std::string& batch = "0") {
    PodSpec out;
    out.identity = {task, attempt, "alice", batch, 1};
    out.number = 7;
    out.files = std::make_shared<const std::vector<EvaluationFile>>(
        std::vector<EvaluationFile>{{"my_eval.py", "def test_a(): pass"}});
    out.plan.deadline = std::chrono::milliseconds(60'000);
    return out;
  }
  // Listens until its end; false when it does not come.
  static bool listen(PodEvents& events, Story& story) {
    return support::eventually([&] {
      for (PodEvent& event : events.wait(std::chrono::milliseconds(20))) add(story, event);
      return story.ended;
    });
  }
  Story run(PodSpec pod) {
    PodEvents events;
    Story story;
    auto launched = executor_->launch(std::move(pod), events);
    EXPECT_TRUE(launched.is_ok());
    EXPECT_TRUE(listen(events, story)) << "no end";
    return story;
  }
  static void add(Story& story, PodEvent& event) {
    EXPECT_FALSE(story.ended) << "something came after the end";
    EXPECT_EQ(event.pod, 7U);
    if (auto* line = std::get_if<HarnessLine>(&event.what)) story.lines.push_back(line->line);
    if (auto* log = std::get_if<SubjectLog>(&event.what)) story.log += log->bytes;
    if (auto* wait = std::get_if<PodWaiting>(&event.what)) story.waits.push_back(wait->reason);
    if (auto* subject = std::get_if<SubjectEnded>(&event.what)) story.subjects.push_back(*subject);
    if (auto* proof = std::get_if<PodIsolation>(&event.what)) {
      story.isolation = proof->isolated ? "isolated" : "not isolated";
    }
    if (auto* end = std::get_if<PodEnded>(&event.what)) {
      story.end = *end;
      story.ended = true;
    }
  }
  // A pod that ran well and once, whatever went wrong on the way.
  void expect_good(const Story& story) {
    EXPECT_TRUE(story.end.failure.is_ok()) << story.end.failure.to_string();
    EXPECT_EQ(story.lines, good_lines());
    EXPECT_EQ(story.log, "words of the subject\n");
  }
  void expect_clean_after(const std::string& task) {
    executor_->task_ended(task, 1);
    EXPECT_TRUE(support::eventually([&] {
      return server_.count("jobs") + server_.count("pods") + server_.count("configmaps") == 0;
    }));
  }

  support::TemporaryFolder folder_;
  support::KubeServer server_;
  Settings settings_;
  metrics::Registry metrics_;
  std::unique_ptr<KubernetesExecutor> executor_;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_TESTS_UNIT_KUBERNETES_EXECUTOR_FIXTURE_H_
