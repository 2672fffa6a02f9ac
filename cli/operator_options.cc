// The options of those who look after the broker.
#include "cli/command_options.h"
#include "cli/option_builders.h"

namespace assay::cli {

void declare(CLI::App& app, KeygenOptions& options) {
  add(app, "name", options.name, "whose key it is: 1 to 64 of letters, digits, '.', '_', '-'", "");
  add(app, "--dir", options.directory, "where the two files go; default: here", "DIR");
  app.footer("Neither file is overwritten. NAME.key is a secret; NAME.pub goes to the broker.");
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

void declare(CLI::App& app, QuarantineOptions& options) {
  add(app, "action", options.action, "list or release", "")
      ->check(CLI::IsMember({"list", "release"}));
  add(app, "key", options.key, "what to release, as listed", "");
  app.footer("A body or image that kept killing workers is held until it is released.");
}

void declare(CLI::App& /*app*/, QueuesOptions& /*options*/) {}
void declare(CLI::App& /*app*/, WorkersOptions& /*options*/) {}

void declare(CLI::App& app, UsageOptions& options) {
  add(app, "--by", options.by, "owner (default) or queue", "WHAT")
      ->check(CLI::IsMember({"owner", "queue"}));
  add_duration(app, "--since", options.since,
               "only the last 48h, say, and the whole of the first day");
}

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
  add(app, "--since", options.since, "begin with what happened since: a sequence, or 1h", "SEQ|1h");
  add(app, "topic", options.topic, "a queue, queue/task-id, or a task's id; default: everything",
      "");
}

}  // namespace assay::cli
