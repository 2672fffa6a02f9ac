// The `assay` command against a real broker and a scripted worker: what scripts rest on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/worker.h"
#include "tests/support/broker_process.h"
#include "tests/support/process.h"

namespace assay {
namespace {

using nlohmann::json;
using support::BrokerProcess;
using support::Process;
using support::program;
using support::read_file;
using testing::HasSubstr;

// Works on the queues `echo` and `eval` in this process. A task whose body holds "wait" is held
// until release() or its cancellation; one that holds "fail" fails.
class ScriptedWorker {
 public:
  explicit ScriptedWorker(const std::string& endpoint)
      : worker_({.endpoint = endpoint,
                 .name = "scripted",
                 .queues = {QueueName("echo"), QueueName("eval")},
                 .slots = 4},
                [this](const TaskAssignment& task, TaskContext& context) {
                  return task.queue == QueueName("eval") ? evaluate(task, context)
                                                         : echo(task, context);
                }),
        thread_([this] { EXPECT_TRUE(worker_.run().is_ok()); }) {}

  ~ScriptedWorker() {
    release();
    worker_.request_stop();
    thread_.join();
  }

  void release() { released_ = true; }

 private:
  bool held(const TaskAssignment& task, TaskContext& context) {
    if (task.body.find("wait") == std::string::npos) return false;
    while (!released_ && !context.wait_cancelled(Duration(20))) {
    }
    return context.cancelled();
  }

  TaskOutcome echo(const TaskAssignment& task, TaskContext& context) {
    if (held(task, context)) return TaskOutcome::cancelled();
    if (task.body.find("fail") != std::string::npos) return TaskOutcome::failed("asked to fail");
    return TaskOutcome::done(task.body);
  }

  // Two tests, of which one fails and says so with escape sequences.
  TaskOutcome evaluate(const TaskAssignment& task, TaskContext& context) {
    context.log("log \x1b[31mline one\nline two");
    context.progress(1, 2, "1 failed; test 2 of 2: test_b\nfailed test_a: \x1b[2Jbecause");
    if (held(task, context)) return TaskOutcome::cancelled();
    return TaskOutcome::failed("1 of 2 tests failed", Cause::kTask, R"({"version": 1,
      "status": "failed", "reason": "1 of 2 tests failed", "name": "battery",
      "tests": [{"name": "test_a", "outcome": "failed", "reason": "\u001b[2Jbecause"},
                {"name": "test_b", "outcome": "passed"}],
      "counts": {"total": 2, "passed": 1, "failed": 1}, "log": "log line one\nline two\n"})");
  }

  std::atomic<bool> released_ = false;
  Worker worker_;
  std::thread thread_;
};

class CliTest : public testing::Test {
 protected:
  // A queue exists once its worker has joined.
  void SetUp() override {
    ASSERT_TRUE(support::eventually(
        [&] { return run({"workers"}).output.find("scripted") != std::string::npos; }));
  }

  struct Ended {
    int status = 0;
    std::string output;  // of both streams
  };

