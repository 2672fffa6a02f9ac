// Keys on real sockets: who is let in and who is not, and that each of those who are not is told
// why instead of waiting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "assay/client.h"
#include "assay/progress.h"
#include "assay/worker.h"
#include "sdk/keys/key_file.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using support::BrokerProcess;
using support::http_get;
using support::Process;
using support::program;
using support::read_file;
using testing::HasSubstr;

class Keys : public testing::Test {
 protected:
  Keys() {
    fs::create_directories(known());
    for (const char* name : {"broker", "other_broker", "ann", "ben", "worker", "stranger"})
      EXPECT_TRUE(keys::write_key_files(keys::make_key_pair(name), folder_.path()).is_ok());
    for (const char* name : {"ann", "ben", "worker"}) admit(name);
    broker_.emplace(folder_.path(), std::vector<std::string>{"--broker-key", key("broker"),
                                                             "--known-keys", known()});
  }

  fs::path known() const { return folder_.path() / "known"; }
  std::string key(const std::string& name) const { return folder_.path() / (name + ".key"); }
  std::string pub(const std::string& name) const { return folder_.path() / (name + ".pub"); }
  void admit(const std::string& name) { fs::copy_file(pub(name), known() / (name + ".pub")); }

  ClientOptions client_of(const std::string& name, const std::string& server = "broker") const {
    ClientOptions options;
    options.endpoint = broker_->clients();
    options.call_timeout = std::chrono::seconds(20);
    options.notice = [](std::string_view) {};
    if (!name.empty()) options.key_file = key(name);
    if (!name.empty()) options.server_key = pub(server);
    return options;
  }
  Status connect(const ClientOptions& options) { return Client(options).connect(); }
  // Runs `assay` with these arguments; what it printed.
  std::string command(std::vector<std::string> arguments, int expected_status) {
    arguments.insert(arguments.begin(), program("assay"));
    const auto log = folder_.path() / "command.log";
    fs::remove(log);
    Process process(arguments, log);
    EXPECT_EQ(process.wait(), expected_status) << read_file(log);
    return read_file(log);
  }

  support::TemporaryFolder folder_;
  std::optional<BrokerProcess> broker_;
};

TaskSpec a_task() {
  TaskSpec task;
  task.id = TaskId::make(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  task.queue = QueueName("eval");
  task.owner = OwnerName("ann");
  task.body = "hello";
  return task;
}

TEST_F(Keys, KnownOnesCarryATaskThroughAllThreeSockets) {
  Subscriber feed({.feed_endpoint = broker_->feed(),
                   .broker_endpoint = broker_->clients(),
                   .key_file = key("ben"),
                   .server_key = pub("broker")});
  const Status started = feed.start();
  ASSERT_TRUE(started.is_ok()) << started.message() << read_file(broker_->log());
  Worker worker(
      {.endpoint = broker_->workers(),
       .queues = {QueueName("eval")},
       .notice = [](std::string_view) {},
       .key_file = key("worker"),
       .server_key = pub("broker")},
      [](const TaskAssignment& task, TaskContext&) { return TaskOutcome::done(task.body + "!"); });
  std::thread works([&worker] { EXPECT_TRUE(worker.run().is_ok()); });
  Client client(client_of("ann"));
  const TaskSpec task = a_task();
  ASSERT_TRUE(client.submit({task}).is_ok());
  const auto result = client.wait(task.id, std::chrono::seconds(20));
  worker.request_stop();
  works.join();
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->result, "hello!");
  bool succeeded = false;
  while (!succeeded) {
    const auto event = feed.next(std::chrono::seconds(20));
    ASSERT_TRUE(event.is_ok()) << event.status().message();
    ASSERT_TRUE(event->has_value());
    succeeded = (*event)->task == task.id && (*event)->state == TaskState::kSucceeded;
  }
}

