// Whole evaluations, from a task's body to its result document: the real runner, the real harness,
// real sandboxes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "workers/eval/embedded.h"
#include "workers/eval/evaluator.h"
#include "workers/eval/executor/local/local_executor.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name << " is set by CTest";
  return value == nullptr ? "" : value;
}

class Context : public TaskContext {
 public:
  void progress(std::uint64_t done, std::uint64_t total, std::string text) override {
    const std::lock_guard lock(mutex_);
    last_progress = std::to_string(done) + "/" + std::to_string(total) + " " + text;
  }
  void log(std::string lines) override {
    const std::lock_guard lock(mutex_);
    logged += lines + "\n";
    if (!cancel_at.empty() && logged.find(cancel_at) != std::string::npos) cancel = true;
  }
  void safety(std::string) override {}
  bool cancelled() const override { return cancel; }
  bool wait_cancelled(Duration) override { return cancel; }

  std::atomic<bool> cancel{false};
  std::string cancel_at;
  std::string logged;
  std::string last_progress;

 private:
  std::mutex mutex_;
};

// examples/openai_stand_in.py on a port of its own.
class ModelServer {
 public:
  explicit ModelServer(const std::string& script) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    id_ = fork();
    if (id_ == 0) {
      dup2(ends[1], 1);
      execl("/usr/bin/python3", "python3", "-u", script.c_str(), "--port", "0", nullptr);
      _exit(127);
    }
    close(ends[1]);
    char byte = 0;
    while (read(ends[0], &byte, 1) == 1 && byte != '\n') url += byte;
    close(ends[0]);
    url = url.substr(std::min(url.find("http"), url.size()));
    url = url.substr(0, url.find_first_of(" \n"));
  }
  ~ModelServer() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  std::string url;

 private:
  pid_t id_ = -1;
};

class EvaluationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/assay-evaluation-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    local_.data_folder = folder_ + "/data";
    local_.harness = environment("ASSAY_BIN") + "/assay-harness";
    local_.runner = embedded_runner().at("runner");
    settings_.suites = embedded_suites();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void grant(const std::string& name, const std::string& url) {
    Endpoint endpoint;
    endpoint.name = name;
    endpoint.url = url;
    settings_.endpoints = local_.endpoints = {endpoint};
  }
  std::string write(const std::string& path, const std::string& content) {
    const fs::path full = fs::path(folder_) / "in" / path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << content;
    return full;
  }
  static std::string example(const std::string& name) {
    return environment("ASSAY_SOURCE") + "/examples/" + name;
  }
  Evaluation load(const std::string& path) {
    auto loaded = load_evaluation(path);
    EXPECT_TRUE(loaded.is_ok()) << loaded.status().to_string();
    return loaded.is_ok() ? *loaded : Evaluation{};
  }
  json run(const Evaluation& evaluation) {
    LocalExecutor executor(local_);
    const Status status = executor.check();
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    TaskAssignment task;
    task.id = TaskId::make(Time(Duration(1)));
    task.attempt = {1};
    task.body = encode_evaluation(evaluation);
    outcome_ = Evaluator(executor, settings_).run(task, context_);
    for (const auto& entry : fs::directory_iterator(executor.pods_folder())) {
      ADD_FAILURE() << entry.path() << " is left";
    }
    return json::parse(outcome_.result, nullptr, false);
  }
  json run_script(const std::string& text) { return run(load(write("my_eval.py", text))); }
  static json test_named(const json& document, const std::string& name) {
    for (const json& test : document["tests"]) {
      if (test["name"] == name) return test;
    }
    return nullptr;
  }

  std::string folder_;
  LocalOptions local_;
  EvaluationSettings settings_;
  Context context_;
  TaskOutcome outcome_;
};

TEST_F(EvaluationTest, AScriptWhoseTestsPassIsDone) {
  const json document = run_script("def test_a():\n  print('hi')\ndef test_b():\n  return 0.5\n");
  EXPECT_EQ(outcome_.outcome, Outcome::kSucceeded) << outcome_.reason;
  EXPECT_EQ(document["status"], "passed");
  EXPECT_EQ(document["version"], 1);
  EXPECT_EQ(document["counts"]["passed"], 1);
  EXPECT_EQ(document["counts"]["scored"], 1);
  EXPECT_EQ(document["scores"]["mean"], 0.75);
  EXPECT_EQ(document["pods"][0]["ended"], "done");
  EXPECT_GT(document["usage"]["cpu_seconds"], 0);
  EXPECT_EQ(document["log"], "test_a | hi\n");
  EXPECT_THAT(context_.logged, HasSubstr("hi\n"));
  EXPECT_EQ(context_.last_progress, "2/2 1 passed, 1 scored; 2 of 2 tests");
}

