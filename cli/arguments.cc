// The one file that includes CLI11: it is slow to compile, and nobody else needs to know it.
#include "cli/arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include "cli/argument_rules.h"
#include "cli/suggestion.h"
#include "cli/text/duration.h"

namespace assay::cli {
namespace {

constexpr const char* kHelpGroup = "Everywhere";
constexpr std::uint32_t kSubmitCountMax = 100'000;

std::string environment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
}

// Every option goes through here: one value a flag, so that a flag never swallows what follows it.
template <typename Value>
CLI::Option* add(CLI::App& app, const std::string& flag, Value& value, const std::string& help,
                 const std::string& type) {
  return app.add_option(flag, value, help)->allow_extra_args(false)->type_name(type);
}

void add_duration(CLI::App& app, const std::string& flag, std::optional<Duration>& value,
                  const std::string& help) {
  const auto store = [flag, &value](const std::string& text) {
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
    value = *parsed;
  };
  app.add_option_function<std::string>(flag, store, help)->type_name("TIME");
}

void add_labels(CLI::App& app, std::map<std::string, std::string>& labels) {
  const auto store = [&labels](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw CLI::ValidationError("--label", "'" + text + "' has not the form NAME=VALUE");
      }
      labels[text.substr(0, equals)] = text.substr(equals + 1);
    }
  };
  app.add_option_function<std::vector<std::string>>("--label", store,
                                                    "for people and queries; repeatable")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

void add_task_options(CLI::App& app, std::string& owner, std::uint8_t& priority,
                      std::map<std::string, std::string>& labels) {
  add(app, "--owner", owner, "on whose account it runs; default: $USER", "NAME");
  add(app, "--priority", priority, "0 to 9, 9 first; default 5", "N")->check(CLI::Range(0, 9));
  add_labels(app, labels);
}

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

void declare(CLI::App& app, SubmitOptions& options) {
  add(app, "--queue", options.queue, "required", "NAME");
  add(app, "--body", options.body, "a file, or - for standard input; default: empty", "FILE");
  add_task_options(app, options.owner, options.priority, options.labels);
  add(app, "--max-attempts", options.max_attempts,
      "how often it may ask to be run again; default 1", "N")
      ->check(CLI::Range(1, 1000));
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

void declare(CLI::App& app, LogsOptions& options) {
  add(app, "id", options.id, "a task; a unique prefix is enough", "");
  app.add_flag("-f,--follow", options.follow, "go on until the task has ended");
}

void declare(CLI::App& app, CancelOptions& options) {
  app.add_option("ids", options.ids, "tasks; a unique prefix is enough")->type_name("");
  add(app, "--reason", options.reason, "why, for whoever looks later", "TEXT");
}

void declare(CLI::App& /*app*/, QueuesOptions& /*options*/) {}
void declare(CLI::App& /*app*/, WorkersOptions& /*options*/) {}

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
  app.add_flag("--json", global.json, "for programs: one document, or one line an event")
      ->group(kHelpGroup);
}

Answer mistake(std::string text) {
  return {ExitCode::kUsage, std::move(text)};
}

