// Cleanup against a real directory and a broker of the test's own.
#include "workers/cleanup/cleaner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace assay::cleanup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr Duration kDay{24 * 3'600'000};

// What the fake broker knows; shared by the views that it gives out.
struct FakeBroker {
  std::mutex mutex;
  std::set<std::string> needed;
  std::vector<TaskInfo> tasks;
  std::set<TaskId> forgotten;
  bool away = false;
};

class FakeView : public BrokerView {
 public:
  explicit FakeView(FakeBroker& broker) : broker_(broker) {}
  Result<std::vector<std::string>> references(std::span<const std::string> hashes) override {
    const std::lock_guard lock(broker_.mutex);
    if (broker_.away) return retry_later("broker_unreachable", "nobody there");
    std::vector<std::string> out;
    for (const std::string& hash : hashes) {
      if (broker_.needed.contains(hash)) out.push_back(hash);
    }
    return out;
  }
  Result<TaskList> list(ListRequest) override {
    TaskList list;
    list.tasks = broker_.tasks;
    return list;
  }
  Result<TaskInfo> status(const TaskId& id) override {
    for (const TaskInfo& task : broker_.tasks) {
      if (task.id == id) return task;
    }
    return not_found("unknown_task", "no such task");
  }
  Result<std::uint64_t> forget(std::span<const TaskId> ids) override {
    for (const TaskId& id : ids) broker_.forgotten.insert(id);
    return ids.size();
  }

 private:
  FakeBroker& broker_;
};

class QuietContext : public TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string) override {}
  void log(std::string) override {}
  void safety(std::string) override {}
  bool cancelled() const override { return cancelled_after >= 0 && asked_++ >= cancelled_after; }
  bool wait_cancelled(Duration) override { return cancelled(); }
  int cancelled_after = -1;

 private:
  mutable int asked_ = 0;
};

class CleanerTest : public testing::Test {
 protected:
  CleanerTest() {
    std::string name = (fs::temp_directory_path() / "assay-cleanup-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    store_ = open_artifacts({.location = folder_ / "store"}).value();
  }
  ~CleanerTest() override { fs::remove_all(folder_); }

  ArtifactHash put(const std::string& text, int days_old) {
    const ArtifactHash hash = put_text(*store_, text)->hash;
    fs::last_write_time(folder_ / "store/objects" / hash.text().substr(0, 2) / hash.text(),
                        fs::file_time_type::clock::now() - kDay * days_old);
    return hash;
  }
  bool there(const ArtifactHash& hash) { return store_->stat(hash).is_ok(); }

  json clean(const std::string& body = "") {
    CleanerSettings settings;
    settings.data_folder = folder_;
    settings.broker = [this] { return std::make_unique<FakeView>(broker_); };
    settings.now = [] {
      return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    };
    TaskAssignment task;
    task.body = body;
    outcome_ = Cleaner(std::move(settings), store_.get()).run(task, context_);
    return json::parse(outcome_.result, nullptr, false);
  }
  std::size_t audit_lines() {
    std::ifstream file(folder_ / "audit.jsonl");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) {
      EXPECT_TRUE(json::parse(line).contains("reason"));
      ++lines;
    }
    return lines;
  }

  fs::path folder_;
  FakeBroker broker_;
  QuietContext context_;
  std::unique_ptr<ArtifactStore> store_;
  TaskOutcome outcome_;
};

