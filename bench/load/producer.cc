// bench_producer: a producer on the SDK. Submits tasks and collects their results, or only submits
// them, or sends them one at a time, and prints one line of JSON: how many, from when to when on
// the machine's monotonic clock (so that several producers can be added up), and how long one took.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <vector>

#include "assay/client.h"

namespace {

using namespace assay;  // NOLINT(google-build-using-namespace): a program's main
using Clock = std::chrono::steady_clock;

struct Settings {
  std::string mode = "collect";
  std::string endpoint;
  std::size_t tasks = 100'000;
  std::size_t group = 256;    // submitted, awaited and collected together
  std::size_t message = 256;  // tasks in one SUBMIT
  std::size_t window = 2048;  // tasks under way
  std::size_t body_bytes = 256;
  std::string key_file, server_key;
  std::uint32_t owners = 1;
  std::uint32_t priorities = 1;
};

[[noreturn]] void fail(const Status& status) {
  std::fprintf(stderr, "bench_producer: %s\n", status.to_string().c_str());
  std::exit(1);
}

template <typename T>
T need(Result<T> result) {
  if (!result.is_ok()) fail(result.status());
  return std::move(*result);
}

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

class Producer {
 public:
  explicit Producer(const Settings& settings)
      : settings_(settings),
        client_({.endpoint = settings.endpoint,
                 .name = "bench_producer",
                 .call_timeout = std::chrono::seconds(60),
                 .key_file = settings.key_file,
                 .server_key = settings.server_key}) {
    if (const Status status = client_.connect(); !status.is_ok()) fail(status);
  }

  // All under way at once as far as the window goes; the oldest group is collected first.
  void collect() {
    while (!groups_.empty() || submitted_ < settings_.tasks) {
      while (submitted_ < settings_.tasks && under_way_ < settings_.window) submit_group();
      finish_group(/*collect=*/true);
    }
  }

  void enqueue() {
    while (!groups_.empty() || submitted_ < settings_.tasks) {
      while (submitted_ < settings_.tasks && under_way_ < settings_.window) submit_group();
      finish_group(/*collect=*/false);
    }
  }

  void one_by_one() {
    for (std::size_t i = 0; i < settings_.tasks; ++i) {
      const auto begin = Clock::now();
      std::vector<TaskSpec> task{make_task()};
      const TaskId id = task[0].id;
      const std::uint64_t ticket = need(client_.begin_submit(std::move(task)));
      need(client_.wait(id, std::chrono::seconds(60)));
      need(client_.finish_submit(ticket));
      micros_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
    std::sort(micros_.begin(), micros_.end());
  }

  double percentile(double share) const {
    if (micros_.empty()) return 0;
    return micros_[static_cast<std::size_t>(static_cast<double>(micros_.size() - 1) * share)];
  }

 private:
  struct Group {
    std::vector<TaskId> ids;
    std::vector<std::uint64_t> tickets;
  };

  TaskSpec make_task() {
    TaskSpec task;
    task.id = TaskId::make(now());
    task.queue = QueueName("bench");
    task.owner = OwnerName("owner-" + std::to_string(made_ % settings_.owners));
    task.priority = static_cast<std::uint8_t>(made_ / settings_.owners % settings_.priorities);
    task.body.assign(settings_.body_bytes, 'b');
    ++made_;
    return task;
  }

  void submit_group() {
    Group group;
    const std::size_t count = std::min(settings_.group, settings_.tasks - submitted_);
    std::vector<TaskSpec> tasks;
    for (std::size_t i = 0; i < count; ++i) {
      tasks.push_back(make_task());
      group.ids.push_back(tasks.back().id);
      if (tasks.size() < settings_.message && i + 1 < count) continue;
      group.tickets.push_back(need(client_.begin_submit(std::move(tasks))));
      tasks.clear();
    }
    submitted_ += count;
    under_way_ += count;
    groups_.push_back(std::move(group));
  }

  void finish_group(bool collect) {
    Group group = std::move(groups_.front());
    groups_.pop_front();
    under_way_ -= group.ids.size();
    for (const std::uint64_t ticket : group.tickets) need(client_.finish_submit(ticket));
    while (collect && !group.ids.empty()) {
      std::vector<TaskResult> results = need(client_.wait_any(group.ids, std::chrono::seconds(60)));
      const auto by_id = [](const TaskResult& a, const TaskResult& b) { return a.id < b.id; };
      std::sort(results.begin(), results.end(), by_id);
      std::erase_if(group.ids, [&](const TaskId& id) {
        TaskResult wanted;
        wanted.id = id;
        return std::binary_search(results.begin(), results.end(), wanted, by_id);
      });
    }
  }

  const Settings& settings_;
  Client client_;
  std::deque<Group> groups_;
  std::size_t made_ = 0;
  std::size_t submitted_ = 0;
  std::size_t under_way_ = 0;
  std::vector<double> micros_;
};

double seconds(Clock::time_point at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("a producer of the benchmark");
  app.add_option("--mode", settings.mode)
      ->check(CLI::IsMember({"collect", "enqueue", "one_by_one"}));
  app.add_option("--endpoint", settings.endpoint)->required();
  app.add_option("--tasks", settings.tasks);
  app.add_option("--group", settings.group);
  app.add_option("--message", settings.message);
  app.add_option("--window", settings.window);
  app.add_option("--body-bytes", settings.body_bytes);
  app.add_option("--key", settings.key_file);
  app.add_option("--server-key", settings.server_key);
  app.add_option("--owners", settings.owners)->check(CLI::PositiveNumber);
  app.add_option("--priorities", settings.priorities)->check(CLI::Range(1, 10));
  CLI11_PARSE(app, argc, argv);

  Producer producer(settings);
  const auto begin = Clock::now();
  if (settings.mode == "collect") producer.collect();
  if (settings.mode == "enqueue") producer.enqueue();
  if (settings.mode == "one_by_one") producer.one_by_one();
  const auto end = Clock::now();
  std::printf("{\"tasks\": %zu, \"begin\": %.9f, \"end\": %.9f, \"p50\": %.1f, \"p99\": %.1f}\n",
              settings.tasks, seconds(begin), seconds(end), producer.percentile(0.5),
              producer.percentile(0.99));
  return 0;
}
