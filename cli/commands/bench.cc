// assay bench: submits tasks at a steady rate, as due whatever the broker does, and tells what
// became of them. One thread submits, one collects the ends, each with a client of its own.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "assay/worker.h"
#include "cli/bench/load_report.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/interrupts.h"
#include "sdk/config/yaml_tree.h"

namespace assay::cli {
namespace {

using std::chrono::steady_clock;

constexpr Duration kTick{10};
constexpr Duration kSlice{
    5};  // of a wait for results: then the tasks submitted meanwhile are awaited too
constexpr std::size_t kTasksPerSubmit = 1000;
constexpr std::size_t kBodyBytesMax = 16U << 20;

Microseconds since(steady_clock::time_point due) {
  return std::chrono::duration_cast<Microseconds>(steady_clock::now() - due);
}

// Takes what comes and says done: the load is the broker's alone.
class EchoWorker {
 public:
  EchoWorker(const BenchOptions& options, const std::string& endpoint)
      : worker_({.endpoint = endpoint,
                 .queues = {QueueName(options.queue)},
                 .slots = 16,
                 .notice = [](std::string_view) {}},
                [](const TaskAssignment&, TaskContext&) { return TaskOutcome::done(); }),
        thread_([this] { status_ = worker_.run(); }) {}
  ~EchoWorker() {
    worker_.request_stop();
    thread_.join();
  }

 private:
  Worker worker_;
  Status status_;
  std::thread thread_;
};

// Tasks on their way: known to both threads.
class Underway {
 public:
  using Due = std::map<TaskId, steady_clock::time_point>;

  void add(const std::vector<TaskId>& ids, steady_clock::time_point due) {
    const std::lock_guard lock(mutex_);
    for (const TaskId& id : ids) due_.emplace(id, due);
    added_.notify_one();
  }
  // Those on their way, once there are any; none when there are none for a tick.
  std::vector<TaskId> ids() {
    std::unique_lock lock(mutex_);
    added_.wait_for(lock, kTick, [this] { return !due_.empty(); });
    std::vector<TaskId> ids;
    ids.reserve(due_.size());
    for (const auto& [id, due] : due_) ids.push_back(id);
    return ids;
  }
  std::optional<steady_clock::time_point> take(const TaskId& id) {
    const std::lock_guard lock(mutex_);
    const auto found = due_.find(id);
    if (found == due_.end()) return std::nullopt;
    const steady_clock::time_point due = found->second;
    due_.erase(found);
    return due;
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  Due due_;
};

struct End {
  TaskState state;
  Microseconds since_due;
};

// Collects ends until it is told that no more tasks come and all have ended, or to stop.
class Collector {
 public:
  Collector(Client client, Underway& underway)
      : client_(std::move(client)), underway_(underway), thread_([this] { run(); }) {}
  ~Collector() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  void no_more() { no_more_ = true; }
  bool done() const { return done_; }
  // The last call.
  std::vector<End> ends() {
    stop_ = true;
    thread_.join();
    return std::move(ends_);
  }

 private:
  void run() {
    while (!stop_) {
      const bool last = no_more_;
      const std::vector<TaskId> ids = underway_.ids();
      if (ids.empty()) {
        if (last) break;
        continue;
      }
      const auto results = client_.wait_any(ids, kSlice);
      if (!results.is_ok()) continue;  // the broker is away, or nothing has ended yet
      for (const TaskResult& result : *results) {
        if (const auto due = underway_.take(result.id))
          ends_.push_back({result.state, since(*due)});
      }
    }
    done_ = true;
  }

  Client client_;
  Underway& underway_;
  std::vector<End> ends_;
  std::atomic<bool> no_more_{false};
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

std::vector<TaskSpec> make_tasks(const TaskSpec& like, std::size_t count) {
  std::vector<TaskSpec> tasks(count, like);
  for (TaskSpec& task : tasks) task.id = TaskId::make(now());
  return tasks;
}

// Submits what is due, tick by tick, until the time is over. Each group is due when its tick began.
void submit_steadily(Client& client, const BenchOptions& options, const TaskSpec& like,
                     Underway& underway, Interrupts& interrupts, LoadReport& report) {
  const auto began = steady_clock::now();
  std::size_t sent = 0;
  while (!interrupts.next()) {
    const auto due = steady_clock::now();
    const auto passed =
        std::min<Duration>(std::chrono::floor<Duration>(due - began), options.duration);
    const auto wanted =
        static_cast<std::size_t>(options.rate * static_cast<double>(passed.count()) / 1000);
    while (sent < wanted) {
      std::vector<TaskSpec> tasks = make_tasks(like, std::min(wanted - sent, kTasksPerSubmit));
      sent += tasks.size();
      std::vector<TaskId> ids;
      for (const TaskSpec& task : tasks) ids.push_back(task.id);
      underway.add(ids, due);  // it may end before its submit is answered
      const Result<Submitted> submitted = client.submit(std::move(tasks));
      if (submitted.is_ok()) {
        report.accepted(ids.size(), since(due));
        continue;
      }
      report.refused(ids.size(), submitted.status());
      for (const TaskId& id : ids) (void)underway.take(id);
    }
    if (passed >= options.duration) break;
    std::this_thread::sleep_until(due + kTick);
  }
  report.submitted_for(std::chrono::floor<Duration>(steady_clock::now() - began));
}

Result<TaskSpec> task_like(const BenchOptions& options) {
  TaskSpec task;
  task.queue = QueueName(options.queue);
  task.owner = OwnerName(options.owner.empty() ? default_owner() : options.owner);
  task.labels = {{"name", "bench"}};
  task.body = std::string(options.body_bytes, 'x');
  if (options.body.empty()) return task;
  Result<std::string> body = config::read_file(options.body, kBodyBytesMax);
  if (!body.is_ok()) return body.status();
  task.body = std::move(*body);
  return task;
}

}  // namespace

ExitCode run(const BenchOptions& options, const GlobalOptions& global, Console& console) {
  const Result<TaskSpec> like = task_like(options);
  if (!like.is_ok()) return report(console, global, like.status());
  Result<Client> submitter = connect(global);
  if (!submitter.is_ok()) return report(console, global, submitter.status());
  Result<Client> waiter = connect(global);
  if (!waiter.is_ok()) return report(console, global, waiter.status());
  Interrupts interrupts;
  std::optional<EchoWorker> worker;
  if (!options.workers.empty()) {
    worker.emplace(options, options.workers);
    const auto until = steady_clock::now() + std::chrono::seconds(5);
    // The queue is there once its worker has come.
    while (steady_clock::now() < until) {
      const auto queues = submitter->queues();
      const bool there =
          queues.is_ok() && std::any_of(queues->begin(), queues->end(), [&](const auto& queue) {
            return queue.name.value == options.queue && queue.workers > 0;
          });
      if (there) break;
      std::this_thread::sleep_for(kTick);
    }
  }
  Underway underway;
  LoadReport load;
  Collector collector(std::move(*waiter), underway);
  submit_steadily(*submitter, options, *like, underway, interrupts, load);
  collector.no_more();
  const auto until = steady_clock::now() + options.grace;
  while (!collector.done() && steady_clock::now() < until && !interrupts.next()) {
    std::this_thread::sleep_for(kTick);
  }
  for (const End& end : collector.ends()) load.ended(end.state, end.since_due);
  if (global.json) {
    console.print(load.json());
  } else {
    for (const Line& line : load.lines()) console.print(line);
  }
  return load.exit_code();
}

}  // namespace assay::cli
