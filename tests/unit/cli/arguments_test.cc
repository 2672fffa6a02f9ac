// The command line: what is understood, and what is said about what is not.
#include "cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::cli {
namespace {

using testing::HasSubstr;

class Arguments : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("ASSAY_BROKER");
    unsetenv("ASSAY_FEED");
  }
};

Invocation understood(std::vector<std::string> arguments) {
  auto parsed = parse_arguments(std::move(arguments));
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    ADD_FAILURE() << answer->text;
    return {};
  }
  return std::get<Invocation>(parsed);
}

std::string refused(std::vector<std::string> arguments) {
  auto parsed = parse_arguments(std::move(arguments));
  const auto* answer = std::get_if<Answer>(&parsed);
  if (answer == nullptr) {
    ADD_FAILURE() << "it was accepted";
    return {};
  }
  EXPECT_EQ(answer->code, ExitCode::kUsage);
  return answer->text;
}

std::string answered(std::vector<std::string> arguments) {
  auto parsed = parse_arguments(std::move(arguments));
  const auto* answer = std::get_if<Answer>(&parsed);
  EXPECT_TRUE(answer != nullptr && answer->code == ExitCode::kOk);
  return answer == nullptr ? "" : answer->text;
}

TEST_F(Arguments, ARunTakesAPipelineAndItsVariables) {
  const Invocation line =
      understood({"run", "p.yaml", "--set", "a=1", "--set", "b=x=y", "--dry-run"});
  const auto& run = std::get<RunOptions>(line.command);
  EXPECT_EQ(run.file, "p.yaml");
  EXPECT_EQ(run.variables, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x=y"}}));
  EXPECT_TRUE(run.dry_run);
  EXPECT_THAT(refused({"run"}), HasSubstr("a FILE is needed"));
  EXPECT_THAT(refused({"run", "p.yaml", "--run", "7"}), HasSubstr("is no ULID"));
  EXPECT_THAT(refused({"run", "p.yaml", "--set", "a"}), HasSubstr("has not the form NAME=VALUE"));
}

TEST_F(Arguments, ALoadServesItsOwnQueueUnlessOneIsNamed) {
  const auto bench = [](std::vector<std::string> more) {
    more.insert(more.begin(), "bench");
    return std::get<BenchOptions>(understood(std::move(more)).command);
  };
  EXPECT_EQ(bench({}).queue, "bench");
  EXPECT_EQ(bench({"--broker", "tcp://h:70"}).workers, "tcp://h:71");
  EXPECT_EQ(bench({"--queue", "eval"}).workers, "");
  EXPECT_EQ(bench({"--rate", "0.5", "--duration", "5m"}).duration, Duration(300'000));
  EXPECT_THAT(refused({"bench", "--rate", "0"}), HasSubstr("--rate"));
}

TEST_F(Arguments, GlobalFlagsStandBeforeOrAfterTheCommand) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--broker", "tcp://h:1000", "--json", "queues"},
                                             {"queues", "--json", "--broker=tcp://h:1000"},
                                             {"--json", "queues", "--broker", "tcp://h:1000"}}) {
    const Invocation invocation = understood(arguments);
    EXPECT_EQ(invocation.global.broker, "tcp://h:1000");
    EXPECT_EQ(invocation.global.feed, "tcp://h:1002");
    EXPECT_TRUE(invocation.global.json);
    EXPECT_TRUE(std::holds_alternative<QueuesOptions>(invocation.command));
  }
}

TEST_F(Arguments, FlagsOverrideTheEnvironment) {
  setenv("ASSAY_BROKER", "tcp://env:7000", 1);
  setenv("ASSAY_FEED", "tcp://env:9", 1);
  EXPECT_EQ(understood({"queues"}).global.broker, "tcp://env:7000");
  EXPECT_EQ(understood({"queues"}).global.feed, "tcp://env:9");
  EXPECT_EQ(understood({"queues", "--broker", "tcp://h:1"}).global.broker, "tcp://h:1");
  EXPECT_EQ(understood({"queues", "--feed", "tcp://h:2"}).global.feed, "tcp://h:2");
}

TEST_F(Arguments, TheFeedIsTwoPortsAboveTheBroker) {
  EXPECT_EQ(default_feed("tcp://127.0.0.1:5555"), "tcp://127.0.0.1:5557");
  EXPECT_EQ(default_feed("tcp://[::1]:80"), "tcp://[::1]:82");
  EXPECT_EQ(default_feed("tcp://host"), std::nullopt);
  EXPECT_EQ(default_feed("host:5555"), std::nullopt);
  EXPECT_EQ(default_feed("tcp://host:55x"), std::nullopt);
  EXPECT_EQ(default_feed("tcp://host:65535"), std::nullopt);
  EXPECT_THAT(refused({"--broker", "localhost:5555", "queues"}), HasSubstr("tcp://127.0.0.1:5555"));
}