std::string with_suggestion(std::string text, std::string_view found,
                            const std::vector<std::string>& known, const std::string& see) {
  const std::string meant = nearest(found, known);
  if (!meant.empty()) text += "; did you mean '" + meant + "'?";
  return text + (meant.empty() ? "; see '" : " See '") + see + "'";
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// All commands, each with the values that its options write to.
class CommandLine {
 public:
  CommandLine()
      : app_("Submits and follows evaluations of AI models, and anything else a worker does.") {
    app_.name("assay");
    app_.set_help_flag("-h,--help", "print this and leave");
    app_.add_flag("--version", version_, "print the version and leave");
    app_.require_subcommand(0, 1);
    global_.broker = environment("ASSAY_BROKER", global_.broker);
    global_.feed = environment("ASSAY_FEED", "");
    declare_global(app_, global_);
    app_.allow_extras();
    app_.footer(
        "'assay COMMAND --help' tells more. A first try, in two terminals:\n"
        "  assay up\n  assay eval examples/safety_battery.py");
    command<UpOptions>("up", "start a broker and its workers on this machine, until Ctrl-C");
    command<EvalOptions>("eval", "submit an evaluation, follow it, print its result");
    command<SubmitOptions>("submit", "submit any task, print its id");
    command<WaitOptions>("wait", "wait until tasks have ended");
    command<ResultOptions>("result", "print the result of a task that has ended");
    command<StatusOptions>("status", "print all that is known of a task");
    command<LogsOptions>("logs", "print a task's log, while it runs or later");
    command<CancelOptions>("cancel", "ask tasks to end");
    command<QueuesOptions>("queues", "list the queues");
    command<WorkersOptions>("workers", "list the workers");
    command<WatchOptions>("watch", "show what happens, as it happens");
  }

  std::variant<Invocation, Answer> parse(std::vector<std::string> arguments) {
    const std::vector<std::string> handed_on = take_after_dashes(arguments);
    try {
      std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
      app_.parse(reversed);
    } catch (const CLI::CallForHelp&) {
      return Answer{ExitCode::kOk, selected().help()};
    } catch (const CLI::ParseError& error) {
      return wrong(error.what());
    }
    if (version_) return Answer{ExitCode::kOk, "assay " ASSAY_VERSION "\n"};
    return checked(handed_on);
  }

 private:
  template <typename Options>
  void command(const std::string& name, const std::string& help) {
    CLI::App& app = *app_.add_subcommand(name, help);
    app.set_help_flag("-h,--help", "print this and leave");
    auto options = std::make_shared<Options>();
    declare(app, *options);
    declare_global(app, global_);
    takes_[name] = [options] { return CommandOptions(*options); };
  }

  static std::vector<std::string> take_after_dashes(std::vector<std::string>& arguments) {
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (dashes == arguments.end()) return {};
    std::vector<std::string> rest(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
    return rest;
  }

  CLI::App& selected() {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? app_ : *chosen.front();
  }

  std::string help_of_selected() {
    const std::string& name = selected().get_name();
    return name == "assay" ? "assay --help" : "assay " + name + " --help";
  }

  Answer wrong(const std::string& text) {
    return mistake(text + "; see '" + help_of_selected() + "'");
  }

  std::variant<Invocation, Answer> checked(const std::vector<std::string>& handed_on) {
    const auto chosen = app_.get_subcommands();
    for (const std::string& extra : app_.remaining(true)) {
      if (extra.starts_with("-")) {
        const std::string flag = extra.substr(0, extra.find('='));
        return mistake(with_suggestion("unknown flag '" + flag + "'", flag, flags_of(selected()),
                                       help_of_selected()));
      }
      if (!chosen.empty()) return wrong("'" + extra + "' is one argument too many");
      std::vector<std::string> names;
      names.reserve(takes_.size());
      for (const auto& [name, take] : takes_) names.push_back(name);
      return mistake(
          with_suggestion("unknown command '" + extra + "'", extra, names, help_of_selected()));
    }
    if (chosen.empty()) return mistake("no command given\n" + app_.help());
    Invocation invocation{global_, takes_.at(chosen.front()->get_name())()};
    if (const auto lack = mistake_in(invocation.command)) return wrong(*lack);
    if (!handed_on.empty()) {
      auto* eval = std::get_if<EvalOptions>(&invocation.command);
      if (eval == nullptr) return wrong("only 'eval' takes arguments after '--'");
      eval->arguments = handed_on;
    }
    if (invocation.global.feed.empty()) {
      const auto feed = default_feed(invocation.global.broker);
      if (!feed) {
        return mistake("--broker '" + invocation.global.broker +
                       "' is no address; expected for example tcp://127.0.0.1:5555");
      }
      invocation.global.feed = *feed;
    }
    return invocation;
  }

  CLI::App app_;
  GlobalOptions global_;
  bool version_ = false;
  std::map<std::string, std::function<CommandOptions()>> takes_;
};

}  // namespace

std::variant<Invocation, Answer> parse_arguments(std::vector<std::string> arguments) {
  return CommandLine().parse(std::move(arguments));
}

}  // namespace assay::cli
