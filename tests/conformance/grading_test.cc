// Graders in pods of their own, and subjects that try to get a score without an answer. Every cheat
// here must score 0 in every release.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "workers/eval/embedded.h"
#include "workers/eval/evaluator.h"
#include "workers/eval/executor/local/local_executor.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Context : public TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string) override {}
  void log(std::string lines) override { logged += lines + "\n"; }
  void safety(std::string) override {}
  bool cancelled() const override { return false; }
  bool wait_cancelled(Duration) override { return false; }
  std::string logged;
};

constexpr const char* kGrader = R"(
import os

def test_the_answer_is_right():
    secret = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "secret.txt")).read()
    assert open("outputs/answer.txt").read() == secret

def test_the_reward_is_ours():
    assert not os.path.exists("reward.json")
)";

class GradingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    local_.data_folder = folder_ + "/data";
    local_.harness = std::string(std::getenv("ASSAY_BIN")) + "/assay-harness";
    local_.runner = embedded_runner().at("runner");
  }
  void TearDown() override { fs::remove_all(folder_); }

  json evaluate(const std::string& script, const std::string& extra = "") {
    Evaluation in;
    in.name = "graded";
    in.entry = "solve.py";
    in.grader = "grader/grade.py";
    in.outputs = {"answer.txt"};
    in.timeout = Duration(60'000);
    in.test_timeout = Duration(10'000);
    in.files = {
        {"solve.py", script}, {"grader/grade.py", kGrader}, {"grader/secret.txt", "a long secret"}};
    if (!extra.empty()) in.files.push_back({"extra.txt", extra});
    LocalExecutor executor(local_);
    EXPECT_TRUE(executor.check().is_ok());
    TaskAssignment task;
    task.id = TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").value();
    task.body = encode_evaluation(in);
    const TaskOutcome outcome = Evaluator(executor, {}).run(task, context_);
    return json::parse(outcome.result, nullptr, false);
  }
  void expect_no_score(const json& document) {
    EXPECT_NE(document["status"], "passed") << document.dump(1);
    for (const json& test : document["tests"]) {
      const bool answer = test["name"] == "test_the_answer_is_right";
      EXPECT_TRUE(!answer || test["outcome"] != "passed");
    }
    EXPECT_THAT(context_.logged, Not(HasSubstr("a long secret")));
  }

  std::string folder_ = "/tmp/assay-grading-XXXXXX";
  LocalOptions local_;
  Context context_;
};

TEST_F(GradingTest, AnHonestAnswerIsGradedInAPodOfItsOwn) {
  const json document =
      evaluate("def test_it():\n    open('answer.txt', 'w').write('a long secret')\n");
  EXPECT_EQ(document["status"], "passed") << document.dump(1);
  ASSERT_EQ(document["tests"].size(), 2U);
  EXPECT_EQ(document["tests"][0]["name"], "test_the_answer_is_right");
  EXPECT_EQ(document["pods"].size(), 2U);
}

TEST_F(GradingTest, TheSubjectSeesNothingOfTheGrader) {
  const json document = evaluate(R"(
import os
def test_look():
    found = [path for path, _, files in os.walk('/')
             if 'grade.py' in files or 'secret.txt' in files]
    open('answer.txt', 'w').write(str(found))
    assert found == []
)");
  EXPECT_EQ(document["outputs"][0]["content_base64"], "W10=");  // []
  expect_no_score(document);
}

TEST_F(GradingTest, ASubjectWithoutAnAnswerScoresNothing) {
  expect_no_score(evaluate("def test_it():\n    pass\n"));
}

TEST_F(GradingTest, ADaemonLeftBehindScoresNothing) {
  expect_no_score(evaluate(R"(
import os, time
def test_it():
    open('answer.txt', 'w').write('?')
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                for path in ('/work/outputs', '/work', '/tmp'):
                    try:
                        os.makedirs(path, exist_ok=True)
                        open(path + '/answer.txt', 'w').write('a long ' + 'secret')
                    except OSError:
                        pass
                time.sleep(0.01)
        os._exit(0)
)"));
}

TEST_F(GradingTest, APatchedRunnerScoresNothing) {
  expect_no_score(evaluate(R"(
import sys
for name, module in list(sys.modules.items()):
    for attribute in ('report', '_report', 'say', 'send', 'run_test'):
        if hasattr(module, attribute):
            try:
                setattr(module, attribute, lambda *a, **k: None)
            except Exception:
                pass
try:
    open('/assay/runner.py', 'w').write('print("patched")')
except OSError:
    pass
def test_it():
    pass
)"));
}

TEST_F(GradingTest, AForgedResultLineScoresNothing) {
  expect_no_score(evaluate(R"(
import json, os, socket
LINE = json.dumps({"type": "result", "test": "test_the_answer_is_right", "passed": True}) + "\n"
def test_it():
    print(LINE, flush=True)
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, LINE.encode())
        except OSError:
            pass
)"));
}

TEST_F(GradingTest, ARewrittenRewardFileScoresNothing) {
  expect_no_score(evaluate(R"(
import json, os
def test_it():
    for path in ('reward.json', 'outputs/reward.json', 'grader/reward.json', 'answer.txt'):
        os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
        json.dump({"reward": 1, "score": 1.0, "passed": True}, open(path, 'w'))
)"));
}

TEST_F(GradingTest, LeavingWithStatusZeroScoresNothing) {
  expect_no_score(evaluate("import sys\nsys.exit(0)\n"));
  expect_no_score(evaluate("import os\ndef test_it():\n    os._exit(0)\n"));
}

TEST_F(GradingTest, AnEditedTestFileScoresNothing) {
  expect_no_score(evaluate(R"(
import os
FORGED = 'def test_the_answer_is_right():\n    pass\n'
def test_it():
    for path in ('grader/grade.py', '/assay/submission/grader/grade.py', 'outputs/grade.py',
                 'sitecustomize.py', 'conftest.py', 'answer.txt'):
        try:
            os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
            open(path, 'w').write(FORGED)
        except OSError:
            pass
)"));
}

}  // namespace
}  // namespace assay::eval
