// bench_worker: a worker on the SDK that answers every task at once with some bytes. At its end
// (SIGTERM) it prints one line of JSON: how many tasks it had, and how many of each owner among the
// first `--count-owners`.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>

#include "assay/worker.h"

namespace {

assay::Worker* the_worker = nullptr;

}  // namespace

int main(int argc, char** argv) {
  std::string endpoint, name = "bench", key_file, server_key;
  std::uint32_t slots = 512;
  std::size_t result_bytes = 64, owners_counted_max = 0;
  CLI::App app("a worker of the benchmark");
  app.add_option("--endpoint", endpoint)->required();
  app.add_option("--name", name);
  app.add_option("--key", key_file);
  app.add_option("--server-key", server_key);
  app.add_option("--slots", slots);
  app.add_option("--result-bytes", result_bytes);
  app.add_option("--count-owners", owners_counted_max);
  CLI11_PARSE(app, argc, argv);

  const std::string result(result_bytes, 'r');
  std::atomic<std::size_t> tasks{0};
  std::mutex mutex;
  std::map<std::string, std::size_t> by_owner;
  assay::Worker worker({.endpoint = endpoint,
                        .name = name,
                        .queues = {assay::QueueName("bench")},
                        .slots = slots,
                        .key_file = key_file,
                        .server_key = server_key},
                       [&](const assay::TaskAssignment& task, assay::TaskContext&) {
                         if (tasks.fetch_add(1, std::memory_order_relaxed) < owners_counted_max) {
                           const std::scoped_lock lock(mutex);
                           ++by_owner[task.owner.value];
                         }
                         return assay::TaskOutcome::done(result);
                       });
  the_worker = &worker;
  std::signal(SIGTERM, [](int) { the_worker->request_stop(); });
  const assay::Status status = worker.run();
  std::printf("{\"tasks\": %zu, \"owners\": {", tasks.load());
  const char* comma = "";
  for (const auto& [owner, count] : by_owner) {
    std::printf("%s\"%s\": %zu", comma, owner.c_str(), count);
    comma = ", ";
  }
  std::printf("}}\n");
  return status.is_ok() ? 0 : 1;
}