TEST_F(CleanerTest, TakesTheOldAndLeavesWhatIsNeededYoungOrLabelled) {
  const ArtifactHash old = put("old", 40);
  const ArtifactHash needed = put("needed", 40);
  const ArtifactHash young = put("young", 2);
  const ArtifactHash labelled = put("labelled", 40);
  broker_.needed.insert(needed.text());
  TaskInfo keeper;
  keeper.id = TaskId::make(Time(Duration(1)));
  keeper.labels = {{"keep", "true"}};
  broker_.tasks.push_back(keeper);
  ASSERT_TRUE(store_->set_name({keeper.id, "log.txt"}, labelled).is_ok());
  const TaskId other = TaskId::make(Time(Duration(2)));
  ASSERT_TRUE(store_->set_name({other, "log.txt"}, old).is_ok());

  const json dry = clean(R"({"dry_run":true})");
  EXPECT_EQ(dry["artifacts"]["removed"], 1);
  EXPECT_EQ(dry["artifacts"]["bytes"], 3);
  EXPECT_TRUE(there(old));
  EXPECT_EQ(audit_lines(), 0U);

  const json done = clean();
  EXPECT_EQ(outcome_.outcome, Outcome::kSucceeded) << outcome_.reason;
  EXPECT_EQ(done["artifacts"]["removed"], 1);
  EXPECT_EQ(done["artifacts"]["referenced"], 1);
  EXPECT_EQ(done["artifacts"]["labelled"], 1);
  EXPECT_EQ(done["items"][0]["id"], old.text());
  EXPECT_FALSE(there(old));
  EXPECT_TRUE(there(needed) && there(young) && there(labelled));
  EXPECT_EQ(store_->find_name({other, "log.txt"}).status().reason(), "unknown_name");
  EXPECT_EQ(audit_lines(), 1U);
  EXPECT_EQ(clean()["artifacts"]["removed"], 0);
}

TEST_F(CleanerTest, ForgetsOldTasksButThoseWithALabel) {
  for (int i = 0; i < 3; ++i) {
    TaskInfo info;
    info.id = TaskId::make(Time(Duration(i)));
    info.ended_at = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) -
                    kDay * (i == 2 ? 1 : 40);
    if (i == 1) info.labels["keep"] = "true";
    broker_.tasks.push_back(info);
  }
  const json done = clean();
  EXPECT_EQ(done["tasks"]["removed"], 1);
  EXPECT_EQ(done["tasks"]["labelled"], 1);
  EXPECT_EQ(broker_.forgotten, std::set<TaskId>{broker_.tasks[0].id});
}

TEST_F(CleanerTest, WithoutTheBrokersWordNothingGoes) {
  const ArtifactHash old = put("old", 40);
  broker_.away = true;
  clean();
  EXPECT_EQ(outcome_.outcome, Outcome::kRetry);
  EXPECT_TRUE(there(old));
  EXPECT_EQ(audit_lines(), 0U);
}

TEST_F(CleanerTest, StoppedAnywhereItCanRunAgain) {
  for (int stop = 0; stop < 12; ++stop) {
    for (int i = 0; i < 4; ++i) put("old" + std::to_string(i), 40);
    context_.cancelled_after = stop;
    clean();
    context_.cancelled_after = -1;
    clean();
    EXPECT_EQ(outcome_.outcome, Outcome::kSucceeded);
    std::size_t left = 0;
    (void)store_
        ->list([&](const ArtifactInfo&) {
          ++left;
          return Status::ok();
        })
        .is_ok();
    EXPECT_EQ(left, 0U) << "stopped at " << stop;
  }
}

// A thousand tasks that refer to old artifacts are submitted while cleanup runs. Each producer
// first makes its artifact young, and stores it again when it is gone: the rule of
// docs/artifacts.md.
TEST_F(CleanerTest, RacingAThousandNewTasksNoneLosesItsArtifact) {
  constexpr int kTasks = 1000;
  std::vector<ArtifactHash> hashes;
  for (int i = 0; i < kTasks; ++i) hashes.push_back(put("artifact " + std::to_string(i), 40));
  std::atomic<int> submitted{0};
  std::thread producer([&] {
    for (int i = 0; i < kTasks; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!store_->touch(hashes[at]).is_ok()) {
        EXPECT_TRUE(put_text(*store_, "artifact " + std::to_string(i)).is_ok());
      }
      const std::lock_guard lock(broker_.mutex);
      broker_.needed.insert(hashes[at].text());
      ++submitted;
    }
  });
  json last;
  while (submitted < kTasks) last = clean();
  producer.join();
  for (int i = 0; i < kTasks; ++i) {
    EXPECT_TRUE(there(hashes[static_cast<std::size_t>(i)])) << i;
  }
}

}  // namespace
}  // namespace assay::cleanup
