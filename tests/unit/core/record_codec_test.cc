#include "broker/journal/record_codec.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::journal {
namespace {

TaskId an_id() {
  return *TaskId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
}
Time a_time() {
  return Time(Duration(1'700'000'000'123));
}

std::vector<core::Record> one_of_each() {
  return {
      core::BrokerStarted{.sequence = 1, .at = a_time()},
      core::QueueCreated{.sequence = 2, .queue = QueueName("eval")},
      core::TaskSubmitted{.sequence = 3,
                          .id = an_id(),
                          .at = a_time(),
                          .queue = QueueName("eval"),
                          .owner = OwnerName("ann"),
                          .priority = 7,
                          .max_attempts = 3,
                          .fingerprint = 0x0123456789ABCDEF,
                          .labels = {{"run", "7"}, {"empty", ""}}},
      core::TaskLeased{
          .sequence = 4, .id = an_id(), .at = a_time(), .attempt = {2}, .worker = WorkerName("w1")},
      core::AttemptEnded{.sequence = 5,
                         .id = an_id(),
                         .at = a_time(),
                         .attempt = {2},
                         .cause = Cause::kInfrastructure,
                         .counts_as_loss = true,
                         .counts_as_attempt = false,
                         .ready_at = a_time() + Duration(5),
                         .because = "silent"},
      core::TaskReady{.sequence = 6, .id = an_id(), .at = a_time()},
      core::CancelRequested{.sequence = 7, .id = an_id(), .at = a_time(), .reason = "mistake"},
      core::TaskEnded{.sequence = 8,
                      .id = an_id(),
                      .at = a_time(),
                      .attempt = {2},
                      .state = TaskState::kFailed,
                      .cause = Cause::kLimit,
                      .reason = "out of memory"},
      core::QueuePaused{.sequence = 9, .queue = QueueName("eval"), .paused = true},
      core::TaskRevived{.sequence = 10, .id = an_id(), .at = a_time()},
      core::TaskForgotten{.sequence = 11, .id = an_id()},
      core::TaskHeld{
          .sequence = 12, .id = an_id(), .at = a_time(), .key = "ann/body:00000000000000ff"},
      core::Quarantined{.sequence = 13,
                        .at = a_time(),
                        .key = "ann/image:sha256:00ff",
                        .losses = 8,
                        .reason = "its worker fell silent"},
      core::QuarantineReleased{.sequence = 14, .key = "ann/image:sha256:00ff"},
      core::TaskPinned{.sequence = 11, .id = an_id(), .pinned = true},
      core::TaskSubmitted{.sequence = 12,
                          .id = an_id(),
                          .at = a_time(),
                          .queue = QueueName("eval"),
                          .owner = OwnerName("ann"),
                          .after = {an_id(), TaskId()},
                          .on_failure = OnFailure::kRun,
                          .not_before = a_time(),
                          .deadline = a_time(),
                          .timeout = Duration(5),
                          .backoff_first = Duration(6),
                          .backoff_max = Duration(7),
                          .cost = 8,
                          .require = {{"gpu", "a100"}}},
  };
}

std::vector<core::Record> one_of_each_about_schedules() {
  return {
      core::ScheduleSet{.sequence = 11,
                        .name = "nightly",
                        .state = {.line = "0 3 * * *",
                                  .zone = "UTC",
                                  .settled = a_time(),
                                  .last_due = a_time(),
                                  .last_task = an_id()}},
      core::ScheduleFired{
          .sequence = 11, .id = an_id(), .at = a_time(), .name = "nightly", .due = a_time()},
      core::ScheduleRemoved{.sequence = 11, .name = "nightly"},
  };
}

std::vector<core::Record> one_of_each_of_a_checkpoint() {
  const TaskId id = an_id();
  return {
      core::EndedForgotten{.sequence = 15, .count = 3},
      core::TaskForgotten{.sequence = 16, .id = id, .from_history = true},
      core::CheckpointBegun{.sequence = 17, .owners = {OwnerName("ann"), OwnerName("bob")}},
      core::TaskCarried{.sequence = 18,
                        .submitted = std::get<core::TaskSubmitted>(one_of_each().back()),
                        .state = TaskState::kRunning,
                        .changed_at = a_time(),
                        .cause = Cause::kTask,
                        .attempt = 2,
                        .attempts_counted = 3,
                        .losses = 4,
                        .cancel_requested = true,
                        .handed_over = true,
                        .ended_by_report = true,
                        .pinned = true,
                        .has_deadline = true,
                        .dependencies_left = 5,
                        .dependents_left = 6,
                        .attempts = {{.attempt = {1},
                                      .worker = WorkerName("w1"),
                                      .started_at = a_time(),
                                      .ended_at = a_time(),
                                      .ended_because = "lost",
                                      .cause = Cause::kInfrastructure,
                                      .usage = {1, 2, 3, 4}},
                                     {.attempt = {2}, .started_at = a_time(), .ended_at = {}}},
                        .reason = "why",
                        .result_artifacts = {"00ff"},
                        .cached_from = id,
                        .followers = {id, id},
                        .held_by = "ann/body:00",
                        .usage = {5, 6, 7, 8}},
      core::DependentsCarried{.sequence = 19, .id = id, .dependents = {id}},
      core::RunCarried{.sequence = 20,
                       .queue = QueueName("eval"),
                       .owner = OwnerName("ann"),
                       .cache_key = "key",
                       .leader = id,
                       .success = TaskId(),
                       .followers = {id}},
      core::QueueCarried{.sequence = 21,
                         .queue = QueueName("eval"),
                         .last_sequence = 22,
                         .pass_now = 23,
                         .owners = {OwnerName("ann")},
                         .passes = {24}},
  };
}

std::string bytes_of(const core::Record& record) {
  std::string bytes;
  encode_record(record, bytes);
  return bytes;
}

TEST(RecordCodec, GivesBackWhatWasWritten) {
  std::vector<core::Record> records = one_of_each();
  for (auto more : {one_of_each_about_schedules(), one_of_each_of_a_checkpoint()})
    records.insert(records.end(), more.begin(), more.end());
  for (const core::Record& record : records) {
    const std::string bytes = bytes_of(record);
    const auto decoded = decode_record(bytes);
    ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
    EXPECT_EQ(bytes_of(*decoded), bytes);
    EXPECT_EQ(describe_record(*decoded), describe_record(record));
  }
}

TEST(RecordCodec, RefusesARecordThatEndsInTheMiddleOfAField) {
  std::vector<core::Record> records = one_of_each();
  for (core::Record& record : one_of_each_of_a_checkpoint()) records.push_back(std::move(record));
  for (const core::Record& record : records) {
    const std::string bytes = bytes_of(record);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      // Cut between two fields it is an older, shorter record; anywhere else it is damage. Neither
      // may crash.
      const auto decoded = decode_record(std::string_view(bytes).substr(0, length));
      EXPECT_TRUE(decoded.is_ok() || decoded.status().code() == Code::kDataLoss);
    }
  }
  EXPECT_EQ(decode_record(bytes_of(one_of_each()[2]).substr(0, 12)).status().reason(),
            "malformed_record");
}

