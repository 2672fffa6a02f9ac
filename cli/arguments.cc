// Which commands there are, and what is answered when the line is wrong. Only this file and
// command_options.cc include CLI11: it is slow to compile, and nobody else needs to know it.
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
#include "cli/command_description.h"
#include "cli/command_options.h"
#include "cli/suggestion.h"

namespace assay::cli {
namespace {

std::string environment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
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

CommandDescription description_of(const CLI::App& app) {
  CommandDescription out{app.get_name(), app.get_description(), {}};
  for (const CLI::Option* option : app.get_options()) {
    FlagDescription flag;
    for (const std::string& name : option->get_lnames()) flag.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    if (flag.names.empty()) flag.place = option->get_single_name();
    flag.type = option->get_type_size() == 0 ? "" : option->get_type_name();
    flag.type = flag.type.substr(0, flag.type.find(':'));  // "N:INT in [1 - 10]": checks follow
    flag.help = option->get_description();
    out.flags.push_back(std::move(flag));
  }
  return out;
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
    global_.key = environment("ASSAY_KEY", "");
    global_.server_key = environment("ASSAY_SERVER_KEY", "");
    declare_global(app_, global_);
    app_.allow_extras();
    app_.footer(
        "'assay COMMAND --help' tells more. A first try, in two terminals:\n"
        "  assay up\n  assay eval examples/safety_battery.py");
    command<UpOptions>("up", "start a broker and its workers on this machine, until Ctrl-C");
    command<KeygenOptions>("keygen", "make a key: NAME.key for yourself, NAME.pub for the broker");
    command<EvalOptions>("eval", "submit an evaluation, follow it, print its result");
    command<BuildOptions>("build", "build an image, push it, test it, print its digest");
    command<RunOptions>("run", "submit a pipeline of steps, follow all of it");
    command<SubmitOptions>("submit", "submit any task, print its id");
    command<WaitOptions>("wait", "wait until tasks have ended");
    command<ResultOptions>("result", "print the result of a task that has ended");
    command<StatusOptions>("status", "print all that is known of a task");
    command<ExplainOptions>("explain", "say why a task has not started, or not ended");
    command<LogsOptions>("logs", "print a task's log, while it runs or later");
    command<CancelOptions>("cancel", "ask tasks to end");
    command<ListOptions>("list", "list tasks, the newest first");
    command<BenchOptions>("bench", "submit at a steady rate, report what became of it");
    command<QueuesOptions>("queues", "list the queues");
    command<UsageOptions>("usage", "sum what owners, or queues, have used");
    command<WorkersOptions>("workers", "list the workers");
    command<SchedulesOptions>("schedules", "list what the broker submits by the clock");
    command<PauseOptions>("pause", "let a queue give nothing out until it is resumed");
    command<ResumeOptions>("resume", "let a paused queue give out tasks again");
    command<PurgeOptions>("purge", "cancel all that waits in a queue");
    command<DrainOptions>("drain", "give a worker nothing new");
    command<DeadOptions>("dead", "list the dead tasks, run them again or drop them");
    command<QuarantineOptions>("quarantine", "list what kept killing workers, or release it");
    command<ArtifactsOptions>("artifacts", "list, get and put the files of tasks");
    command<WatchOptions>("watch", "show what happens, as it happens");
    command<CompletionOptions>("completion", "print a script that completes commands in a shell");
    command<ManualOptions>("manual", "print the manual page, for man(1)");
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

  std::vector<CommandDescription> describe() {
    std::vector<CommandDescription> commands{description_of(app_)};
    for (const CLI::App* command : app_.get_subcommands({})) {
      commands.push_back(description_of(*command));
    }
    return commands;
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
    if (auto* bench = std::get_if<BenchOptions>(&invocation.command)) add_worker(*bench);
    return invocation;
  }

  // A load without a queue of its own is served by the command itself.
  void add_worker(BenchOptions& bench) const {
    if (!bench.queue.empty()) return;
    bench.queue = "bench";
    if (bench.workers.empty()) bench.workers = default_workers(global_.broker).value_or("");
  }

  CLI::App app_;
  GlobalOptions global_;
  bool version_ = false;
  std::map<std::string, std::function<CommandOptions()>> takes_;
};

}  // namespace

std::vector<CommandDescription> describe_commands() {
  return CommandLine().describe();
}

std::variant<Invocation, Answer> parse_arguments(std::vector<std::string> arguments) {
  return CommandLine().parse(std::move(arguments));
}

}  // namespace assay::cli
