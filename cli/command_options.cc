#include "cli/command_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/text/duration.h"

namespace assay::cli {
namespace {

constexpr const char* kHelpGroup = "Everywhere";
constexpr std::uint32_t kSubmitCountMax = 100'000;

// Every option goes through here: one value a flag, so that a flag never swallows what follows it.
template <typename Value>
CLI::Option* add(CLI::App& app, const std::string& flag, Value& value, const std::string& help,
                 const std::string& type) {
  return app.add_option(flag, value, help)->allow_extra_args(false)->type_name(type);
}

template <typename Value>
void add_duration(CLI::App& app, const std::string& flag, Value& value, const std::string& help) {
  const auto store = [flag, &value](const std::string& text) {
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
    value = *parsed;
  };
  app.add_option_function<std::string>(flag, store, help)->type_name("TIME");
}

// A time as a moment: so long from now, or a date and time with its zone.
void add_time(CLI::App& app, const std::string& flag, std::optional<Time>& value,
              const std::string& help) {
  const auto store = [flag, &value](const std::string& text) {
    const Time now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    const Result<Time> parsed = parse_time(text, now);
    if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
    value = *parsed;
  };
  app.add_option_function<std::string>(flag, store, help)->type_name("TIME");
}

void add_labels(CLI::App& app, const std::string& flag, const std::string& help,
                std::map<std::string, std::string>& labels) {
  const auto store = [flag, &labels](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw CLI::ValidationError(flag, "'" + text + "' has not the form NAME=VALUE");
      }
      labels[text.substr(0, equals)] = text.substr(equals + 1);
    }
  };
  app.add_option_function<std::vector<std::string>>(flag, store, help)
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

void add_task_options(CLI::App& app, std::string& owner, std::uint8_t& priority,
                      std::map<std::string, std::string>& labels) {
  add(app, "--owner", owner, "on whose account it runs; default: $USER", "NAME");
  add(app, "--priority", priority, "0 to 9, 9 first; default 5", "N")->check(CLI::Range(0, 9));
  add_labels(app, "--label", "for people and queries; repeatable", labels);
}

}  // namespace

