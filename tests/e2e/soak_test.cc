// The broker and four workers are killed (SIGKILL) at random while tasks are submitted and worked
// on. No acknowledged task is lost, and none is recorded as ended twice. A short run unless told:
// ASSAY_SOAK_TASKS tasks, killing for ASSAY_SOAK_SECONDS (`.ci/run soak`: 50,000 and 120).
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "assay/client.h"
#include "broker/compaction/checkpoint_directory.h"
#include "broker/journal/journal.h"
#include "broker/journal/posix_file_system.h"
#include "broker/journal/record_codec.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::Process;
using support::program;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kWorkers = 4;
constexpr std::size_t kTasksPerSubmit = 50;

std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Soak : public testing::Test {
 protected:
  Soak() {
    for (std::size_t i = 0; i < kWorkers; ++i) workers_.push_back(start_worker(i));
  }

  Process start_worker(std::size_t number) {
    return Process({program("echo_worker"), broker_.workers(),
                    "w" + std::to_string(number) + "." + std::to_string(++worker_lives_), "16"},
                   folder_.path() / "worker.log");
  }

  // Submits until all are acknowledged; a broker that is down is asked again, with the same ids.
  void submit_all(std::size_t tasks_wanted) {
    Client client({.endpoint = broker_.clients(), .call_timeout = std::chrono::seconds(2)});
    for (std::size_t done = 0; done < tasks_wanted; done += kTasksPerSubmit) {
      std::vector<TaskSpec> tasks;
      for (std::size_t i = 0; i < kTasksPerSubmit; ++i) {
        TaskSpec task;
        task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
        task.queue = QueueName("echo");
        task.owner = OwnerName("ann");
        task.body = "task " + std::to_string(done + i);
        tasks.push_back(std::move(task));
      }
      while (!client.submit(tasks).is_ok()) ++submits_repeated_;
      for (const TaskSpec& task : tasks) acknowledged_[task.id] = task.body;
      all_submitted_ = done + kTasksPerSubmit >= tasks_wanted;
    }
  }

  void kill_at_random(std::chrono::seconds how_long) {
    const auto deadline = SteadyClock::now() + how_long;
    while (SteadyClock::now() < deadline) {
      // The next kill comes at any time; a broker that ends by itself meanwhile fails the test.
      ASSERT_EQ(broker_.process().wait(std::chrono::milliseconds(100 + chance_() % 1500)), -1);
      if (chance_() % 2 == 0) {
        broker_.kill();
        broker_.start();
        ++broker_kills_;
      } else {
        const std::size_t number = chance_() % kWorkers;
        workers_[number].reset();  // kills it
        workers_[number].emplace(start_worker(number));
        ++worker_kills_;
      }
    }
  }

  // Waits for every task; how many came with the right result.
  std::size_t wait_for_all() {
    Client client({.endpoint = broker_.clients()});
    std::vector<TaskId> waiting;
    for (const auto& [id, body] : acknowledged_) waiting.push_back(id);
    std::size_t correct = 0;
    while (!waiting.empty()) {
      const auto results = client.wait_any(waiting, std::chrono::seconds(60));
      EXPECT_TRUE(results.is_ok())
          << results.status().to_string() << ", " << waiting.size() << " missing";
      if (!results.is_ok()) return correct;
      std::set<TaskId> ended;
      for (const TaskResult& result : *results) {
        ended.insert(result.id);
        if (result.state == TaskState::kSucceeded && result.result == acknowledged_[result.id])
          ++correct;
      }
      std::erase_if(waiting, [&](const TaskId& id) { return ended.contains(id); });
    }
    return correct;
  }

  // A task that a checkpoint holds as ended has ended once before it.
  std::map<TaskId, int> ends_in_journal() const {
    std::map<TaskId, int> ends;
    const auto count = [&](const journal::EntryView& entry) -> Status {
      const auto record = journal::decode_record(entry.head);
      if (!record.is_ok()) return record.status();
      if (const auto* end = std::get_if<core::TaskEnded>(&*record)) ++ends[end->id];
      const auto* carried = std::get_if<core::TaskCarried>(&*record);
      if (carried != nullptr && is_ended(carried->state)) ++ends[carried->submitted.id];
      return Status::ok();
    };
    journal::PosixFileSystem files;
    const auto opened = journal::Journal::open(
        files, broker_.data().string(), {}, count, [&](const journal::Manifest& manifest) {
          EXPECT_GT(compaction::checkpoint_of(manifest), 0U) << "it was never compacted";
          return compaction::read_checkpoint(files, broker_.data().string(), manifest, count)
              .status();
        });
    EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
    return ends;
  }

  support::TemporaryFolder folder_;
  BrokerProcess broker_{
      folder_.path(),
      {"--queues", "echo", "--adoption-grace", "2s", "--lease", "4s", "--losses-max", "100",
       // Small, so that it is compacted all the time.
       "--segment-bytes", "64KiB", "--compaction-bytes-min", "256KiB"}};
  std::vector<std::optional<Process>> workers_;
  int worker_lives_ = 0;
  std::mt19937 chance_;
  std::map<TaskId, std::string> acknowledged_;
  std::atomic<bool> all_submitted_{false};
  std::size_t submits_repeated_ = 0;
  int broker_kills_ = 0;
  int worker_kills_ = 0;
};

TEST_F(Soak, KilledAtRandomNothingIsLostAndNothingEndsTwice) {
  const std::size_t tasks = from_environment("ASSAY_SOAK_TASKS", 4000);
  const std::chrono::seconds seconds(from_environment("ASSAY_SOAK_SECONDS", 8));
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  chance_.seed(seed);
  std::thread producer([&] { submit_all(tasks); });
  kill_at_random(seconds);
  producer.join();
  ASSERT_TRUE(all_submitted_);
  const std::size_t correct = wait_for_all();
  broker_.process().signal(SIGTERM);
  EXPECT_EQ(broker_.process().wait(), 0);
  const std::map<TaskId, int> ends = ends_in_journal();
  std::size_t twice = 0, missing = 0;
  for (const auto& [id, body] : acknowledged_) {
    const auto found = ends.find(id);
    if (found == ends.end()) ++missing;
    if (found != ends.end() && found->second > 1) ++twice;
  }
  std::cout << acknowledged_.size() << " acknowledged, " << correct << " with the right result, "
            << missing << " missing, " << twice << " ended twice; " << broker_kills_
            << " kills of the broker, " << worker_kills_ << " of workers, " << submits_repeated_
            << " submits repeated\n";
  EXPECT_EQ(acknowledged_.size(), tasks);
  EXPECT_EQ(correct, tasks);
  EXPECT_EQ(missing, 0U);
  EXPECT_EQ(twice, 0U);
}

}  // namespace
}  // namespace assay