TEST(RecordCodec, ReadsAFieldThatAnOlderRecordLacksAsItsDefault) {
  const core::TaskEnded ended{.sequence = 8, .id = an_id(), .at = a_time(), .attempt = {2}};
  std::string bytes = bytes_of(ended);
  // Its type, sequence, task, time, attempt, state and cause; without `reason` and what follows.
  bytes.resize(1 + 8 + 16 + 8 + 4 + 1 + 1);
  const auto decoded = decode_record(bytes);
  ASSERT_TRUE(decoded.is_ok());
  EXPECT_EQ(std::get<core::TaskEnded>(*decoded).reason, "");
}

TEST(RecordCodec, ReadsASubmitThatWasWrittenBeforeBodiesHadHashes) {
  std::string bytes;
  encode_record(core::TaskSubmitted{.sequence = 3, .id = an_id(), .at = a_time(), .body_hash = 7},
                bytes);
  ASSERT_EQ(bytes.back(), 0);
  bytes.resize(bytes.size() - 4);  // it is the last where nothing else is asked for
  bytes[0] = static_cast<char>(core::RecordType::kTaskSubmitted);
  const auto decoded = decode_record(bytes);
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(std::get<core::TaskSubmitted>(*decoded).body_hash, 0U);
  EXPECT_EQ(std::get<core::TaskSubmitted>(*decoded).id, an_id());
}

TEST(RecordCodec, KeepsUsageAndWhoseRunItWas) {
  const core::TaskEnded ended{
      .sequence = 8, .id = an_id(), .usage = {.cpu_seconds = 1.5}, .cached_from = an_id()};
  std::string bytes;
  encode_record(ended, bytes);
  const auto decoded = decode_record(bytes);
  ASSERT_TRUE(decoded.is_ok());
  EXPECT_EQ(std::get<core::TaskEnded>(*decoded).usage, ended.usage);
  EXPECT_EQ(std::get<core::TaskEnded>(*decoded).cached_from, an_id());
}

TEST(RecordCodec, RefusesATypeItDoesNotKnow) {
  EXPECT_EQ(decode_record("\xFFwhatever").status().reason(), "unknown_record");
}

TEST(RecordCodec, DescribesARecordInOneLine) {
  EXPECT_EQ(describe_record(one_of_each()[3]),
            "TaskLeased sequence=4 task=01ARZ3NDEKTSV4RRFFQ69G5FAV at=1700000000123 attempt=2 "
            "worker=\"w1\"");
}

}  // namespace
}  // namespace assay::journal
