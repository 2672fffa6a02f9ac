#include "cli/connection.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "cli/json_forms.h"

namespace assay::cli {

Time now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

Result<Client> connect(const GlobalOptions& global, Notice notice) {
  Client client({.endpoint = global.broker,
                 .name = "assay " ASSAY_VERSION,
                 .notice = std::move(notice),
                 .key_file = global.key,
                 .server_key = global.server_key});
  const Status status = client.connect();
  if (status.is_ok()) return client;
  if (status.reason() == "keys_differ" && global.key.empty()) {
    return Status(status.code(), status.reason(),
                  "the broker at " + global.broker +
                      " lets nobody in without a key. Name yours with --key FILE (ASSAY_KEY) and "
                      "the broker's public one with --server-key (ASSAY_SERVER_KEY); 'assay keygen "
                      "NAME' makes one");
  }
  if (status.reason() != "broker_unreachable") return status;
  return Status(status.code(), status.reason(),
                "no broker answers at " + global.broker +
                    ". Start one with 'assay up', or name another with --broker or ASSAY_BROKER");
}

ExitCode report(Console& console, const GlobalOptions& global, const Status& status) {
  console.error(status.message().empty() ? status.to_string() : status.message());
  if (global.json) console.print(to_json(status));
  return exit_code(status);
}

Result<TaskId> resolve(Client& client, const std::string& text) {
  // A whole id needs no question; whether the broker knows it is for the call that uses it.
  if (const auto id = TaskId::parse(text)) return *id;
  const Result<TaskInfo> task = client.status(text);
  if (!task.is_ok()) return task.status();
  return task->id;
}

Result<std::vector<TaskId>> resolve(Client& client, const std::vector<std::string>& texts) {
  std::vector<TaskId> ids;
  ids.reserve(texts.size());
  for (const std::string& text : texts) {
    const Result<TaskId> id = resolve(client, text);
    if (!id.is_ok()) return id.status();
    ids.push_back(*id);
  }
  return ids;
}

Result<std::uint64_t> operate(Client& client, Operation operation, const std::string& target) {
  Result<std::uint64_t> affected = client.operate(operation, target);
  if (affected.is_ok()) return affected;
  const std::string reason = affected.status().reason();
  if (reason == "unknown_queue") {
    return not_found(reason, "there is no queue '" + target + "'; 'assay queues' lists them");
  }
  if (reason == "unknown_worker") {
    return not_found(reason,
                     "there is no worker '" + target + "' here now; 'assay workers' lists them");
  }
  return affected;
}

namespace {}  // namespace

// Those who follow tell of an absent broker in their own way.
Subscriber subscribe(const GlobalOptions& global, SubscriberOptions options) {
  options.feed_endpoint = global.feed;
  options.broker_endpoint = global.broker;
  options.name = "assay " ASSAY_VERSION;
  options.notice = [](std::string_view) {};
  options.key_file = global.key;
  options.server_key = global.server_key;
  return Subscriber(std::move(options));
}

Subscriber subscribe(const GlobalOptions& global, std::vector<TaskId> tasks) {
  SubscriberOptions options;
  options.tasks = std::move(tasks);
  options.after = 0;
  return subscribe(global, std::move(options));
}

std::string default_owner() {
  const char* user = std::getenv("USER");  // NOLINT(concurrency-mt-unsafe): before any thread
  if (user != nullptr && valid_name(user)) return user;
  const passwd* entry = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): as above
  return entry != nullptr && valid_name(entry->pw_name) ? entry->pw_name : "local";
}

}  // namespace assay::cli
