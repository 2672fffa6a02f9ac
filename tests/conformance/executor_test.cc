// One suite for every executor: pods run, are observed, are bounded, and leave nothing. The
// subjects here are hostile.
#include "workers/eval/executor/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "workers/eval/executor/local/local_executor.h"
#include "workers/eval/executor/local/process_tree.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name << " is set by CTest";
  return value == nullptr ? "" : value;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What a pod said, until its end.
struct Story {
  std::vector<json> lines;
  std::string log;
  std::vector<SubjectEnded> subjects;
  PodEnded end;

  json result(const std::string& test) const {
    for (const json& line : lines) {
      if (line["event"] == "result" && line["test"] == test) return line;
    }
    return nullptr;
  }
  std::string outcome(const std::string& test) const {
    const json found = result(test);
    return found.is_null() ? "none" : found["outcome"].get<std::string>();
  }
  std::string finished() const {
    for (const json& line : lines) {
      if (line["event"] == "finished") return line["reason"];
    }
    return "not finished";
  }
};

class ExecutorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/assay-executor-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;  // 0700, as a home directory may be
    options_.data_folder = folder_;
    options_.harness = environment("ASSAY_BIN") + "/assay-harness";
    options_.runner =
        read_file(environment("ASSAY_SOURCE") + "/tests/conformance/stand_in_runner.py");
    executor_ = std::make_unique<LocalExecutor>(options_);
    const Status status = executor_->check();
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  void TearDown() override {
    executor_.reset();
    EXPECT_THAT(left_in(folder_ + "/pods"), IsEmpty());
    fs::remove_all(folder_);
  }
  static std::vector<std::string> left_in(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path());
    return out;
  }

  PodSpec spec(const std::map<std::string, std::string>& tests) {
    PodSpec out;
    out.name = "pod-1";
    out.number = 7;
    out.files = std::make_shared<const std::vector<EvaluationFile>>(files_);
    out.plan.job = json({{"mode", "script"}, {"config", tests}}).dump();
    out.plan.test_timeout = milliseconds(10'000);
    out.plan.deadline = milliseconds(20'000);
    return out;
  }
  // Runs the pod to its end, and checks what must be true of every pod.
  Story run(PodSpec pod, const std::function<void(Pod&, const PodEvent&)>& on_event = {}) {
    PodEvents events;
    Story story;
    auto launched = executor_->launch(std::move(pod), events);
    EXPECT_TRUE(launched.is_ok());
    bool ended = false;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    while (!ended && std::chrono::steady_clock::now() < deadline) {
      for (const PodEvent& event : events.wait(milliseconds(100))) {
        EXPECT_EQ(event.pod, 7U);
        EXPECT_FALSE(ended) << "something came after the end";
        if (on_event) on_event(**launched, event);
        add(story, event, ended);
      }
    }
    EXPECT_TRUE(ended);
    EXPECT_THAT(left_in(executor_folder()), IsEmpty());
    // Orphans become children of this process, so whatever is left of the pod is below it.
    EXPECT_EQ(measure_tree(getpid()).processes, 1U);
    return story;
  }
  static void add(Story& story, const PodEvent& event, bool& ended) {
    if (const auto* line = std::get_if<HarnessLine>(&event.what)) {
      story.lines.push_back(json::parse(line->line));
    } else if (const auto* log = std::get_if<SubjectLog>(&event.what)) {
      story.log += log->bytes;
    } else if (const auto* subject = std::get_if<SubjectEnded>(&event.what)) {
      story.subjects.push_back(*subject);
    } else {
      story.end = std::get<PodEnded>(event.what);
      ended = true;
    }
  }
  std::string executor_folder() const { return executor_->pods_folder(); }

  std::string folder_;
  LocalOptions options_;
  std::vector<EvaluationFile> files_;
  std::unique_ptr<LocalExecutor> executor_;
};

TEST_F(ExecutorTest, APodRunsItsTestsAndItsEndIsTheLastThingItSays) {
  const Story story = run(spec({{"a", "print('hello')"}, {"b", "raise ValueError('no')"}}));
  EXPECT_TRUE(story.end.failure.is_ok()) << story.end.failure.to_string();
  EXPECT_EQ(story.outcome("a"), "passed");
  EXPECT_EQ(story.outcome("b"), "crashed");
  EXPECT_EQ(story.finished(), "done");
  EXPECT_EQ(story.end.starts, 1U);
  EXPECT_EQ(story.log, "hello\nValueError('no')\n");
  EXPECT_EQ(story.end.log, story.log);
  ASSERT_EQ(story.subjects.size(), 1U);
  EXPECT_EQ(story.subjects[0].exit_code, 0);
  EXPECT_GT(story.end.usage.cpu_seconds, 0);
  EXPECT_GT(story.end.usage.wall_seconds, 0);
}

TEST_F(ExecutorTest, TheSubmissionIsAtHandAndWorkIsACopyThatMayBeWritten) {
  files_ = {{"data/cases.txt", "one"}, {"my_eval.py", "x"}};
  const Story story = run(spec({{"read", R"(
assert open('data/cases.txt').read() == 'one'
assert open('/assay/submission/data/cases.txt').read() == 'one'
open('data/new.txt', 'w').write('two')
)"},
                                {"write", "open('/assay/submission/x', 'w')"}}));
  EXPECT_EQ(story.outcome("read"), "passed") << story.log;
  EXPECT_THAT(story.log, HasSubstr("Read-only file system"));
}

TEST_F(ExecutorTest, NothingOfTheSubmissionRunsBeforeTheRunner) {
  const char* forgery = "raise SystemExit('the submission was here first')";
  for (int minor = 8; minor < 20; ++minor) {
    const std::string site = ".local/lib/python3." + std::to_string(minor) + "/site-packages/";
    files_.push_back({site + "usercustomize.py", forgery});
    files_.push_back({site + "x.pth", "import os; os.write(1, b'forged\\n'); os._exit(0)\n"});
  }
  // Nor do its files stand before the runner's own imports.
  for (const char* name : {"json.py", "selectors.py", "socket.py", "sitecustomize.py"}) {
    files_.push_back({name, forgery});
  }
  const Story story = run(spec({{"a", "print('honest')"}}));
  EXPECT_EQ(story.outcome("a"), "passed");
  EXPECT_EQ(story.log, "honest\n");
}

TEST_F(ExecutorTest, NoOtherUserOfTheMachineGetsIntoThePods) {
  struct stat about {};
  ASSERT_EQ(stat(executor_folder().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
}

TEST_F(ExecutorTest, TheSubjectSeesNothingOfTheMachine) {
  setenv("ASSAY_SECRET_FOR_TEST", "hush", 1);
  const Story story = run(spec({{"look", R"(
import os, socket
assert os.getuid() == 1000 and 'ASSAY_SECRET_FOR_TEST' not in os.environ
assert sorted(os.environ) == sorted(['PATH', 'HOME', 'LANG', 'TZ', 'PWD', 'PYTHONHASHSEED',
    'PYTHONDONTWRITEBYTECODE', 'PYTHONNOUSERSITE'] +
    [k for k in ('OLDPWD', 'LC_CTYPE', '_') if k in os.environ]), os.environ
for name in ('/home', '/root', '/var', '/sys', '/mnt', '/etc/shadow', '/etc/hostname', '/boot'):
    assert not os.path.exists(name), name
assert socket.gethostname() == 'assay' and os.getcwd() == '/work'
assert [i[1] for i in socket.if_nameindex()] == ['lo']
pids = [int(p) for p in os.listdir('/proc') if p.isdigit()]
assert len(pids) < 6, pids
for pid in pids:
    line = open('/proc/%d/cmdline' % pid).read()
    assert 'assay-executor' not in line, line
status = open('/proc/self/status').read()
assert 'CapEff:\t0000000000000000' in status and 'NoNewPrivs:\t1' in status
files = ['/proc/self/fd/' + f for f in os.listdir('/proc/self/fd')]
assert len(files) < 8, [os.readlink(f) for f in files if os.path.exists(f)]
)"},
                                {"net", R"(
import socket
try:
    socket.create_connection(('1.1.1.1', 53), timeout=1)
    raise SystemExit('there is a network')
except OSError:
    pass
)"},
                                {"nest", R"(
import subprocess
assert subprocess.run(['unshare', '-U', 'true'], stderr=subprocess.DEVNULL).returncode != 0
)"},
                                {"root", R"(
for path in ('/x', '/dev/x', '/usr/x', '/etc/x', '/assay/x'):
    try:
        open(path, 'w')
    except OSError:
        continue
    raise SystemExit(path)
)"}}));
  unsetenv("ASSAY_SECRET_FOR_TEST");
  for (const char* test : {"look", "net", "nest", "root"}) {
    EXPECT_EQ(story.outcome(test), "passed") << test << ": " << story.log;
  }
}

TEST_F(ExecutorTest, AForkBombIsContainedAndEndsWithItsTime) {
  PodSpec pod = spec({{"bomb", R"(
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
)"}});
  pod.plan.test_timeout = milliseconds(1'000);
  pod.plan.kill_grace = milliseconds(300);
  pod.limits.processes = 64;
  const Story story = run(std::move(pod));
  EXPECT_EQ(story.outcome("bomb"), "timeout");
  EXPECT_TRUE(story.end.failure.is_ok()) << story.end.failure.to_string();
}

TEST_F(ExecutorTest, OneProcessThatTakesTooMuchMemoryIsRefusedIt) {
  PodSpec pod = spec({{"hog", "x = bytearray(400 << 20)"}, {"next", "pass"}});
  pod.limits.memory_bytes = 200 << 20;
  const Story story = run(std::move(pod));
  EXPECT_THAT(story.log, HasSubstr("MemoryError"));
  EXPECT_EQ(story.outcome("next"), "passed");
}

TEST_F(ExecutorTest, ManyProcessesThatTakeTooMuchMemoryTogetherAreEnded) {
  PodSpec pod = spec({{"hogs", R"(
import os, time
for i in range(8):
    if os.fork() == 0:
        x = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(60)
time.sleep(60)
)"},
                      {"next", "pass"}});
  pod.limits.memory_bytes = 200 << 20;
  const Story story = run(std::move(pod));
  ASSERT_EQ(story.subjects.size(), 2U);
  EXPECT_EQ(story.subjects[0].limit, "memory");
  EXPECT_EQ(story.outcome("hogs"), "crashed");
  EXPECT_EQ(story.result("hogs")["lost"], true);
  EXPECT_EQ(story.outcome("next"), "passed") << "the rest runs in a new sandbox";
  EXPECT_EQ(story.end.starts, 2U);
  EXPECT_GT(story.end.usage.memory_bytes_peak, 200U << 20);
}

TEST_F(ExecutorTest, EveryPlaceThatCanBeWrittenHasASize) {
  PodSpec pod = spec({{"fill", R"(
import errno
def fill(path):
    try:
        with open(path, 'wb', buffering=0) as file:
            for i in range(64):
                file.write(bytes(1 << 20))
    except OSError as error:
        assert error.errno in (errno.ENOSPC, errno.EFBIG), error
        return
    raise SystemExit(path + ' has no end')
for path in ('/work/x', '/tmp/x', '/dev/shm/x'):
    fill(path)
)"},
                      {"file", R"(
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
open('/work/y', 'wb').write(bytes(12 << 20))
)"}});
  pod.limits.work_bytes = pod.limits.tmp_bytes = pod.limits.shm_bytes = 16 << 20;
  pod.limits.file_bytes = 20 << 20;
  const Story story = run(std::move(pod));
  EXPECT_EQ(story.outcome("fill"), "passed") << story.log;
}

TEST_F(ExecutorTest, AFloodOfOutputIsCutInTheMiddle) {
  PodSpec pod = spec({{"flood", R"(
import os
os.write(1, b'first line\n')
line = b'x' * 65535 + b'\n'
for i in range(16384):
    os.write(1, line)
os.write(1, b'last line\n')
)"}});
  pod.limits.log_bytes = 100'000;
  const Story story = run(std::move(pod));
  EXPECT_EQ(story.outcome("flood"), "passed");
  EXPECT_LE(story.end.log.size(), 100'100U);
  EXPECT_LE(story.log.size(), 1'000'000U);
  EXPECT_THAT(story.end.log, HasSubstr("first line\n"));
  EXPECT_THAT(story.end.log, HasSubstr("... 1.1 GB skipped ...\n"));
  EXPECT_THAT(story.end.log, HasSubstr("last line\n"));
  EXPECT_THAT(story.log, HasSubstr("skipped"));
}

TEST_F(ExecutorTest, ADaemonDoesNotSurviveItsSandbox) {
  const Story story = run(spec({{"daemon", R"(
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv('/usr/bin/sleep', ['sleep', '987654'])
    os._exit(0)
time.sleep(0.2)
)"}}));
  EXPECT_EQ(story.outcome("daemon"), "passed");
}

TEST_F(ExecutorTest, KillingEverybodyKillsOnlyTheSubject) {
  const Story story = run(spec({{"kill", "import os; os.kill(-1, 9)"}, {"next", "pass"}}));
  EXPECT_EQ(story.outcome("kill"), "crashed");
  EXPECT_EQ(story.outcome("next"), "passed");
  EXPECT_EQ(story.end.starts, 2U);
}

TEST_F(ExecutorTest, ASubjectThatSpeaksNonsenseIsReplacedAndItsTestHasCrashed) {
  const Story story =
      run(spec({{"nonsense", "#here\nsay(type='result', test='next', passed=True)\nsay(type=5)"},
                {"next", "pass"}}));
  EXPECT_EQ(story.outcome("nonsense"), "crashed");
  EXPECT_EQ(story.outcome("next"), "passed");
}

TEST_F(ExecutorTest, ASubjectThatKeepsDyingIsGivenUpAndThePodEnds) {
  std::map<std::string, std::string> tests;
  for (int i = 0; i < 6; ++i) tests["t" + std::to_string(i)] = "#here\nimport os; os._exit(3)";
  PodSpec pod = spec(tests);
  pod.plan.restarts_max = 2;
  const Story story = run(std::move(pod));
  EXPECT_EQ(story.finished(), "gave_up");
  EXPECT_EQ(story.end.starts, 3U);
  EXPECT_EQ(story.lines.back()["not_run"].size(), 3U);
}

TEST_F(ExecutorTest, ASubjectThatCannotBeLoadedEndsThePod) {
  const Story story = run(spec({{"load", "import os; print('dying', flush=True); os._exit(1)"}}));
  EXPECT_EQ(story.finished(), "load_failed");
  EXPECT_EQ(story.log, "dying\n");
  EXPECT_EQ(story.end.starts, 1U);
}

TEST_F(ExecutorTest, APodThatIsStoppedEndsAtOnceAndIsGone) {
  const auto begin = std::chrono::steady_clock::now();
  const Story story = run(spec({{"long", "import time; print('up', flush=True); time.sleep(60)"}}),
                          [](Pod& pod, const PodEvent& event) {
                            if (std::holds_alternative<SubjectLog>(event.what)) pod.stop();
                          });
  EXPECT_EQ(story.outcome("long"), "none");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_EQ(story.subjects.size(), 1U);
  EXPECT_TRUE(story.subjects[0].stopped);
}

TEST_F(ExecutorTest, DeclaredOutputsAreBroughtOut) {
  PodSpec pod = spec({{"write", "open('report.json', 'w').write('{}')"}});
  pod.plan.outputs = {"report.json"};
  const Story story = run(std::move(pod));
  const auto found = std::find_if(story.lines.begin(), story.lines.end(),
                                  [](const json& line) { return line["event"] == "output"; });
  ASSERT_NE(found, story.lines.end());
  EXPECT_EQ((*found)["content_base64"], "e30=");
}

TEST_F(ExecutorTest, CpuTimeBeyondItsLimitEndsTheSubject) {
  PodSpec pod = spec({{"spin", "while True: pass"}});
  pod.limits.cpu_seconds = 1;
  const Story story = run(std::move(pod));
  ASSERT_GE(story.subjects.size(), 1U);
  EXPECT_EQ(story.subjects[0].limit, "cpu");
  EXPECT_EQ(story.outcome("spin"), "crashed");
  EXPECT_NEAR(story.end.usage.cpu_seconds, 1.0, 0.5);
}

TEST_F(ExecutorTest, ARunnerThatNeverArrivesIsAFailureOfThePodNotOfTheSubject) {
  options_.runner = "import sys; print('broken runner'); sys.exit(4)";
  executor_ = std::make_unique<LocalExecutor>(options_);
  ASSERT_TRUE(executor_->check().is_ok());
  const Story story = run(spec({{"a", "pass"}}));
  EXPECT_EQ(story.end.failure.code(), Code::kRetryLater);
  EXPECT_THAT(story.end.failure.message(), HasSubstr("broken runner"));
  EXPECT_EQ(story.end.starts, 2U);
}

// As root pods run under user ids of their own, and what one worker's pods use up is not another's.
TEST_F(ExecutorTest, TwoWorkersOfOneMachineRunTheirPodsUnderDifferentUsers) {
  if (geteuid() != 0)
    return;  // then both run as their own user, and the count is taken by namespace
  ASSERT_TRUE(executor_->check().is_ok());
  LocalExecutor second(options_);
  ASSERT_TRUE(second.check().is_ok());
  EXPECT_NE(executor_->user_base(), second.user_base());
}

TEST_F(ExecutorTest, WithoutBubblewrapNothingIsRunAndItSaysWhatToInstall) {
  options_.bubblewrap = "bwrap-that-is-not-there";
  LocalExecutor executor(options_);
  const Status status = executor.check();
  EXPECT_EQ(status.reason(), "sandbox_unavailable");
  EXPECT_THAT(status.message(), HasSubstr("apt-get install bubblewrap"));
  PodEvents events;
  EXPECT_FALSE(executor.launch(spec({}), events).is_ok());
}

TEST_F(ExecutorTest, AMachineWithoutUserNamespacesIsToldWhatToAllow) {
  // Where any user may execute it, and where no pod's folder is shown instead.
  char place[] = "/var/tmp/assay-bwrap-XXXXXX";
  ASSERT_NE(mkdtemp(place), nullptr);
  fs::permissions(place, fs::perms(0755));
  const std::string fake = std::string(place) + "/bwrap";
  std::ofstream(fake)
      << "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n";
  fs::permissions(fake, fs::perms(0755));
  options_.bubblewrap = fake;
  LocalExecutor executor(options_);
  const Status status = executor.check();
  fs::remove_all(place);
  EXPECT_EQ(status.reason(), "sandbox_unavailable");
  EXPECT_THAT(status.message(), HasSubstr("No permissions to create new namespace"));
  EXPECT_THAT(status.message(), HasSubstr("sysctl"));
}

TEST_F(ExecutorTest, WhatAnEarlierWorkerLeftIsRemovedAndALivingOnesIsNot) {
  const std::string pods = folder_ + "/pods/";
  fs::create_directories(pods + "1/pod-x/assay");
  std::ofstream(pods + "1.lock") << "";
  const pid_t left = fork();
  if (left == 0) {
    execl("/usr/bin/sleep", "assay-sandbox-1", "60", nullptr);
    _exit(127);
  }
  while (read_file("/proc/" + std::to_string(left) + "/cmdline").find("assay-sandbox-1") != 0) {
    usleep(1000);
  }
  LocalExecutor second(options_);
  ASSERT_TRUE(second.check().is_ok());
  EXPECT_EQ(second.removed(), 1U);
  int status = 0;
  EXPECT_EQ(waitpid(left, &status, 0), left);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(pods + "1"));
  EXPECT_FALSE(fs::exists(pods + "1.lock"));
  EXPECT_TRUE(fs::exists(executor_folder()));
}

}  // namespace
}  // namespace assay::eval