TEST_F(Keys, AnUnknownOneIsToldWhoseKeyIsUnknownAndWhereToTakeIt) {
  const Status status = connect(client_of("stranger"));
  EXPECT_EQ(status.reason(), "unknown_key") << status.message();
  EXPECT_THAT(status.message(), HasSubstr("'stranger'"));
  EXPECT_THAT(status.message(), HasSubstr("known_keys"));
  EXPECT_THAT(read_file(broker_->log()), HasSubstr("connection_refused"));
  EXPECT_THAT(http_get(broker_->http(), "/metrics"),
              HasSubstr("assay_connections_refused_total{reason=\"unknown_key\"} 1"));
  Worker worker({.endpoint = broker_->workers(),
                 .queues = {QueueName("eval")},
                 .notice = [](std::string_view) {},
                 .key_file = key("stranger"),
                 .server_key = pub("broker")},
                [](const TaskAssignment&, TaskContext&) { return TaskOutcome::done(); });
  EXPECT_EQ(worker.run().reason(), "unknown_key");
  EXPECT_TRUE(connect(client_of("ann")).is_ok());
}

TEST_F(Keys, APeerWithoutOneIsToldToMakeOne) {
  const Status status = connect(client_of(""));
  EXPECT_EQ(status.reason(), "keys_differ") << status.message();
  EXPECT_THAT(status.message(), HasSubstr("assay keygen"));
  EXPECT_THAT(command({"queues", "--broker", broker_->clients()}, 2), HasSubstr("--key FILE"));
}

TEST_F(Keys, TheWrongOneOfTheBrokerIsFoundOut) {
  const Status status = connect(client_of("ann", "other_broker"));
  EXPECT_EQ(status.reason(), "handshake_failed") << status.message();
  EXPECT_THAT(status.message(), HasSubstr("public key"));
}

TEST_F(Keys, APeerWithOneIsToldThatTheBrokerHasNone) {
  fs::create_directories(folder_.path() / "plain");
  BrokerProcess plain(folder_.path() / "plain");
  ClientOptions options = client_of("ann");
  options.endpoint = plain.clients();
  const Status status = connect(options);
  EXPECT_EQ(status.reason(), "keys_differ") << status.message();
  EXPECT_THAT(status.message(), HasSubstr("has no keys"));
}

TEST_F(Keys, FilesThatOthersCanReadAreRefusedByEverybody) {
  fs::permissions(key("ann"), fs::perms::others_read, fs::perm_options::add);
  EXPECT_EQ(connect(client_of("ann")).reason(), "exposed_key");
  ClientOptions half = client_of("ben");
  half.server_key.clear();
  EXPECT_EQ(connect(half).reason(), "lacking_key");
}

TEST_F(Keys, TheCommandMakesThemAndUsesThem) {
  command({"keygen", "carla", "--dir", folder_.path()}, 0);
  EXPECT_THAT(command({"keygen", "carla", "--dir", folder_.path()}, 1),
              HasSubstr("not overwritten"));
  EXPECT_THAT(command({"keygen", "../carla"}, 2), HasSubstr("cannot name a key"));
  const std::vector<std::string> queues{"queues",     "--broker",     broker_->clients(), "--key",
                                        key("carla"), "--server-key", pub("broker")};
  EXPECT_THAT(command(queues, 2), HasSubstr("does not know the key 'carla'"));
}

TEST_F(Keys, LetTheBrokerListenToTheWorldAndItTriesThatStrangersStayOut) {
  fs::create_directories(folder_.path() / "open");
  BrokerProcess open(folder_.path() / "open", {"--broker-key", key("broker"), "--known-keys",
                                               known(), "--clients", "tcp://0.0.0.0:*"});
  EXPECT_THAT(open.clients(), HasSubstr("tcp://0.0.0.0:"));
  ClientOptions options = client_of("ann");
  options.endpoint = "tcp://127.0.0.1" + open.clients().substr(open.clients().rfind(':'));
  EXPECT_TRUE(connect(options).is_ok());
  EXPECT_THAT(read_file(open.log()), HasSubstr("\"security\":\"CURVE"));
}