TEST_F(Arguments, AnEvaluationTakesAllItsOptions) {
  const Invocation invocation = understood({"eval",
                                            "battery.py",
                                            "--name",
                                            "n",
                                            "--tests",
                                            "12",
                                            "--timeout",
                                            "10m",
                                            "--test-timeout",
                                            "30s",
                                            "--danger",
                                            "9",
                                            "--isolated",
                                            "--endpoint",
                                            "e",
                                            "--model",
                                            "m",
                                            "--pods-max",
                                            "3",
                                            "--owner",
                                            "alice",
                                            "--priority",
                                            "7",
                                            "--label",
                                            "a=b",
                                            "--label",
                                            "c=d=e",
                                            "--output",
                                            "x.json",
                                            "--detach",
                                            "--pass-threshold",
                                            "0.8",
                                            "--",
                                            "--flag",
                                            "queues"});
  const auto& eval = std::get<EvalOptions>(invocation.command);
  EXPECT_EQ(eval.file, "battery.py");
  EXPECT_EQ(eval.tests, 12U);
  EXPECT_EQ(eval.timeout, Duration(600'000));
  EXPECT_EQ(eval.test_timeout, Duration(30'000));
  EXPECT_EQ(eval.danger, 9);
  EXPECT_TRUE(eval.isolated);
  EXPECT_EQ(eval.pods_max, 3U);
  EXPECT_EQ(eval.priority, 7);
  EXPECT_EQ(eval.pass_threshold, 0.8);
  EXPECT_EQ(eval.labels, (std::map<std::string, std::string>{{"a", "b"}, {"c", "d=e"}}));
  EXPECT_EQ(eval.outputs, std::vector<std::string>{"x.json"});
  EXPECT_TRUE(eval.detach);
  EXPECT_EQ(eval.arguments, (std::vector<std::string>{"--flag", "queues"}));
}

TEST_F(Arguments, ATaskTakesItsDependenciesTimesAndNeeds) {
  const Invocation invocation = understood({"submit",
                                            "--queue",
                                            "q",
                                            "--after",
                                            "01AA",
                                            "--after",
                                            "01BB",
                                            "--on-failure",
                                            "run",
                                            "--not-before",
                                            "2026-07-01T12:30:05Z",
                                            "--deadline",
                                            "1h",
                                            "--timeout",
                                            "90s",
                                            "--max-attempts",
                                            "3",
                                            "--cost",
                                            "4",
                                            "--require",
                                            "gpu=a100",
                                            "--require",
                                            "region=eu"});
  const auto& submit = std::get<SubmitOptions>(invocation.command);
  EXPECT_EQ(submit.after, (std::vector<std::string>{"01AA", "01BB"}));
  EXPECT_EQ(submit.on_failure, OnFailure::kRun);
  EXPECT_EQ(submit.not_before, Time(Duration(1'782'909'005'000)));
  EXPECT_GT(
      submit.deadline,
      Time(std::chrono::floor<Duration>(std::chrono::system_clock::now().time_since_epoch())));
  EXPECT_EQ(submit.timeout, Duration(90'000));
  EXPECT_EQ(submit.max_attempts, 3U);
  EXPECT_EQ(submit.cost, 4U);
  EXPECT_EQ(submit.require,
            (std::map<std::string, std::string>{{"gpu", "a100"}, {"region", "eu"}}));
}

TEST_F(Arguments, AListIsNarrowedByItsFlags) {
  const Invocation invocation =
      understood({"list", "--state", "dead", "--state", "failed", "--queue", "q", "--owner", "me",
                  "--since", "1h", "--limit", "7"});
  const auto& list = std::get<ListOptions>(invocation.command);
  EXPECT_EQ(list.states, (std::vector<TaskState>{TaskState::kDead, TaskState::kFailed}));
  EXPECT_EQ(list.queue, "q");
  EXPECT_EQ(list.owner, "me");
  EXPECT_EQ(list.since, Duration(3'600'000));
  EXPECT_EQ(list.limit, 7U);
  EXPECT_TRUE(std::get<ListOptions>(understood({"list"}).command).states.empty());
  EXPECT_THAT(refused({"list", "--state", "lost"}), HasSubstr("'lost' is no state; expected wait"));
  EXPECT_THAT(refused({"list", "--limit", "1001"}), HasSubstr("--limit"));
}

TEST_F(Arguments, OperationsNameWhatTheyAreFor) {
  EXPECT_EQ(std::get<PauseOptions>(understood({"pause", "eval"}).command).queue, "eval");
  EXPECT_EQ(std::get<ResumeOptions>(understood({"resume", "eval"}).command).queue, "eval");
  EXPECT_EQ(std::get<DrainOptions>(understood({"drain", "w"}).command).worker, "w");
  EXPECT_FALSE(std::get<PurgeOptions>(understood({"purge", "eval"}).command).yes);
  EXPECT_TRUE(std::get<PurgeOptions>(understood({"purge", "eval", "--yes"}).command).yes);
  const auto dead = std::get<DeadOptions>(understood({"dead", "retry", "01AA", "01BB"}).command);
  EXPECT_EQ(dead.action, "retry");
  EXPECT_EQ(dead.ids, (std::vector<std::string>{"01AA", "01BB"}));
  EXPECT_THAT(refused({"pause"}), HasSubstr("a QUEUE is needed; 'assay queues'"));
  EXPECT_THAT(refused({"purge", "--yes"}), HasSubstr("a QUEUE is needed"));
  EXPECT_THAT(refused({"drain"}), HasSubstr("a WORKER is needed; 'assay workers'"));
  EXPECT_THAT(refused({"dead"}), HasSubstr("list, retry or drop is needed"));
  EXPECT_THAT(refused({"dead", "bury", "01AA"}), HasSubstr("bury"));
  EXPECT_THAT(refused({"dead", "drop"}), HasSubstr("at least one task's ID"));
  EXPECT_THAT(refused({"dead", "list", "01AA"}), HasSubstr("takes no IDs"));
}

TEST_F(Arguments, AFlagDoesNotSwallowWhatFollowsItsValue) {
  const auto invocation = understood({"eval", "--label", "a=b", "--output", "o", "file.py"});
  EXPECT_EQ(std::get<EvalOptions>(invocation.command).file, "file.py");
}

TEST_F(Arguments, ACommandsNameMayBeAnArgument) {
  EXPECT_EQ(std::get<WatchOptions>(understood({"watch", "eval"}).command).topic, "eval");
  EXPECT_EQ(std::get<SubmitOptions>(understood({"submit", "--queue", "eval"}).command).queue,
            "eval");
}

TEST_F(Arguments, UnknownCommandsAndFlagsAreAnsweredWithASuggestion) {
  EXPECT_THAT(refused({"evla", "x.py"}), HasSubstr("unknown command 'evla'; did you mean 'eval'?"));
  EXPECT_THAT(refused({"stat"}), HasSubstr("did you mean 'status'?"));
  EXPECT_THAT(refused({"frobnicate"}), HasSubstr("unknown command 'frobnicate'; see"));
  EXPECT_THAT(refused({"eval", "x.py", "--tset", "5"}),
              HasSubstr("unknown flag '--tset'; did you mean '--tests'?"));
  EXPECT_THAT(refused({"eval", "x.py", "--timout=5s"}), HasSubstr("did you mean '--timeout'?"));
  EXPECT_THAT(refused({"--jsno", "queues"}), HasSubstr("did you mean '--json'?"));
}

TEST_F(Arguments, MistakesNameTheFlagAndWhatIsExpected) {
  EXPECT_THAT(refused({}), HasSubstr("no command given"));
  EXPECT_THAT(refused({"eval"}), HasSubstr("FILE"));
  EXPECT_THAT(refused({"eval", "a.py", "--image", "i"}), HasSubstr("not both"));
  EXPECT_THAT(refused({"eval", "a.py", "b.py"}), HasSubstr("'b.py' is one argument too many"));
  EXPECT_THAT(refused({"eval", "a.py", "--timeout", "soon"}), HasSubstr("'soon' is no duration"));
  EXPECT_THAT(refused({"eval", "a.py", "--danger", "11"}), HasSubstr("--danger"));
  EXPECT_THAT(refused({"eval", "a.py", "--danger", "-1"}), HasSubstr("--danger"));
  EXPECT_THAT(refused({"eval", "a.py", "--tests", "many"}), HasSubstr("--tests"));
  EXPECT_THAT(refused({"eval", "a.py", "--name"}), HasSubstr("--name"));
  EXPECT_THAT(refused({"submit"}), HasSubstr("--queue"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--label", "x"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--id", "short"}), HasSubstr("ULID"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--priority", "10"}), HasSubstr("--priority"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--require", "gpu"}), HasSubstr("--require"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--on-failure", "no"}), HasSubstr("cancel"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--deadline", "noon"}),
              HasSubstr("'noon' is no time; expected so long from now"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--cost", "0"}), HasSubstr("--cost"));
  EXPECT_THAT(refused({"submit", "--queue", "q", "--max-attempts", "101"}),
              HasSubstr("--max-attempts"));
  EXPECT_THAT(refused({"wait"}), HasSubstr("ID"));
  EXPECT_THAT(refused({"status"}), HasSubstr("ID"));
  EXPECT_THAT(refused({"queues", "--", "x"}), HasSubstr("only 'eval'"));
  EXPECT_THAT(refused({"up", "--port-base", "65000"}), HasSubstr("61535"));
  EXPECT_THAT(refused({"up", "--endpoint", "http://x"}), HasSubstr("NAME=URL"));
}

TEST_F(Arguments, HelpAndVersionAreAnswered) {
  EXPECT_EQ(answered({"--version"}), "assay " ASSAY_VERSION "\n");
  const std::string help = answered({"--help"});
  for (const char* command :
       {"up", "eval", "submit", "wait", "result", "status", "logs", "cancel", "list", "queues",
        "workers", "pause", "resume", "purge", "drain", "dead", "watch"}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n  ") + command));
    EXPECT_THAT(answered({command, "--help"}), HasSubstr("--broker"));
  }
}

}  // namespace
}  // namespace assay::cli
