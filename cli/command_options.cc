// The options of those who submit and follow, and of every command.
#include "cli/command_options.h"

#include "cli/option_builders.h"

namespace assay::cli {
namespace {

constexpr const char* kHelpGroup = "Everywhere";
constexpr std::uint32_t kSubmitCountMax = 100'000;

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
  add(app, "--build-config", options.build_config, "a configuration file for assay-build", "FILE");
  add(app, "--endpoint", options.endpoints,
      "a model endpoint that evaluations may name; repeatable", "NAME=URL");
  app.add_flag("--secure", options.secure,
               "encrypt all connections and let in only the keys in DIR/keys/known");
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
  add(app, "--output", options.outputs, "a file of its folder to keep; repeatable", "PATH");
  add(app, "--queue", options.queue, "default eval", "NAME");
  add_task_options(app, options.owner, options.priority, options.labels);
  app.add_flag("--detach", options.detach, "print the id and leave it to run");
  add(app, "--body", options.body, "write what would be submitted to FILE or -", "FILE");
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

void declare(CLI::App& app, ExplainOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
}

void declare(CLI::App& app, LogsOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
  app.add_flag("-f,--follow", options.follow, "go on until the task has ended");
}

void declare(CLI::App& app, CancelOptions& options) {
  app.add_option("ids", options.ids, "tasks; a unique prefix is enough")->type_name("");
  add(app, "--reason", options.reason, "why, for whoever looks later", "TEXT");
  app.add_flag("--with-dependents", options.with_dependents,
               "and all that comes after them, directly or not");
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