void declare(CLI::App& app, UpOptions& options) {
  add(app, "--dir", options.directory, "where data and logs go; default ~/.local/share/assay",
      "DIR");
  add(app, "--port-base", options.port_base,
      "the clients' port; workers, feed and HTTP take +1, +2, +4000. 0: free ones", "PORT");
  add(app, "--slots", options.slots, "how many tasks each worker runs at once", "N")
      ->check(CLI::Range(1, 10'000));
  add(app, "--eval-config", options.eval_config, "a configuration file for assay-eval", "FILE");
  add(app, "--endpoint", options.endpoints,
      "a model endpoint that evaluations may name; repeatable", "NAME=URL");
  app.add_flag("--secure", options.secure,
               "encrypt all connections and let in only the keys in DIR/keys/known");
}

void declare(CLI::App& app, KeygenOptions& options) {
  add(app, "name", options.name, "whose key it is: 1 to 64 of letters, digits, '.', '_', '-'", "");
  add(app, "--dir", options.directory, "where the two files go; default: here", "DIR");
  app.footer("Neither file is overwritten. NAME.key is a secret; NAME.pub goes to the broker.");
}

void declare(CLI::App& app, EvalOptions& options) {
  add(app, "file", options.file, "the evaluation: .py, .ipynb, .yaml or .yml", "");
  add(app, "--image", options.image, "a container image that is an evaluation by itself", "IMAGE");
  add(app, "--name", options.name, "its name; default: the file's", "NAME");
  add(app, "--tests", options.tests, "how many tests it has, if known", "N")
      ->check(CLI::Range(1, 10'000'000));
  add(app, "--seconds-per-test", options.seconds_per_test, "an estimate, for planning", "S")
      ->check(CLI::PositiveNumber);
  add_duration(app, "--timeout", options.timeout, "of the whole evaluation: 90s, 10m, 1h30m");
  add_duration(app, "--test-timeout", options.test_timeout, "of one test");
  add(app, "--danger", options.danger, "0 to 10; over 8 each test gets a pod of its own", "N")
      ->check(CLI::Range(0, 10));
  app.add_flag("--isolated", options.isolated, "a pod of its own for each test");
  add(app, "--pods-max", options.pods_max, "never more pods than that at once", "N")
      ->check(CLI::Range(1, 100'000));
  add(app, "--profile", options.profile, "a resource profile of the worker", "NAME");
  add(app, "--endpoint", options.endpoint, "a model endpoint that the worker grants", "NAME");
  add(app, "--model", options.model, "the model's name at that endpoint", "NAME");
  add(app, "--pass-threshold", options.pass_threshold, "mean score needed to pass", "X");
  add(app, "--output", options.outputs, "a file of its working directory to keep; repeatable",
      "PATH");
  add(app, "--queue", options.queue, "default eval", "NAME");
  add_task_options(app, options.owner, options.priority, options.labels);
  app.add_flag("--detach", options.detach, "print the id and leave it to run");
  app.footer(
      "What follows '--' is handed to a plain script or an image as its arguments.\n"
      "Exit status: 0 passed, 3 failed, 4 cancelled or timed out.");
}

void declare(CLI::App& app, RunOptions& options) {
  add(app, "file", options.file, "the pipeline: .yaml; docs/pipelines.md describes it", "");
  add_labels(app, "--set", "a variable of the pipeline; repeatable", options.variables);
  add(app, "--owner", options.owner, "on whose account it runs; default: the file's, or $USER",
      "NAME");
  add_labels(app, "--label", "for people and queries, on every task; repeatable", options.labels);
  add(app, "--run", options.run, "the id of a run: submitting it again makes no task a second time",
      "ID");
  app.add_flag("--dry-run", options.dry_run, "check it and print its tasks, submit nothing");
  app.add_flag("--detach", options.detach, "print the run's id and leave");
}

void declare(CLI::App& app, SubmitOptions& options) {
  add(app, "--queue", options.queue, "required", "NAME");
  add(app, "--body", options.body, "a file, or - for standard input; default: empty", "FILE");
  add_task_options(app, options.owner, options.priority, options.labels);
  add(app, "--max-attempts", options.max_attempts,
      "how often it may ask to be run again; default 1", "N")
      ->check(CLI::Range(1, 100));
  add(app, "--after", options.after, "run it once this task has ended, with its result; repeatable",
      "ID");
  app.add_option_function<std::string>(
         "--on-failure",
         [&options](const std::string& choice) {
           options.on_failure = choice == "run" ? OnFailure::kRun : OnFailure::kCancel;
         },
         "when a task that it comes after did not succeed; default cancel")
      ->check(CLI::IsMember({"cancel", "run"}))
      ->type_name("cancel|run");
  add_time(app, "--not-before", options.not_before,
           "not before then: 10m from now, or 2026-07-01T12:00:00Z");
  add_time(app, "--deadline", options.deadline, "cancelled if it has not ended by then");
  add_duration(app, "--timeout", options.timeout, "of one attempt; over it the task has failed");
  add(app, "--cost", options.cost, "slots that it takes of its worker; default 1", "N")
      ->check(CLI::Range(1, 10'000));
  add_labels(app, "--require", "a label that its worker must bear; repeatable", options.require);
  add(app, "--id", options.id, "a ULID: submitting it twice makes one task", "ULID");
  add(app, "--count", options.count, "submit so many with the same body", "N")
      ->check(CLI::Range(1U, kSubmitCountMax));
}

void declare(CLI::App& app, BenchOptions& options) {
  add(app, "--rate", options.rate, "tasks a second; default 50", "N")
      ->check(CLI::Range(0.01, 1'000'000.0));
  add_duration(app, "--duration", options.duration, "how long to submit; default 10s");
  add_duration(app, "--grace", options.grace, "how long to wait for the last ends; default 60s");
  add(app, "--queue", options.queue,
      "a queue whose workers are to be measured; default: one that this command serves itself",
      "NAME");
  add(app, "--workers", options.workers,
      "where its own worker connects; default: the broker's port + 1", "ADDRESS");
  add(app, "--body", options.body, "the body of every task", "FILE");
  add(app, "--body-bytes", options.body_bytes, "or so many bytes; default 256", "N")
      ->check(CLI::Range(0, 16'000'000));
  add(app, "--owner", options.owner, "on whose account it runs; default: $USER", "NAME");
}

void declare(CLI::App& app, WaitOptions& options) {
  app.add_option("ids", options.ids, "tasks; a unique prefix is enough")->type_name("");
  add_duration(app, "--timeout", options.timeout, "give up after that; the tasks go on");
  app.footer("Exit status: 0 all succeeded, 3 one failed, 4 one was cancelled or is not over yet.");
}

void declare(CLI::App& app, ResultOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
  add(app, "--output", options.output, "write the result's bytes to a file", "FILE");
  add(app, "--outputs", options.outputs, "write the files that an evaluation brought out into DIR",
      "DIR");
  app.add_flag("--text", options.text,
               "for people, as on a terminal, also where it goes to a pipe");
}

void declare(CLI::App& app, StatusOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
}

void declare(CLI::App& app, LogsOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
  app.add_flag("-f,--follow", options.follow, "go on until the task has ended");
}

void declare(CLI::App& app, CancelOptions& options) {
  app.add_option("ids", options.ids, "tasks; a unique prefix is enough")->type_name("");
  add(app, "--reason", options.reason, "why, for whoever looks later", "TEXT");
}

void declare(CLI::App& app, ListOptions& options) {
  const auto store = [&options](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::optional<TaskState> state = parse_task_state(text);
      if (!state) {
        throw CLI::ValidationError("--state", "'" + text + "' is no state; expected waiting, " +
                                                  "queued, running, succeeded, failed, dead or " +
                                                  "cancelled");
      }
      options.states.push_back(*state);
    }
  };
  app.add_option_function<std::vector<std::string>>("--state", store,
                                                    "only those in this state; repeatable")
      ->allow_extra_args(false)
      ->type_name("STATE");
  add(app, "--queue", options.queue, "only those of this queue", "NAME");
  add(app, "--owner", options.owner, "only those of this owner", "NAME");
  add_duration(app, "--since", options.since, "only those submitted in the last 1h, say");
  add(app, "--limit", options.limit, "not more than that; default 100", "N")
      ->check(CLI::Range(1, 1000));
}

void declare(CLI::App& app, PauseOptions& options) {
  add(app, "queue", options.queue, "a queue", "");
}

void declare(CLI::App& app, ResumeOptions& options) {
  add(app, "queue", options.queue, "a queue", "");
}

void declare(CLI::App& app, PurgeOptions& options) {
  add(app, "queue", options.queue, "a queue; what runs goes on", "");
  app.add_flag("--yes", options.yes, "do not ask");
}

void declare(CLI::App& app, DrainOptions& options) {
  add(app, "worker", options.worker, "a worker; what it has goes on", "");
}

void declare(CLI::App& app, DeadOptions& options) {
  add(app, "action", options.action, "list, retry or drop", "")
      ->check(CLI::IsMember({"list", "retry", "drop"}));
  app.add_option("ids", options.ids, "tasks to retry or drop; a unique prefix is enough")
      ->type_name("");
  app.footer("A task is dead when it kept losing its workers. Retried, it begins anew.");
}

void declare(CLI::App& /*app*/, QueuesOptions& /*options*/) {}
void declare(CLI::App& /*app*/, WorkersOptions& /*options*/) {}

void declare(CLI::App& app, CompletionOptions& options) {
  add(app, "shell", options.shell, "bash (default) or zsh", "")
      ->check(CLI::IsMember({"bash", "zsh"}));
  app.footer("bash: source <(assay completion bash). 'make install' installs both.");
}

void declare(CLI::App& /*app*/, ManualOptions& /*options*/) {}

void declare(CLI::App& app, ArtifactsOptions& options) {
  add(app, "action", options.action, "list, get or put", "")
      ->check(CLI::IsMember({"list", "get", "put"}));
  add(app, "what", options.what, "list: a task; get: a hash or TASK/NAME; put: a FILE", "");
  add(app, "--name", options.name, "put: what the file is to a task, say ID/data.csv", "TASK/NAME");
  add(app, "--output", options.output, "get: write it there; default: standard output", "FILE");
  add(app, "--store", options.store,
      "where artifacts live (ASSAY_ARTIFACTS); default: artifacts/ of the data directory of "
      "'assay up'",
      "LOCATION");
}

void declare(CLI::App& app, WatchOptions& options) {
  add(app, "topic", options.topic, "a queue, queue/task-id, or a task's id; default: everything",
      "");
}

void declare_global(CLI::App& app, GlobalOptions& global) {
  add(app, "--broker", global.broker, "the broker's address for clients (ASSAY_BROKER)", "ADDRESS")
      ->group(kHelpGroup);
  add(app, "--feed", global.feed,
      "the broker's progress feed (ASSAY_FEED); default: the same host, port + 2", "ADDRESS")
      ->group(kHelpGroup);
  add(app, "--key", global.key, "your key file, where the broker demands one (ASSAY_KEY)", "FILE")
      ->group(kHelpGroup);
  add(app, "--server-key", global.server_key,
      "the broker's .pub file, or its 64 digits (ASSAY_SERVER_KEY)", "KEY")
      ->group(kHelpGroup);
  app.add_flag("--json", global.json, "for programs: one document, or one line an event")
      ->group(kHelpGroup);
}

}  // namespace assay::cli
