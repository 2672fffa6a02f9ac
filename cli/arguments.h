// What was asked for on the command line, as plain values. Only arguments.cc and command_options.cc
// know the library that reads it.
#ifndef ASSAY_CLI_ARGUMENTS_H_
#define ASSAY_CLI_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "assay/ids.h"
#include "assay/task.h"
#include "cli/build_options.h"
#include "cli/exit_code.h"

namespace assay::cli {

struct GlobalOptions {
  std::string broker = "tcp://127.0.0.1:5555";
  std::string
      feed;  // never empty after parsing: the broker's host with its port + 2 when not given
  bool json = false;
  std::string key;         // a key file; empty: no keys
  std::string server_key;  // the broker's NAME.pub, or its hexadecimal digits
};

struct KeygenOptions {
  std::string name;
  std::string directory;  // empty: here
};

struct UpOptions {
  std::string directory;  // empty: the user's data directory
  std::uint16_t port_base = 5555;
  std::optional<std::uint32_t> slots;
  std::string eval_config;
  std::string build_config;
  std::vector<std::string> endpoints;  // NAME=URL
  bool secure = false;                 // make keys, and demand them
};

struct EvalOptions {
  std::string file;   // or
  std::string image;  // exactly one of the two
  std::vector<std::string> arguments;

  std::string name;
  std::optional<std::uint32_t> tests;
  std::optional<double> seconds_per_test;
  std::optional<Duration> timeout;
  std::optional<Duration> test_timeout;
  std::optional<std::uint8_t> danger;
  bool isolated = false;
  std::optional<std::uint32_t> pods_max;
  std::string profile;
  std::string endpoint;
  std::string model;
  std::optional<double> pass_threshold;
  std::vector<std::string> outputs;

  std::string queue = "eval";
  std::string owner;
  std::uint8_t priority = 5;
  std::map<std::string, std::string> labels;
  bool detach = false;
  std::string body;  // where the task's body goes instead of to the broker; "-": standard output
};

struct RunOptions {
  std::string file;
  std::map<std::string, std::string> variables;  // instead of the file's
  std::string owner;
  std::map<std::string, std::string> labels;
  std::string run;  // an id, to submit that run again; empty: a new one
  bool dry_run = false;
  bool detach = false;
};

struct SubmitOptions {
  std::string queue;
  std::string body;  // a file, "-" for standard input, empty for an empty body
  std::string owner;
  std::uint8_t priority = 5;
  std::uint32_t max_attempts = 1;
  std::map<std::string, std::string> labels;
  std::string id;
  std::uint32_t count = 1;

  std::vector<std::string> after;
  OnFailure on_failure = OnFailure::kCancel;
  std::optional<Time> not_before;
  std::optional<Time> deadline;
  std::optional<Duration> timeout;
  std::uint32_t cost = 1;
  std::map<std::string, std::string> require;
};

struct WaitOptions {
  std::vector<std::string> ids;
  std::optional<Duration> timeout;
};

struct ResultOptions {
  std::string id;
  std::string output;   // a file for its bytes; empty: standard output
  std::string outputs;  // a directory for the files that an evaluation brought out
  bool text = false;    // for people, also where it goes to a pipe
};

struct StatusOptions {
  std::string id;
};

struct ExplainOptions {
  std::string id;
};

struct LogsOptions {
  std::string id;
  bool follow = false;
};

struct CancelOptions {
  std::vector<std::string> ids;
  std::string reason;
  bool with_dependents = false;
};

struct ListOptions {
  std::vector<TaskState> states;
  std::string queue;
  std::string owner;
  std::optional<Duration> since;  // before now
  std::uint32_t limit = 100;
};

struct BenchOptions {
  double rate = 50;           // tasks a second
  Duration duration{10'000};  // of submitting
  Duration grace{60'000};     // for what has not ended then
  std::string queue;          // empty: "bench", served by this program itself
  std::string workers;        // where its own worker connects; empty: it has none
  std::string body;           // a file; empty: `body_bytes` of it
  std::uint32_t body_bytes = 256;
  std::string owner;
};

struct CompletionOptions {
  std::string shell = "bash";  // or "zsh"
};
struct ManualOptions {};

struct QueuesOptions {};
struct UsageOptions {
  std::string by = "owner";       // or "queue"
  std::optional<Duration> since;  // before now
};
struct WorkersOptions {};
struct SchedulesOptions {};

struct PauseOptions {
  std::string queue;
};
struct ResumeOptions {
  std::string queue;
};
struct PurgeOptions {
  std::string queue;
  bool yes = false;
};
struct DrainOptions {
  std::string worker;
};
struct DeadOptions {
  std::string action;  // "list", "retry" or "drop"
  std::vector<std::string> ids;
};

struct QuarantineOptions {
  std::string action;  // "list" or "release"
  std::string key;     // release: as listed
};

struct ArtifactsOptions {
  std::string action;  // "list", "get" or "put"
  std::string what;    // list: a task; get: a hash or task/name; put: a file
  std::string name;    // put: task/name
  std::string output;  // get: a file; empty: standard output
  std::string store;   // empty: that of `assay up`
};

struct WatchOptions {
  std::string topic;
  std::string since;  // a sequence, or a duration ago; empty: from now on
};

using CommandOptions =
    std::variant<ArtifactsOptions, UpOptions, EvalOptions, BuildOptions, RunOptions, SubmitOptions,
                 BenchOptions, WaitOptions, ResultOptions, StatusOptions, ExplainOptions,
                 LogsOptions, CancelOptions, ListOptions, QueuesOptions, UsageOptions,
                 WorkersOptions, PauseOptions, ResumeOptions, PurgeOptions, DrainOptions,
                 DeadOptions, WatchOptions, CompletionOptions, ManualOptions, KeygenOptions,
                 QuarantineOptions, SchedulesOptions>;

struct Invocation {
  GlobalOptions global;
  CommandOptions command;
};

// The command line was answered by itself: a help text, a version, or a mistake.
struct Answer {
  ExitCode code = ExitCode::kOk;
  std::string text;  // for standard output when the code is kOk, else the message of an error
};

// Reads what follows the program's name, and ASSAY_BROKER ASSAY_FEED, ASSAY_KEY and
// ASSAY_SERVER_KEY from the environment, which flags override.
std::variant<Invocation, Answer> parse_arguments(std::vector<std::string> arguments);

// "tcp://host:5555" -> "tcp://host:5557"; nothing when there is no port to add to.
std::optional<std::string> default_feed(const std::string& broker);
// The same with the port of the workers, one above.
std::optional<std::string> default_workers(const std::string& broker);

}  // namespace assay::cli

#endif  // ASSAY_CLI_ARGUMENTS_H_
