// What the broker says when it can't start, and that it says it in one line.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <span>

#include "broker/journal/format.h"
#include "tests/support/broker_process.h"

namespace assay {
namespace {

using support::BrokerProcess;
using support::Process;
using support::program;
using support::read_file;
using testing::Test;

class BrokerStart : public Test {
 protected:
  // Starts a broker with these flags; it must end by itself. Returns what it printed.
  std::string start(std::vector<std::string> flags, int expected_status) {
    std::vector<std::string> command{program("assay-broker"), "--http", ""};
    command.insert(command.end(), flags.begin(), flags.end());
    const auto log = folder_.path() / "failed.log";
    std::filesystem::remove(log);
    Process process(command, log);
    EXPECT_EQ(process.wait(), expected_status) << read_file(log);
    return read_file(log);
  }
  std::vector<std::string> free_ports() {
    return {"--clients", "tcp://127.0.0.1:*", "--workers", "tcp://127.0.0.1:*",
            "--feed",    "tcp://127.0.0.1:*"};
  }
  std::string start_over(const std::filesystem::path& data) {
    auto flags = free_ports();
    flags.insert(flags.end(), {"--data-dir", data.string()});
    return start(flags, 1);
  }
  // A journal with something in it, closed in good order, and its only segment.
  std::filesystem::path a_journal() {
    BrokerProcess broker(folder_.path());
    broker.process().signal(SIGTERM);
    EXPECT_EQ(broker.process().wait(), 0);
    return broker.data();
  }
  static std::filesystem::path segment_of(const std::filesystem::path& data) {
    std::filesystem::path largest;
    std::uintmax_t size = 0;
    for (const auto& file : std::filesystem::directory_iterator(data)) {
      if (file.file_size() > size) {
        size = file.file_size();
        largest = file.path();
      }
    }
    return largest;
  }
  static void overwrite(const std::filesystem::path& file, std::streamoff offset,
                        const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(offset);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  support::TemporaryFolder folder_;
};

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "expected '" << part << "' in:\n" << text;
}

TEST_F(BrokerStart, NamesThePortThatIsInUse) {
  BrokerProcess other(folder_.path() / "");
  const std::string said =
      start({"--clients", other.clients(), "--workers", "tcp://127.0.0.1:*", "--feed",
             "tcp://127.0.0.1:*", "--data-dir", (folder_.path() / "second").string()},
            1);
  expect_in(said, other.clients());
  expect_in(said, "is another assay-broker running?");
}

TEST_F(BrokerStart, NamesTheBrokerThatHasTheDataAlready) {
  BrokerProcess other(folder_.path());
  expect_in(start_over(other.data()), other.data().string());
}

TEST_F(BrokerStart, RefusesToListenToTheWorldWithoutKeys) {
  const std::string said =
      start({"--clients", "tcp://0.0.0.0:5999", "--data-dir", (folder_.path() / "d").string()}, 1);
  expect_in(said, "loopback only");
}

TEST_F(BrokerStart, SaysWhyADataDirectoryCantBeWritten) {
  const auto file = folder_.path() / "a_file";
  std::ofstream(file) << "not a folder";
  expect_in(start_over(file / "data"), file.string());
}

TEST_F(BrokerStart, RefusesAJournalOfANewerVersionAndNamesBoth) {
  const auto data = a_journal();
  const auto segment = segment_of(data);
  auto header =
      journal::decode_segment_header(read_file(segment).substr(0, journal::kSegmentHeaderBytes));
  ASSERT_TRUE(header.header.has_value()) << header.malformed.what;
  header.header->version = 99;
  std::string bytes(journal::kSegmentHeaderBytes, '\0');
  journal::encode(*header.header,
                  std::span<char, journal::kSegmentHeaderBytes>(bytes.data(), bytes.size()));
  overwrite(segment, 0, bytes);
  const std::string said = start_over(data);
  expect_in(said, "99");
  expect_in(said, "version");
}

TEST_F(BrokerStart, RefusesAJournalWithADamagedMiddleAndSaysWhereAndWhatToDo) {
  const auto data = a_journal();
  // The first batch, with everything after it still whole.
  overwrite(segment_of(data), journal::kSegmentHeaderBytes + 40, "damage");
  const std::string said = start_over(data);
  expect_in(said, segment_of(data).string() + " is damaged at offset 64");
  expect_in(said, "--verify");
  expect_in(said, "--repair");
}

TEST_F(BrokerStart, MendsADamagedJournalAndGoesOnWithWhatIsIntact) {
  const auto data = a_journal();
  const std::vector<std::string> verify{"--data-dir", data.string(), "--verify"};
  start(verify, 0);
  overwrite(segment_of(data), journal::kSegmentHeaderBytes + 40, "damage");
  expect_in(start(verify, 1), "offset 64");
  start({"--data-dir", data.string(), "--repair"}, 0);
  start(verify, 0);
  BrokerProcess broker(folder_.path());
  EXPECT_EQ(support::http_get(broker.http(), "/readyz"), "ready\n");
}

TEST_F(BrokerStart, PrintsAndBacksUpAJournal) {
  BrokerProcess broker(folder_.path());
  const auto copy = folder_.path() / "copy";
  start({"--data-dir", broker.data().string(), "--backup", copy.string()}, 0);
  expect_in(start({"--data-dir", copy.string(), "--print"}, 0), "QueueCreated sequence=");
}

TEST_F(BrokerStart, NamesEveryMistakeOfAConfigurationWithItsLine) {
  const auto config = folder_.path() / "broker.yaml";
  std::ofstream(config) << "lease: soon\nheartbeat: 1s\nlosses_max: 0\n";
  const std::string said = start({"--config", config.string(), "--check-config"}, 2);
  expect_in(said, "broker.yaml:1: ");
  expect_in(said, "broker.yaml:2: unknown key 'heartbeat'");
  expect_in(said, "broker.yaml:3: ");
}

TEST_F(BrokerStart, SharesAndQuotasAreCheckedLikeTheRest) {
  const auto config = folder_.path() / "broker.yaml";
  std::ofstream(config) << "owner_rules:\n"
                           "  red-team: {weight: 3, running_cost_max: 40}\n"
                           "queue_rules:\n"
                           "  eval: {tasks_max: 9, bytes_max: 1GiB, owner_running_cost_max: 8}\n"
                           "ageing_step: 10m\n";
  start({"--config", config.string(), "--check-config"}, 0);
  std::ofstream(config) << "owner_rules:\n"
                           "  red-team: {weight: 0}\n"
                           "  no/name: {weight: 1}\n"
                           "queue_rules:\n"
                           "  eval: {bytes_max: much}\n";
  const std::string said = start({"--config", config.string(), "--check-config"}, 2);
  expect_in(said, "broker.yaml:2: owner_rules.red-team.weight");
  expect_in(said, "broker.yaml:3: ");
  expect_in(said, "broker.yaml:5: queue_rules.eval.bytes_max");
}

TEST_F(BrokerStart, SchedulesAreCheckedLikeTheRest) {
  const auto config = folder_.path() / "broker.yaml";
  std::ofstream(config) << "schedules:\n"
                           "  nightly: {cron: 0 3 * * *, timezone: Europe/Berlin, queue: cleanup,\n"
                           "            owner: ops, body: '{}', labels: {kind: nightly}}\n";
  start({"--config", config.string(), "--check-config"}, 0);
  std::ofstream(config)
      << "schedules:\n"
         "  one: {cron: 0 25 * * *, queue: cleanup, owner: ops}\n"
         "  two: {cron: 0 0 31 2 *, queue: cleanup, owner: ops}\n"
         "  three: {cron: '@daily', timezone: Mars/Base, queue: a/b, owner: ops}\n"
         "  four: {queue: cleanup}\n";
  const std::string said = start({"--config", config.string(), "--check-config"}, 2);
  expect_in(said, "broker.yaml:2: schedules.one.cron: hour: expected");
  expect_in(said, "broker.yaml:3: schedules.two.cron: there is no such day");
  expect_in(said, "broker.yaml:4: schedules.three.timezone: the system knows no zone 'Mars/Base'");
  expect_in(said, "broker.yaml:4: schedules.three.queue: expected 1 to 64");
  expect_in(said, "broker.yaml:5: ");
}

}  // namespace
}  // namespace assay