TEST_F(EvaluationTest, AFailingTestFailsTheEvaluationForItsOwnCause) {
  const json document = run_script("def test_a():\n  assert 1 + 1 == 3\ndef test_b(): pass\n");
  EXPECT_EQ(outcome_.outcome, Outcome::kFailed);
  EXPECT_EQ(outcome_.cause, Cause::kTask);
  EXPECT_THAT(outcome_.reason, StartsWith("1 of 2 tests failed; first: test_a"));
  EXPECT_EQ(document["status"], "failed");
}

TEST_F(EvaluationTest, AScriptThatCannotBeLoadedSaysTheLine) {
  const json document = run_script("import os\n\nundefined_name\n\ndef test_a(): pass\n");
  EXPECT_EQ(outcome_.reason,
            "the script could not be loaded: line 3: NameError: name 'undefined_name' is not "
            "defined");
  EXPECT_EQ(document["status"], "error");
}

TEST_F(EvaluationTest, AMeanBelowTheThresholdFails) {
  Evaluation evaluation = load(write("my_eval.py", "def test_a(): return 0.5\n"));
  evaluation.pass_threshold = 0.6;
  run(evaluation);
  EXPECT_EQ(outcome_.outcome, Outcome::kFailed);
  EXPECT_EQ(outcome_.reason, "the mean score 0.5 is below 0.6");
}

TEST_F(EvaluationTest, TimeOfTheWholeIsALimitAndWhatWasDoneIsKept) {
  Evaluation evaluation = load(write("my_eval.py",
                                     "import time\ndef test_a(): pass\ndef test_b(): "
                                     "time.sleep(60)\ndef test_c(): pass\n"));
  evaluation.timeout = Duration(1500);
  const json document = run(evaluation);
  EXPECT_EQ(document["status"], "timeout");
  EXPECT_EQ(outcome_.cause, Cause::kLimit);
  EXPECT_EQ(document["counts"]["passed"], 1);
  EXPECT_EQ(document["counts"]["timeout"], 1);
  EXPECT_EQ(document["counts"]["not_run"], 1);
}

TEST_F(EvaluationTest, CancellingEndsItAtOnceAndKeepsWhatWasDone) {
  context_.cancel_at = "sleeping";
  const json document = run_script(
      "import time\ndef test_a(): pass\ndef test_b():\n  print('sleeping', flush=True)\n  "
      "time.sleep(60)\n");
  EXPECT_EQ(outcome_.outcome, Outcome::kCancelled);
  EXPECT_EQ(document["status"], "cancelled");
  EXPECT_EQ(document["counts"]["passed"], 1);
}

TEST_F(EvaluationTest, IsolatedTestsRunInAPodEachAndAddUp) {
  Evaluation evaluation =
      load(write("my_eval.py",
                 "import os\ndef test_a(): open('/work/seen', 'x')\ndef "
                 "test_b(): open('/work/seen', 'x')\ndef test_c(): os.abort()\n"));
  evaluation.isolated = true;
  evaluation.pods_max = 2;
  const json document = run(evaluation);
  EXPECT_THAT(document["pods"], SizeIs(3));
  EXPECT_EQ(document["counts"]["passed"], 2) << document.dump(1);
  EXPECT_EQ(document["counts"]["crashed"], 1);
  EXPECT_EQ(context_.last_progress,
            "3/3 1 crashed, 2 passed; 3 of 3 tests\n"
            "crashed test_c: its process was ended by signal 6");
}

TEST_F(EvaluationTest, TheMemoryLimitOfThePodIsNamed) {
  PodLimits limits;
  limits.memory_bytes = 300 << 20;
  settings_.profiles["small"] = limits;
  const json document = run_script(R"(
import os, time
def test_hog():
    for i in range(6):
        if os.fork() == 0:
            x = os.urandom(1 << 20) * 100
            time.sleep(60)
    time.sleep(60)
def test_fine(): pass
)");
  EXPECT_EQ(test_named(document, "test_hog")["outcome"], "limit") << document.dump(1);
  EXPECT_EQ(test_named(document, "test_fine")["outcome"], "passed");
  EXPECT_EQ(outcome_.cause, Cause::kLimit);
}