TEST_F(Keys, ThatAreAddedOrRemovedCountFromTheNextSignalOn) {
  Client ann(client_of("ann")), ben(client_of("ben"));
  ASSERT_TRUE(ann.connect().is_ok());
  ASSERT_TRUE(ben.connect().is_ok());
  Subscriber feed({.feed_endpoint = broker_->feed(),
                   .broker_endpoint = broker_->clients(),
                   .key_file = key("ben"),
                   .server_key = pub("broker")});
  ASSERT_TRUE(feed.start().is_ok());
  fs::remove(known() / "ann.pub");
  admit("stranger");
  broker_->process().signal(SIGHUP);
  EXPECT_TRUE(support::eventually([&] { return connect(client_of("stranger")).is_ok(); }));
  // Her connection is still there and is of no use; a new one is refused.
  EXPECT_EQ(ann.queues().status().reason(), "unknown_key");
  EXPECT_EQ(connect(client_of("ann")).reason(), "unknown_key");
  const TaskSpec task = a_task();
  ASSERT_TRUE(ben.submit({task}).is_ok());
  // The feed was begun anew, and loses nothing for those who are still let in.
  const auto event = feed.next(std::chrono::seconds(20));
  ASSERT_TRUE(event.is_ok()) << event.status().message();
  ASSERT_TRUE(event->has_value());
  EXPECT_EQ((*event)->task, task.id);
}

TEST_F(Keys, OfAWorkerThatIsRemovedTakeItsTasksAwayAtOnce) {
  std::atomic<int> runs{0};
  const auto options = [&](const std::string& name) {
    return WorkerOptions{.endpoint = broker_->workers(),
                         .name = name,
                         .queues = {QueueName("eval")},
                         .notice = [](std::string_view) {},
                         .key_file = key(name),
                         .server_key = pub("broker")};
  };
  const auto handler = [&](const TaskAssignment&, TaskContext& context) {
    if (++runs == 1) context.wait_cancelled(std::chrono::minutes(1));
    return TaskOutcome::done();
  };
  Worker barred(options("worker"), handler);
  std::thread works([&] { static_cast<void>(barred.run()); });
  Client client(client_of("ann"));
  const TaskSpec task = a_task();
  ASSERT_TRUE(client.submit({task}).is_ok());
  EXPECT_TRUE(support::eventually([&] { return runs == 1; }));
  fs::remove(known() / "worker.pub");
  broker_->process().signal(SIGHUP);
  EXPECT_TRUE(support::eventually([&] { return client.queues()->front().queued == 1; }));
  Worker other(options("ben"), handler);
  std::thread works_too([&] { EXPECT_TRUE(other.run().is_ok()); });
  const auto result = client.wait(task.id, std::chrono::seconds(20));
  ASSERT_TRUE(result.is_ok()) << result.status().message();
  EXPECT_EQ(result->attempt.number, 2U);
  const auto info = client.status(task.id.text());
  ASSERT_TRUE(info.is_ok());
  EXPECT_THAT(info->attempts.front().ended_because, HasSubstr("key is no longer known"));
  for (Worker* worker : {&barred, &other}) {
    worker->request_stop();
    worker->request_stop();
  }
  works.join();
  works_too.join();
}

TEST_F(Keys, OfTheBrokerAreCheckedBeforeItStarts) {
  std::ofstream(known() / "broken.pub") << "name: x\npublic: 12\n";
  fs::copy_file(pub("ann"), known() / "copy.pub");
  const auto log = folder_.path() / "failed.log";
  Process process({program("assay-broker"), "--check-config", "--broker-key", key("broker"),
                   "--known-keys", known()},
                  log);
  EXPECT_EQ(process.wait(), 2);
  EXPECT_THAT(read_file(log), HasSubstr("broken.pub:2: public: expected 64"));
  EXPECT_THAT(read_file(log), HasSubstr("copy.pub: another file has the same key"));
}

}  // namespace
}  // namespace assay
