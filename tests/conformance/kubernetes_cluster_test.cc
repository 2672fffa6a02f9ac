// Pods in a real cluster, as whom the worker is: KUBECONFIG names it, ASSAY_POD_IMAGE the image
// that deploy/images/build pushed. Without them every test here says that it was skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sdk/http/client.h"
#include "tests/support/process.h"
#include "workers/eval/executor/kubernetes/credentials.h"
#include "workers/eval/executor/kubernetes/kubernetes_executor.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody writes
  return value == nullptr ? "" : value;
}

struct Story {
  std::vector<json> lines;
  std::vector<std::string> limits;
  std::string log;
  std::string isolation;
  PodEnded end;
  bool ended = false;

  std::string outcome(const std::string& test) const {
    for (const json& line : lines) {
      if (line["event"] == "result" && line["test"] == test) return line["outcome"];
    }
    return "none";
  }
  std::string finished() const {
    return lines.empty() || lines.back()["event"] != "finished" ? "not finished"
                                                                : lines.back()["reason"];
  }
};

class KubernetesCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_.pod_image = environment("ASSAY_POD_IMAGE");
    if (environment("KUBECONFIG").empty() || settings_.pod_image.empty()) {
      GTEST_SKIP() << "KUBECONFIG and ASSAY_POD_IMAGE name no cluster to test against";
    }
    settings_.clusters[0].accept_open_network = true;
    settings_.profiles["small"].cpu = "100m";
    start();
    task_ = "test" + std::to_string(getpid()) + "." +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override {
    if (!executor_) return;
    executor_->task_ended(task_, 9);
    EXPECT_TRUE(
        support::eventually([&] { return left_of("jobs") + left_of("pods") == 0; }, seconds(240)))
        << "the task has left something";
  }
  void start() {
    std::ifstream file(environment("ASSAY_SOURCE") + "/tests/conformance/stand_in_runner.py");
    std::stringstream runner;
    runner << file.rdbuf();
    executor_ = std::make_unique<KubernetesExecutor>(settings_, runner.str(), metrics_);
    const Status status = executor_->check();
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }

  PodSpec spec(const std::map<std::string, std::string>& tests, const std::string& batch = "0") {
    PodSpec out;
    out.number = 7;
    out.identity = {task_, 1, "conformance", batch, 1};
    out.files = std::make_shared<const std::vector<EvaluationFile>>(files_);
    out.plan.job = json({{"mode", "script"}, {"config", tests}}).dump();
    out.plan.test_timeout = milliseconds(20'000);
    out.plan.deadline = milliseconds(60'000);
    out.limits.memory_bytes = 128ULL << 20;
    return out;
  }
  static bool listen(PodEvents& events, Story& story) {
    return support::eventually(
        [&] {
          for (PodEvent& event : events.wait(milliseconds(50))) add(story, event);
          return story.ended;
        },
        seconds(300));
  }
  Story run(PodSpec pod) {
    PodEvents events;
    Story story;
    const auto launched = executor_->launch(std::move(pod), events);
    EXPECT_TRUE(listen(events, story)) << "no end";
    return story;
  }
  static void add(Story& story, PodEvent& event) {
    if (auto* line = std::get_if<HarnessLine>(&event.what)) {
      story.lines.push_back(json::parse(line->line));
    } else if (auto* log = std::get_if<SubjectLog>(&event.what)) {
      story.log += log->bytes;
    } else if (auto* subject = std::get_if<SubjectEnded>(&event.what)) {
      story.limits.push_back(subject->limit);
    } else if (auto* proof = std::get_if<PodIsolation>(&event.what)) {
      story.isolation = proof->isolated ? "isolated" : "not isolated";
    } else if (auto* end = std::get_if<PodEnded>(&event.what)) {
      story.end = *end;
      story.ended = true;
    }
  }

  // Asks the cluster itself, not what the executor believes.
  json ask(const std::string& kind, const std::string& method = "GET",
           const std::string& name = "") {
    const auto access = read_kubeconfig(environment("KUBECONFIG"), "");
    http::Request request;
    request.method = method;
    request.url = access->server + (kind == "jobs" ? "/apis/batch/v1" : "/api/v1") +
                  "/namespaces/" + access->namespace_name + "/" + kind +
                  (name.empty() ? "?labelSelector=assay.dev/task%3D" + task_ : "/" + name);
    request.tls = access->tls;
    request.bearer_token = access->token;
    request.body = method == "DELETE" ? R"({"propagationPolicy":"Background"})" : "";
    request.headers = {{"Content-Type", "application/json"}};
    const auto response = client_.perform(request);
    return response.is_ok() ? json::parse(response->body, nullptr, false) : json();
  }
  std::size_t left_of(const std::string& kind) {
    const json list = ask(kind);
    return list.contains("items") ? list["items"].size() : 999;
  }

  std::string task_;
  std::vector<EvaluationFile> files_;
  Settings settings_;
  metrics::Registry metrics_;
  std::unique_ptr<KubernetesExecutor> executor_;
  http::Client client_;
};

TEST_F(KubernetesCluster, APodRunsItsTestsInOneJobWithAProofOfItsIsolation) {
  files_ = {{"data/cases.txt", "one"}};
  const Story story = run(spec({{"a", "print('hello')"},
                                {"b", "raise ValueError('no')"},
                                {"c",
                                 "assert open('data/cases.txt').read() == 'one'\n"
                                 "open('data/new', 'w').write('x')"}}));
  EXPECT_TRUE(story.end.failure.is_ok()) << story.end.failure.to_string();
  EXPECT_EQ(story.outcome("a"), "passed");
  EXPECT_EQ(story.outcome("b"), "crashed");
  EXPECT_EQ(story.outcome("c"), "passed");
  EXPECT_EQ(story.finished(), "done");
  EXPECT_THAT(story.log, HasSubstr("hello\n"));
  EXPECT_NE(story.isolation, "");
  EXPECT_GT(story.end.usage.wall_seconds, 0);
  EXPECT_EQ(metrics_.value("assay_jobs_created_total"), 1);
}

TEST_F(KubernetesCluster, TheSubjectHasNothingToAttackWith) {
  const Story story = run(spec({{"look", R"(
import os, socket
assert os.getuid() == 1000
status = open('/proc/self/status').read()
for line in status.splitlines():
    if line.startswith('Cap'):
        assert int(line.split()[1], 16) == 0, line
assert 'NoNewPrivs:\t1' in status and 'Seccomp:\t2' in status, status
assert not os.path.exists('/var/run/secrets/kubernetes.io')
for path in ('/x', '/assay/x', '/assay-run/x', '/etc/x', '/usr/x'):
    try:
        open(path, 'w')
        raise SystemExit(path + ' can be written')
    except OSError:
        pass
for path in ('/plan/plan.json', '/packs'):
    assert not os.path.exists(path), path
for call in (lambda: os.kill(1, 9), lambda: os.listdir('/proc/1/fd')):
    try:
        call()
    except PermissionError:
        pass
assert os.path.exists('/assay/runner.py')
)"}}));
  EXPECT_EQ(story.outcome("look"), "passed") << story.log;
}

TEST_F(KubernetesCluster, AnEaterOfMemoryHarmsOnlyItself) {
  const Story story = run(spec({{"eat", "x = []\nwhile True: x.append(bytearray(8 << 20))"},
                                {"after", "print('still here')"}}));
  EXPECT_NE(story.outcome("eat"), "passed");
  EXPECT_EQ(story.outcome("after"), "passed");
  EXPECT_TRUE(story.end.failure.is_ok()) << story.end.failure.to_string();
}

TEST_F(KubernetesCluster, OneThatNeverEndsIsEnded) {
  PodSpec pod = spec({{"endless", "while True: pass"}});
  pod.plan.test_timeout = milliseconds(2'000);
  const Story story = run(std::move(pod));
  EXPECT_EQ(story.outcome("endless"), "timeout");
  EXPECT_EQ(story.finished(), "done");
}

TEST_F(KubernetesCluster, AFloodOf200MegabytesIsCutWithAMark) {
  const Story story = run(spec({{"flood", R"(
import os
line = b'y' * 99 + b'\n'
for _ in range(200):
    os.write(1, line * 10000)
os.write(1, b'the last words\n')
)"}}));
  EXPECT_EQ(story.outcome("flood"), "passed");
  EXPECT_LT(story.log.size(), 4U << 20);
  EXPECT_THAT(story.log, HasSubstr("skipped"));
  EXPECT_THAT(story.log, HasSubstr("the last words"));
}

TEST_F(KubernetesCluster, AnImageThatDoesNotExistFailsSoonWithTheReason) {
  executor_.reset();
  settings_.subject_image =
      environment("ASSAY_POD_IMAGE").substr(0, environment("ASSAY_POD_IMAGE").find('/')) +
      "/there-is-no:such";
  start();
  const Story story = run(spec({{"a", "pass"}}));
  EXPECT_TRUE(story.end.failure.is_ok());
  ASSERT_FALSE(story.lines.empty());
  EXPECT_THAT(story.lines.back()["text"].get<std::string>(), HasSubstr("image"));
}

TEST_F(KubernetesCluster, APodDeletedFromOutsideIsNoSuccess) {
  PodEvents events;
  Story story;
  const auto pod = executor_->launch(spec({{"wait", "import time; time.sleep(60)"}}), events);
  EXPECT_TRUE(support::eventually(
      [&] {
        for (PodEvent& event : events.wait(milliseconds(50))) add(story, event);
        return story.lines.size() > 2;
      },
      seconds(60)));
  const std::string job = ask("jobs")["items"][0]["metadata"]["name"];
  ask("jobs", "DELETE", job);
  EXPECT_TRUE(listen(events, story));
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
}

TEST_F(KubernetesCluster, AnotherExecutorTakesTheRunningPodOver) {
  const PodSpec pod = spec({{"slow", "import time; time.sleep(6); print('done')"}});
  {
    PodEvents events;
    Story story;
    const auto first = executor_->launch(pod, events);
    EXPECT_TRUE(support::eventually(
        [&] {
          for (PodEvent& event : events.wait(milliseconds(50))) add(story, event);
          return !story.lines.empty();
        },
        seconds(240)));
    (*first)->leave();
  }
  executor_.reset();
  start();
  PodSpec again = pod;
  again.identity.attempt = 2;
  const Story story = run(std::move(again));
  EXPECT_EQ(story.outcome("slow"), "passed");
  EXPECT_EQ(story.finished(), "done");
  EXPECT_EQ(metrics_.value("assay_jobs_created_total"), 1);
}

// An image that is an evaluation by itself, with other arguments than its own; none: its own.
class SubmittedImage : public KubernetesCluster {
 protected:
  Story run_image(const std::vector<std::string>& arguments) {
    const auto program = executor_->image_program(environment("ASSAY_TEST_IMAGE"), arguments);
    EXPECT_TRUE(program.is_ok()) << program.status().to_string();
    if (!program.is_ok()) return {};
    EXPECT_THAT(program->image, HasSubstr("@sha256:"));
    files_.clear();
    PodSpec pod = spec({});
    pod.plan.job = R"({"mode":"image"})";
    pod.plan.outputs = {"out.json", "/etc/passwd", "missing"};
    pod.plan.restarts_max = 0;
    pod.program = *program;
    return run(std::move(pod));
  }
};

TEST_F(SubmittedImage, ItsExitStatusLogAndFilesAreItsResult) {
  const Story story = run_image({});
  EXPECT_EQ(story.outcome("image"), "passed") << story.log;
  EXPECT_THAT(story.log, HasSubstr("asked to write, with its own words\n"));
  std::vector<std::string> outputs;
  for (const json& line : story.lines) {
    if (line["event"] == "output") outputs.push_back(line["path"]);
  }
  EXPECT_EQ(outputs, std::vector<std::string>{"out.json"});
  EXPECT_EQ(story.finished(), "done");
}

TEST_F(SubmittedImage, AStatusOtherThanZeroIsAFailure) {
  const Story story = run_image({"fail", "$(HOME)"});
  EXPECT_EQ(story.outcome("image"), "failed") << story.log;
  EXPECT_THAT(story.log, HasSubstr("with $(HOME)\n"));
}

TEST_F(SubmittedImage, WithoutAnExitStatusItHasCrashed) {
  EXPECT_EQ(run_image({"die"}).outcome("image"), "crashed");
}

TEST_F(SubmittedImage, AForgedResultIsNone) {
  const Story story = run_image({"forge"});
  EXPECT_THAT(story.outcome("image"), testing::AnyOf("crashed", "failed")) << story.log;
}

TEST_F(SubmittedImage, OneThatNeverEndsIsATimeout) {
  EXPECT_EQ(run_image({"endless"}).outcome("image"), "timeout");
}

TEST_F(SubmittedImage, OneThatIsNotThereIsTheTasksFault) {
  const auto name = environment("ASSAY_TEST_IMAGE") + "-none";
  const auto program = executor_->image_program(name, {});
  EXPECT_EQ(program.status().reason(), "image_not_found") << program.status().to_string();
}

}  // namespace
}  // namespace assay::eval::kubernetes