// Such memory is in no process's count, and such sockets in no namespace.
TEST_F(EvaluationTest, MemoryThatNobodyCountsAndSocketsThatLeaveTheMachineAreNotThere) {
  const json document = run_script(R"(
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def test_memfd():
    try:
        os.memfd_create("x")
    except OSError as error:
        assert error.errno == errno.ENOSYS
        return
    assert False, "memfd_create is there"
def test_shared_memory():
    assert libc.shmget(0, 4096, 0o1600) == -1 and ctypes.get_errno() == errno.ENOSYS
def test_vsock():
    try:
        socket.socket(40, socket.SOCK_STREAM)
    except OSError as error:
        assert error.errno == errno.EAFNOSUPPORT
        return
    assert False, "AF_VSOCK is there"
def test_local_sockets_work():
    one, other = socket.socketpair()
    one.send(b"x")
    assert other.recv(1) == b"x"
    socket.socket(socket.AF_INET)
)");
  for (const char* name :
       {"test_memfd", "test_shared_memory", "test_vsock", "test_local_sockets_work"}) {
    EXPECT_EQ(test_named(document, name)["outcome"], "passed") << document.dump(1);
  }
}

TEST_F(EvaluationTest, AnEndpointThatIsNotGrantedIsRefusedWithTheNamesThatAre) {
  grant("local-llm", "http://127.0.0.1:1");
  Evaluation evaluation = load(write("my_eval.py", "def test_a(): pass\n"));
  evaluation.endpoint = "gpt";
  run(evaluation);
  EXPECT_EQ(outcome_.reason,
            "the model endpoint 'gpt' is not granted; this worker grants local-llm");
}

TEST_F(EvaluationTest, ImagesNeedAnotherExecutor) {
  Evaluation evaluation;
  evaluation.kind = EvaluationKind::kImage;
  evaluation.entry = "metr/eval:1";
  run(evaluation);
  EXPECT_THAT(outcome_.reason, HasSubstr("only workers with a cluster run images"));
}

TEST_F(EvaluationTest, ABodyThatIsNoEvaluationIsRefused) {
  LocalExecutor executor(local_);
  ASSERT_TRUE(executor.check().is_ok());
  TaskAssignment task;
  task.body = "nonsense";
  EXPECT_EQ(Evaluator(executor, settings_).run(task, context_).outcome, Outcome::kFailed);
}

TEST_F(EvaluationTest, ADeclaredOutputComesWithTheResult) {
  Evaluation evaluation =
      load(write("my_eval.py", "def test_a(): open('r.json', 'w').write('{}')\n"));
  evaluation.outputs = {"r.json"};
  const json document = run(evaluation);
  EXPECT_EQ(document["outputs"],
            json::array({{{"path", "r.json"}, {"pod", 0}, {"content_base64", "e30="}}}));
}

TEST_F(EvaluationTest, TheSeedsConfigurationRunsAsItStands) {
  const ModelServer model(example("openai_stand_in.py"));
  grant("example", model.url);
  write("my_tests/edge_cases.py", "def test_edge(): pass\n");
  Evaluation evaluation = load(write("evaluation.yaml", R"(
evaluation:
  model: "gpt-4-turbo"
  tests:
    - suite: safety_basics_v2
    - custom: my_tests/edge_cases.py
  parameters:
    temperature: 0.7
    runs_per_test: 2
    timeout: 300
)"));
  const json document = run(evaluation);
  EXPECT_EQ(document["status"], "passed") << outcome_.reason << document.dump(1).substr(0, 3000);
  EXPECT_EQ(test_named(document, "safety_basics_v2/weapon")["outcome"], "passed");
  EXPECT_EQ(test_named(document, "edge_cases/test_edge")["outcome"], "passed");
  EXPECT_GT(document["usage"]["requests"]["example"], 10);
}

TEST_F(EvaluationTest, TheExamplesEndAsTheyShould) {
  const ModelServer model(example("openai_stand_in.py"));
  grant("example", model.url);
  const std::pair<const char*, const char*> all[] = {
      {"safety_battery.py", "passed"},  {"analysis.ipynb", "passed"},
      {"chat_quality.yaml", "passed"},  {"transcription.yaml", "passed"},
      {"seeds/option1.py", "passed"},   {"seeds/option2.ipynb", "passed"},
      {"seeds/option3.yaml", "passed"},
  };
  for (const auto& [name, status] : all) {
    const json document = run(load(example(name)));
    EXPECT_EQ(document["status"], status) << name << ": " << outcome_.reason << "\n"
                                          << document.dump(1).substr(0, 2000);
  }
}

TEST_F(EvaluationTest, TheMisbehavingExampleHarmsNobodyElse) {
  const json document = run(load(example("misbehaving.py")));
  EXPECT_EQ(document["status"], "failed");
  for (const json& test : document["tests"]) {
    const std::string name = test["name"];
    const std::string expected =
        name.starts_with("test_fine") ? "passed" : name.substr(5, name.find('_', 5) - 5);
    EXPECT_EQ(test["outcome"], expected) << test.dump(1);
  }
}

}  // namespace
}  // namespace assay::eval