  Process start(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
    std::vector<std::string> command{program("assay"), "--broker", broker_.clients(), "--feed",
                                     broker_.feed()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return {command, log};
  }

  Ended run(const std::vector<std::string>& arguments) {
    const auto log = folder_.path() / ("output" + std::to_string(++runs_));
    Process process = start(arguments, log);
    const int status = process.wait();
    return {status, read_file(log)};
  }

  std::string file(const std::string& name, const std::string& content) {
    const auto path = folder_.path() / name;
    std::ofstream(path) << content;
    return path;
  }

  std::string submitted(const std::string& body) {
    const Ended ended = run({"submit", "--queue", "echo", "--body", file("body", body)});
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output.substr(0, 26);
  }

  // What the command `log` has written so far.
  std::string log_of(const std::string& name) { return read_file(folder_.path() / name); }

  support::TemporaryFolder folder_;
  BrokerProcess broker_{folder_.path()};
  ScriptedWorker worker_{broker_.workers()};
  int runs_ = 0;
};

TEST_F(CliTest, ATaskGoesRoundAndItsResultIsItsBytes) {
  const std::string id = submitted("hello\n");
  const Ended waited = run({"wait", id});
  EXPECT_EQ(waited.status, 0);
  EXPECT_EQ(waited.output, id + "  succeeded\n");
  EXPECT_EQ(run({"result", id}).output, "hello\n");
  EXPECT_EQ(run({"result", id, "--output", folder_.path() / "out"}).status, 0);
  EXPECT_EQ(log_of("out"), "hello\n");
  const json status = json::parse(run({"status", id.substr(0, 24), "--json"}).output);
  EXPECT_EQ(status["id"], id);
  EXPECT_EQ(status["attempts"][0]["worker"], "scripted");
}

TEST_F(CliTest, ExitStatusTellsHowItEnded) {
  const std::string good = submitted("good");
  const std::string bad = submitted("fail");
  EXPECT_EQ(run({"wait", good}).status, 0);
  EXPECT_EQ(run({"wait", good, bad}).status, 3);
  EXPECT_EQ(run({"result", bad}).status, 3);
  const std::string held = submitted("wait");
  EXPECT_EQ(run({"wait", held, "--timeout", "100ms"}).status, 4);
  EXPECT_EQ(run({"result", held}).status, 1);
  EXPECT_EQ(run({"cancel", held}).status, 0);
  EXPECT_EQ(run({"wait", held}).status, 4);
  EXPECT_EQ(run({"status", "01ZZZZ"}).status, 1);
  EXPECT_EQ(run({"submit", "--queue", "no such/name"}).status, 2);
}

TEST_F(CliTest, AMissingBrokerIsSaidWithWhatToDo) {
  const auto began = std::chrono::steady_clock::now();
  const Ended ended = run({"queues", "--broker", "tcp://127.0.0.1:1"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr("assay: no broker answers at tcp://127.0.0.1:1. Start one"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
}

TEST_F(CliTest, AnEvaluationIsFollowedInPlainLinesAndItsResultPrinted) {
  const Ended ended =
      run({"eval", file("battery.py", "def test_a():\n    pass\n"), "--name", "battery"});
  EXPECT_EQ(ended.status, 3) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("\nfailed test_a: because\n"));
  EXPECT_THAT(ended.output, HasSubstr("\nbattery  failed  1 passed, 1 failed\n"));
  EXPECT_THAT(ended.output, HasSubstr("  failed     test_a  because\n"));
  EXPECT_EQ(ended.output.find_first_of("\x1b\r\x07"), std::string::npos) << ended.output;
  const Ended as_json = run({"eval", folder_.path() / "battery.py", "--json"});
  EXPECT_EQ(as_json.status, 3);
  EXPECT_EQ(json::parse(as_json.output)["result"]["counts"]["failed"], 1);
  EXPECT_EQ(run({"eval", folder_.path() / "none.py"}).status, 2);
}

TEST_F(CliTest, AnInterruptDetachesAndTheEvaluationGoesOn) {
  Process following = start({"eval", file("x.py", "def test_a():\n    pass\n"), "--name", "wait"},
                            folder_.path() / "followed");
  ASSERT_TRUE(support::eventually(
      [&] { return log_of("followed").find("failed test_a") != std::string::npos; }));
  following.signal(SIGINT);
  EXPECT_EQ(following.wait(), 1);
  const std::string output = log_of("followed");
  const std::string id = output.substr(0, 26);
  EXPECT_THAT(output, HasSubstr("Follow again with 'assay wait " + id));
  EXPECT_EQ(json::parse(run({"status", id, "--json"}).output)["state"], "running");
  worker_.release();
  EXPECT_EQ(run({"wait", id}).status, 3);
}

TEST_F(CliTest, FollowingSurvivesTheBrokersRestart) {
  Process following = start({"eval", file("x.py", "def test_a():\n    pass\n"), "--name", "wait"},
                            folder_.path() / "followed");
  ASSERT_TRUE(support::eventually(
      [&] { return log_of("followed").find("failed test_a") != std::string::npos; }));
  broker_.kill();
  broker_.start();
  worker_.release();
  EXPECT_EQ(following.wait(std::chrono::seconds(40)), 3);
  EXPECT_THAT(log_of("followed"), HasSubstr("battery  failed  1 passed, 1 failed\n"));
}

TEST_F(CliTest, LogsAreTheSameCommandBeforeDuringAndAfter) {
  const std::string detached =
      run({"eval", file("x.py", "def test_a():\n    pass\n"), "--name", "wait", "--detach"}).output;
  const std::string id = detached.substr(0, 26);
  Process following = start({"logs", "-f", id}, folder_.path() / "log");
  EXPECT_TRUE(
      support::eventually([&] { return log_of("log").find("line two") != std::string::npos; }));
  EXPECT_EQ(run({"logs", id}).output, "log line one\nline two\n");
  worker_.release();
  EXPECT_EQ(following.wait(), 0);
  EXPECT_THAT(log_of("log"), HasSubstr("log line one\nline two\n"));
  EXPECT_EQ(run({"logs", id}).output, "log line one\nline two\n");
  const std::string echo = submitted("no log");
  run({"wait", echo});
  EXPECT_EQ(run({"logs", echo}).output, "assay: this task left no log\n");
}

TEST_F(CliTest, WatchTellsEachEventAsALineOfJson) {
  Process watching = start({"watch", "echo", "--json"}, folder_.path() / "feed");
  // It has subscribed once it shows a task that was submitted after it began.
  ASSERT_TRUE(support::eventually([&] {
    submitted("x");
    return !log_of("feed").empty();
  }));
  const std::string id = submitted("fail");
  ASSERT_TRUE(support::eventually([&] {
    return log_of("feed").find(id + "\",\"attempt\":1,\"state\":\"failed\"") != std::string::npos;
  }));
  watching.signal(SIGTERM);
  EXPECT_EQ(watching.wait(), 0);
  std::ifstream feed(folder_.path() / "feed");
  for (std::string line; std::getline(feed, line);) {
    const json event = json::parse(line);
    EXPECT_EQ(event["queue"], "echo");
  }
}

TEST_F(CliTest, WatchSinceBeginsWithWhatHasHappened) {
  const std::string first = submitted("x");
  run({"wait", first});
  const std::string second = submitted("fail");
  run({"wait", second});
  for (const char* since : {"0", "1h"}) {
    const std::string file = std::string("since-") + since;
    Process watching = start({"watch", "echo", "--json", "--since", since}, folder_.path() / file);
    ASSERT_TRUE(support::eventually([&] {
      return log_of(file).find(second + "\",\"attempt\":1,\"state\":\"failed\"") !=
             std::string::npos;
    })) << since;
    EXPECT_THAT(log_of(file), HasSubstr(first + "\",\"attempt\":1,\"state\":\"succeeded\""));
    watching.signal(SIGTERM);
    EXPECT_EQ(watching.wait(), 0);
  }
  EXPECT_EQ(run({"watch", "--since", "yesterday"}).status, 2);
}

// `assay up` with programs of this build.
class UpTest : public testing::Test {
 protected:
  Process up(const std::string& port_base, const std::string& log) {
    return {{program("assay"), "up", "--json", "--port-base", port_base, "--dir",
             folder_.path() / "data"},
            folder_.path() / log};
  }

  // Waits for the line that says that it is ready.
  json ready(const std::string& log) {
    json form;
    EXPECT_TRUE(support::eventually(
        [&] {
          // Words for people may stand before it.
          const std::string text = read_file(folder_.path() / log);
          const std::size_t begin = std::min(text.find('{'), text.size());
          form = json::parse(text.substr(begin, text.find('\n', begin) - begin), nullptr, false);
          return form.is_object();
        },
        std::chrono::seconds(40)))
        << read_file(folder_.path() / log);
    return form;
  }

  int ask(const std::string& broker) {
    Process process({program("assay"), "queues", "--broker", broker}, folder_.path() / "queues");
    return process.wait();
  }

  support::TemporaryFolder folder_;
};

TEST_F(UpTest, ItRunsUntilItIsToldToStopAndRestartsABrokerThatDies) {
  Process running = up("0", "up");
  const json form = ready("up");
  const std::string broker = form["clients"];
  EXPECT_EQ(ask(broker), 0);
  Process schedules({program("assay"), "schedules", "--broker", broker},
                    folder_.path() / "schedules");
  EXPECT_EQ(schedules.wait(), 0);
  EXPECT_NE(read_file(folder_.path() / "schedules").find("nightly-cleanup"), std::string::npos);
  // The broker is the child whose command line names the address.
  std::ifstream children("/proc/" + std::to_string(running.id()) + "/task/" +
                         std::to_string(running.id()) + "/children");
  pid_t first = 0;
  ASSERT_TRUE(children >> first);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  EXPECT_TRUE(support::eventually([&] {
    return read_file(folder_.path() / "up").find("started again in") != std::string::npos;
  }));
  EXPECT_TRUE(support::eventually([&] { return ask(broker) == 0; })) << "at the same address";
  running.signal(SIGTERM);
  EXPECT_EQ(running.wait(std::chrono::seconds(50)), 0) << read_file(folder_.path() / "up");
  EXPECT_NE(::kill(first, 0), 0);
}

TEST_F(UpTest, SecureMeansThatItMakesKeysAndLetsInNobodyElse) {
  Process running({program("assay"), "up", "--secure", "--json", "--port-base", "0", "--dir",
                   folder_.path() / "data"},
                  folder_.path() / "up");
  const std::string broker = ready("up")["clients"];
  EXPECT_EQ(ask(broker), 2) << "without a key";
  const auto keys = folder_.path() / "data" / "keys";
  Process process({program("assay"), "workers", "--json", "--broker", broker, "--key",
                   keys / "operator.key", "--server-key", keys / "broker.pub"},
                  folder_.path() / "workers");
  EXPECT_EQ(process.wait(), 0);
  EXPECT_THAT(read_file(folder_.path() / "workers"), HasSubstr("\"queues\":[\"eval\"]"));
}

TEST_F(UpTest, OneDirectoryBelongsToOne) {
  Process running = up("0", "up");
  ready("up");
  Process second = up("0", "second");
  EXPECT_EQ(second.wait(), 1);
  EXPECT_THAT(read_file(folder_.path() / "second"), HasSubstr("another 'assay up' runs in"));
}

TEST_F(UpTest, APortInUseIsSaidSoAndEndsIt) {
  BrokerProcess other(folder_.path());
  const std::string port = other.clients().substr(other.clients().rfind(':') + 1);
  Process running = up(port, "up");
  EXPECT_EQ(running.wait(), 1);
  EXPECT_THAT(read_file(folder_.path() / "up"), HasSubstr("the address is in use"));
}

TEST_F(CliTest, ATaskThatComesAfterAnotherWaitsForItAndMayRunInSpiteOfIt) {
  const std::string first = submitted("wait");
  const auto after = [&](const std::string& choice) {
    return run({"submit", "--queue", "echo", "--after", first.substr(0, 25), "--on-failure", choice,
                "--max-attempts", "2", "--cost", "2"})
        .output.substr(0, 26);
  };
  const std::string cancelled = after("cancel");
  const std::string runs = after("run");
  const json status = json::parse(run({"status", runs, "--json"}).output);
  EXPECT_EQ(status["state"], "waiting");
  EXPECT_EQ(status["after"], json::array({first}));
  EXPECT_EQ(run({"cancel", first}).status, 0);
  EXPECT_EQ(run({"wait", cancelled}).status, 4);
  EXPECT_EQ(run({"wait", runs}).status, 0);
  EXPECT_THAT(run({"submit", "--queue", "echo", "--after", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}).output,
              HasSubstr("submit that first"));
}

TEST_F(CliTest, APipelineRunsWholeAndTheSameRunIsNoSecondOne) {
  const std::string pipeline =
      file("p.yaml",
           "steps:\n"
           "  bad: {task: {queue: echo, body: fail}}\n"
           "  good: {task: {queue: echo, json: {n: 1}}}\n"
           "  skipped: {task: {queue: echo}, after: [bad]}\n"
           "  last: {task: {queue: echo}, after: [bad, good], on_failure: run}\n");
  const std::string id = "01M89KF1DSY3R9EYV8FDYYPF5W";
  const Ended ended = run({"run", pipeline, "--run", id, "--json"});
  EXPECT_EQ(ended.status, 3) << ended.output;
  const json first = json::parse(ended.output);
  std::map<std::string, std::string> states;
  for (const json& step : first["steps"]) states[step["step"]] = step["result"]["state"];
  EXPECT_EQ(states, (std::map<std::string, std::string>{{"bad", "failed"},
                                                        {"good", "succeeded"},
                                                        {"skipped", "cancelled"},
                                                        {"last", "succeeded"}}));
  EXPECT_EQ(json::parse(run({"run", pipeline, "--run", id, "--json"}).output), first);
  EXPECT_EQ(json::parse(run({"list", "--json"}).output)["tasks"].size(), 4U);
  EXPECT_EQ(run({"run", file("q.yaml", "steps: {a: {eval: nothing.py}}")}).status, 2);
}

TEST_F(CliTest, ALoadReportsWhatBecameOfEveryTask) {
  const Ended ended = run(
      {"bench", "--rate", "200", "--duration", "500ms", "--workers", broker_.workers(), "--json"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  const json report = json::parse(ended.output);
  EXPECT_EQ(report["accepted"], 100);
  EXPECT_EQ(report["ended"], (json{{"succeeded", 100}}));
  const Ended refused =
      run({"bench", "--queue", "nobodys", "--rate", "100", "--duration", "100ms", "--json"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_EQ(json::parse(refused.output)["refused"], (json{{"unknown_queue", 10}}));
}

TEST_F(CliTest, APausedQueueKeepsItsTasksAndAPurgeIsConfirmed) {
  EXPECT_EQ(run({"pause", "echo"}).status, 0);
  EXPECT_THAT(run({"pause", "echo"}).output, HasSubstr("echo was paused before"));
  EXPECT_THAT(run({"queues"}).output, HasSubstr("paused"));
  const std::string purged = submitted("x");
  const json list = json::parse(
      run({"list", "--state", "queued", "--queue", "echo", "--since", "1h", "--json"}).output);
  EXPECT_EQ(list["complete"], true);
  ASSERT_EQ(list["tasks"].size(), 1U);
  EXPECT_EQ(list["tasks"][0]["id"], purged);
  EXPECT_THAT(run({"list"}).output, HasSubstr(purged + "  queued"));
  EXPECT_THAT(run({"list", "--owner", "nobody-else"}).output, HasSubstr("no task matches"));

  const Ended unasked = run({"purge", "echo"});
  EXPECT_EQ(unasked.status, 2);
  EXPECT_THAT(unasked.output, HasSubstr("--yes"));
  EXPECT_EQ(run({"purge", "echo", "--yes"}).output, "1 task was cancelled\n");
  EXPECT_EQ(run({"wait", purged}).status, 4);

  const std::string kept = submitted("y");
  EXPECT_EQ(json::parse(run({"resume", "echo", "--json"}).output)["affected"], 1);
  EXPECT_EQ(run({"wait", kept}).status, 0);
}

TEST_F(CliTest, WhatCannotBeOperatedOnIsNamed) {
  const Ended nowhere = run({"pause", "nowhere"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.output, HasSubstr("there is no queue 'nowhere'; 'assay queues'"));
  EXPECT_THAT(run({"drain", "nobody"}).output,
              HasSubstr("there is no worker 'nobody' here now; 'assay workers'"));
  EXPECT_EQ(run({"dead", "list"}).output, "no task matches\n");
  const std::string alive = submitted("wait");
  const Ended not_dead = run({"dead", "retry", alive});
  EXPECT_EQ(not_dead.status, 1);
  EXPECT_THAT(not_dead.output, HasSubstr("nothing was changed"));
  EXPECT_THAT(not_dead.output, HasSubstr("not dead"));
}

TEST_F(CliTest, ADrainedWorkerGetsNothingNew) {
  EXPECT_EQ(run({"drain", "scripted"}).status, 0);
  EXPECT_THAT(run({"workers"}).output, HasSubstr("draining"));
  EXPECT_EQ(run({"wait", submitted("x"), "--timeout", "200ms"}).status, 4);
}

TEST_F(CliTest, QueuesAndWorkersAreTables) {
  EXPECT_THAT(run({"queues"}).output, HasSubstr("QUEUE"));
  EXPECT_THAT(run({"workers"}).output, HasSubstr("scripted"));
  EXPECT_THAT(run({"workers"}).output, HasSubstr("echo,eval"));
}

}  // namespace
}  // namespace assay
