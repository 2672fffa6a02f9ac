// The broker is killed (SIGKILL) and started again, at random, while tasks are submitted and worked
// on. What it has acknowledged is there afterwards, and every task ended once.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "assay/client.h"
#include "broker/journal/journal.h"
#include "broker/journal/posix_file_system.h"
#include "broker/journal/record_codec.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::Process;
using support::program;

constexpr int kTasks = 10'000;
constexpr int kTasksPerSubmit = 20;
constexpr int kKills = 20;

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

TaskSpec echo_task(const std::string& body) {
  TaskSpec task;
  task.id = TaskId::make(wall_clock());
  task.queue = QueueName("echo");
  task.owner = OwnerName("ann");
  task.body = body;
  return task;
}

// Submits until all are acknowledged; a broker that is down is asked again, with the same ids.
void submit_all(const std::string& endpoint, std::map<TaskId, std::string>& acknowledged,
                std::atomic<int>& count) {
  Client client({.endpoint = endpoint, .call_timeout = std::chrono::seconds(2)});
  for (int done = 0; done < kTasks; done += kTasksPerSubmit) {
    std::vector<TaskSpec> tasks;
    for (int i = 0; i < kTasksPerSubmit; ++i)
      tasks.push_back(echo_task("task " + std::to_string(done + i)));
    for (;;) {
      auto submitted = client.submit(tasks);
      if (submitted.is_ok()) break;
      ASSERT_EQ(submitted.status().code(), Code::kRetryCall) << submitted.status().to_string();
    }
    for (const TaskSpec& task : tasks) acknowledged[task.id] = task.body;
    count += kTasksPerSubmit;
  }
}

struct RecordedEnds {
  std::map<TaskId, int> ended;
  std::map<TaskId, int> submitted;
};

RecordedEnds read_journal(const std::filesystem::path& data) {
  RecordedEnds ends;
  journal::PosixFileSystem files;
  auto opened = journal::Journal::open(
      files, data.string(), {}, [&](const journal::EntryView& entry) -> Status {
        auto record = journal::decode_record(entry.head);
        if (!record.is_ok()) return record.status();
        if (const auto* end = std::get_if<core::TaskEnded>(&*record)) {
          ++ends.ended[end->id];
        }
        if (const auto* task = std::get_if<core::TaskSubmitted>(&*record)) {
          ++ends.submitted[task->id];
        }
        return Status::ok();
      });
  EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
  return ends;
}

TEST(BrokerCrash, LosesNothingAndRecordsNothingTwice) {
  support::TemporaryFolder folder;
  BrokerProcess broker(folder.path(),
                       {"--queues", "echo", "--adoption-grace", "2s", "--lease", "4s"});
  std::vector<Process> workers;
  for (int i = 0; i < 2; ++i) {
    workers.emplace_back(std::vector<std::string>{program("echo_worker"), broker.workers(),
                                                  "w" + std::to_string(i), "16"},
                         folder.path() / "worker.log");
  }

  std::map<TaskId, std::string> acknowledged;
  std::atomic<int> count{0};
  std::thread producer([&] { submit_all(broker.clients(), acknowledged, count); });
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 chance(seed);
  for (int kill = 0; kill < kKills; ++kill) {
    // Spread over the whole run, each somewhere in its share of the tasks.
    const int share = kTasks / (kKills + 1);
    const int when = share * kill + static_cast<int>(chance() % static_cast<unsigned>(share));
    ASSERT_TRUE(
        support::eventually([&] { return count.load() >= when; }, std::chrono::seconds(60)));
    broker.kill();
    broker.start();
  }
  producer.join();
  ASSERT_EQ(acknowledged.size(), static_cast<std::size_t>(kTasks));

  Client client({.endpoint = broker.clients()});
  std::vector<TaskId> waiting;
  for (const auto& [id, body] : acknowledged) waiting.push_back(id);
  std::size_t correct = 0;
  while (!waiting.empty()) {
    auto results = client.wait_any(waiting, std::chrono::seconds(30));
    ASSERT_TRUE(results.is_ok()) << results.status().to_string() << ", " << waiting.size()
                                 << " missing";
    std::set<TaskId> ended;
    for (const TaskResult& result : *results) {
      ended.insert(result.id);
      if (result.state == TaskState::kSucceeded && result.result == acknowledged[result.id])
        ++correct;
    }
    std::erase_if(waiting, [&](const TaskId& id) { return ended.contains(id); });
  }
  broker.process().signal(SIGTERM);
  EXPECT_EQ(broker.process().wait(), 0);

  const RecordedEnds ends = read_journal(broker.data());
  std::size_t twice = 0, missing = 0;
  for (const auto& [id, body] : acknowledged) {
    const auto found = ends.ended.find(id);
    if (found == ends.ended.end()) ++missing;
    if (found != ends.ended.end() && found->second > 1) ++twice;
  }
  std::cout << acknowledged.size() << " acknowledged, " << ends.submitted.size() << " recorded, "
            << ends.ended.size() << " ended, " << correct << " with the right result, " << twice
            << " ended twice, " << missing << " missing, over " << kKills << " kills\n";
  EXPECT_EQ(correct, acknowledged.size());
  EXPECT_EQ(twice, 0U);
  EXPECT_EQ(missing, 0U);
}

}  // namespace
}  // namespace assay
