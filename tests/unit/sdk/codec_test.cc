// Messages to bytes and back, and every kind of damage on the way.
#include "sdk/wire/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <msgpack.hpp>
#include <random>
#include <set>

#include "sdk/wire/limits.h"
#include "tests/unit/sdk/message_samples.h"
#include "tests/unit/sdk/raw_payload.h"

namespace assay {
namespace {

using test::decode_payload;
using test::expect_malformed;
using test::message_samples;
using test::Payload;
using ::testing::HasSubstr;

const std::string kId(16, 'x');  // a task's, as bytes

// A SUBMIT of one task whose required keys are right, with `more` keys to come.
Payload submit_of_one(std::uint32_t more) {
  Payload payload(2);
  payload.with("request", 1).with_list("tasks", 1).item_map(3 + more);
  payload.with_bytes("id", kId).with("queue", std::string("eval")).with("owner", std::string("a"));
  return payload;
}

TEST(CodecTest, EveryMessageComesBackAsItWas) {
  for (const auto& [name, message] : message_samples()) {
    const wire::Frames frames = wire::encode(message);
    Result<Message> decoded = wire::decode(frames.header, frames.payload);
    ASSERT_TRUE(decoded.is_ok()) << name << ": " << decoded.status().to_string();
    EXPECT_EQ(*decoded, message) << name;
  }
}

TEST(CodecTest, SamplesCoverEveryTypeOfMessageAndEachHasAName) {
  std::set<std::size_t> seen;
  std::set<MessageType> types;
  for (const auto& [name, message] : message_samples()) {
    seen.insert(message.index());
    types.insert(type_of(message));
    EXPECT_EQ(name.substr(0, name.find(' ')), to_string(type_of(message)));
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<Message>);
  EXPECT_EQ(types.size(), std::variant_size_v<Message>);
}

TEST(CodecTest, EveryPayloadIsOneMapForAnotherMsgpackImplementation) {
  for (const auto& [name, message] : message_samples()) {
    const std::string payload = wire::encode(message).payload;
    std::size_t offset = 0;
    const auto handle = msgpack::unpack(payload.data(), payload.size(), offset);
    EXPECT_EQ(handle.get().type, msgpack::type::MAP) << name;
    EXPECT_EQ(offset, payload.size()) << name;
  }
}

TEST(CodecTest, HeaderIsMagicVersionAndTypeBigEndian) {
  EXPECT_EQ(wire::encode(Tasks{}).header, std::string("ASSAY\x01\x00\x30", 8));
  EXPECT_EQ(wire::encode(Tasks{}).header.size(), wire::kHeaderBytes);
}

TEST(CodecTest, InitialValuesAreLeftOut) {
  EXPECT_EQ(wire::encode(Heartbeat{}).payload, "\x80");
  EXPECT_EQ(wire::encode(Goodbye{}).payload, "\x80");
}

TEST(CodecTest, UnknownKeysOfAnyTypeAreIgnored) {
  const std::vector<int> list = {1, -2, 70'000};
  const std::map<std::string, std::vector<int>> map = {{"deep", list}};
  Payload payload(8);
  payload.with("future_float", 1.5).with("future_list", list).with("future_map", map);
  payload.with("future_nil", msgpack::type::nil_t()).with("request", 9).with("future_bool", true);
  payload.with("future_text", std::string(70'000, 'x')).with_bytes("future_bytes", kId);
  Result<Message> decoded = decode_payload(QueuesRequest{}, payload.bytes());
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(std::get<QueuesRequest>(*decoded).request, 9U);
}

TEST(CodecTest, KeysMayComeInAnyOrderAndOptionalOnesMayBeNil) {
  Payload payload(3);
  payload.with("follow", msgpack::type::nil_t()).with_list("ids", 0).with("request", 3);
  Result<Message> decoded = decode_payload(Await{}, payload.bytes());
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(std::get<Await>(*decoded), (Await{3, {}, true}));
}

TEST(CodecTest, AnyWidthOfIntegerIsRead) {
  for (const std::string integer : {"\x07", "\xcc\x07", "\xd0\x07", "\xd1\x00\x07"}) {
    // One of the literals holds a zero byte, at which its conversion to a string ends.
    const std::string bytes = integer[0] == '\xd1' ? std::string("\xd1\x00\x07", 3) : integer;
    Result<Message> decoded = decode_payload(QueuesRequest{}, "\x81\xa7request" + bytes);
    ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
    EXPECT_EQ(std::get<QueuesRequest>(*decoded).request, 7U);
  }
}

TEST(CodecTest, NumbersComeBackWhateverTheirSignAndWidth) {
  // msgpack's packer turns some of these into integers.
  for (const double seconds :
       {0.0, 0.1, 3.0, -3.0, -0.5, -200.0, -24576.0, -3e9, -1e18, 1e18, 1e300}) {
    QueueInfo queue;
    queue.name = QueueName("q");
    queue.oldest_seconds = seconds;
    const Message message = QueueList{1, {queue}};
    const wire::Frames frames = wire::encode(message);
    Result<Message> decoded = wire::decode(frames.header, frames.payload);
    ASSERT_TRUE(decoded.is_ok()) << seconds << ": " << decoded.status().to_string();
    EXPECT_EQ(*decoded, message) << seconds;
  }
}

TEST(CodecTest, GreatestNumbersComeBack) {
  Submit submit{std::numeric_limits<std::uint64_t>::max(), {}};
  const wire::Frames frames = wire::encode(submit);
  EXPECT_EQ(wire::decode(frames.header, frames.payload).value(), Message(submit));
}

TEST(CodecTest, ForeignHeaderIsNotAssay) {
  const std::string good = wire::encode(Goodbye{}).header;
  for (const std::string& header : {std::string(), std::string("ASSAY"), good + "x",
                                    "essay" + good.substr(5), std::string(8, '\0')}) {
    Result<Message> result = wire::decode(header, "\x80");
    ASSERT_FALSE(result.is_ok());
    EXPECT_EQ(result.status().reason(), "not_assay");
    EXPECT_EQ(result.status().code(), Code::kFixInput);
  }
}

TEST(CodecTest, OtherVersionIsRefusedByName) {
  std::string header = wire::encode(Goodbye{}).header;
  header[5] = 2;
  Result<Message> result = wire::decode(header, "\x80");
  ASSERT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().reason(), "unsupported_version");
  EXPECT_EQ(result.status().message(), "expected protocol version 1, found 2");
}

TEST(CodecTest, UnknownTypeIsRefusedByNumber) {
  std::string header = wire::encode(Goodbye{}).header;
  header[6] = 1;
  header[7] = 0;
  Result<Message> result = wire::decode(header, "\x80");
  ASSERT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().reason(), "unknown_message");
  EXPECT_THAT(result.status().message(), HasSubstr("found 256"));
}

TEST(CodecTest, MissingRequiredKeyIsNamed) {
  expect_malformed(decode_payload(Submit{}, Payload(1).with("request", 1).bytes()),
                   "SUBMIT: tasks: the required key is missing");
  Payload payload(2);
  payload.with("request", 1).with_list("tasks", 1).item_map(1).with_bytes("id", kId);
  expect_malformed(decode_payload(Submit{}, payload.bytes()),
                   "SUBMIT: tasks[0].queue: the required key is missing");
}

TEST(CodecTest, WrongTypeIsNamedWithWhatWasExpectedAndFound) {
  expect_malformed(
      decode_payload(QueuesRequest{}, Payload(1).with("request", true).bytes()),
      "QUEUES: request: expected an integer from 0 to 18446744073709551615, found true");
  expect_malformed(decode_payload(QueuesRequest{}, Payload(1).with("request", -1).bytes()),
                   "found a signed integer");
  expect_malformed(decode_payload(Await{}, Payload(1).with("ids", 5).bytes()),
                   "AWAIT: ids: expected a list of at most 10000 items, found the integer 5");
  expect_malformed(decode_payload(Await{}, Payload(1).with("follow", 1).bytes()),
                   "AWAIT: follow: expected true or false, found the integer 1");
  expect_malformed(
      decode_payload(Submit{}, submit_of_one(1).with("body", std::string("text")).bytes()),
      "SUBMIT: tasks[0].body: expected binary of at most 16777216 bytes, found a string of 4 "
      "bytes");
  expect_malformed(
      decode_payload(Submit{}, submit_of_one(1).with("priority", 256).bytes()),
      "SUBMIT: tasks[0].priority: expected an integer from 0 to 255, found the integer 256");
  expect_malformed(decode_payload(QueuesRequest{}, "\x91\x01"),
                   "expected a map, found a list of 1 items");
}

TEST(CodecTest, EnumerationsAreRangeChecked) {
  expect_malformed(decode_payload(Error{}, Payload(1).with("code", 9).bytes()),
                   "ERROR: code: expected an integer from 0 to 8, found the integer 9");
}

TEST(CodecTest, TaskIdMustBeSixteenBytes) {
  for (const std::size_t size : {0U, 15U, 17U}) {
    Payload payload(2);
    payload.with("request", 1).with_list("tasks", 1).item_map(1);
    payload.with_bytes("id", std::string(size, 'x'));
    expect_malformed(decode_payload(Submit{}, payload.bytes()), "SUBMIT: tasks[0].id: expected");
  }
}

TEST(CodecTest, NamesMustFollowTheirRule) {
  for (const std::string& name : {std::string(), std::string("-first"), std::string("two words"),
                                  std::string("a/b"), std::string(65, 'a')}) {
    Payload payload(2);
    payload.with("request", 1).with_list("tasks", 1).item_map(2);
    payload.with_bytes("id", kId).with("queue", name);
    expect_malformed(decode_payload(Submit{}, payload.bytes()), "SUBMIT: tasks[0].queue: expected");
  }
}

TEST(CodecTest, KeyThatComesTwiceIsRefused) {
  expect_malformed(
      decode_payload(QueuesRequest{}, Payload(2).with("request", 1).with("request", 2).bytes()),
      "QUEUES: request: the key is there twice");
}

TEST(CodecTest, BytesAfterTheMapAreRefused) {
  expect_malformed(decode_payload(Goodbye{}, "\x80\x01"),
                   "expected one map, found 1 bytes after it");
}

TEST(CodecTest, TimesAndDurationsAreBounded) {
  expect_malformed(
      decode_payload(Error{}, Payload(1).with("retry_after", wire::kDurationMsMax + 1).bytes()),
      "ERROR: retry_after: expected an integer from 0 to 1000000000000");
  Payload payload(2);
  payload.with("request", 1).with_map("task", 1).with("submitted_at", wire::kTimeMsMax + 1);
  expect_malformed(decode_payload(TaskStatus{}, payload.bytes()),
                   "TASK_STATUS: task.submitted_at: expected");
}

TEST(CodecTest, EveryMessageCutAnywhereIsRefused) {
  for (const auto& [name, message] : message_samples()) {
    const wire::Frames frames = wire::encode(message);
    for (std::size_t size = 0; size < frames.payload.size(); ++size) {
      const std::string cut = frames.payload.substr(0, size);
      EXPECT_FALSE(wire::decode(frames.header, cut).is_ok()) << name << " cut at " << size;
      static_cast<void>(wire::peek_request(cut));
    }
    for (std::size_t size = 0; size < frames.header.size(); ++size) {
      EXPECT_FALSE(wire::decode(frames.header.substr(0, size), frames.payload).is_ok());
    }
  }
}

// Damage may leave a message that is still one; then it must survive another round trip.
TEST(CodecTest, EveryMessageWithAnyByteChangedIsRefusedOrStillOne) {
  std::mt19937 chance(20'240'607);  // the seed; the run is the same every time
  for (const auto& [name, message] : message_samples()) {
    const wire::Frames frames = wire::encode(message);
    for (std::size_t i = 0; i < frames.payload.size(); ++i) {
      for (int step = 0; step < 8; ++step) {
        std::string damaged = frames.payload;
        damaged[i] = static_cast<char>(chance());
        Result<Message> decoded = wire::decode(frames.header, damaged);
        if (!decoded.is_ok()) {
          EXPECT_FALSE(decoded.status().message().empty());
          continue;
        }
        const wire::Frames again = wire::encode(*decoded);
        Result<Message> twice = wire::decode(again.header, again.payload);
        ASSERT_TRUE(twice.is_ok()) << name << " byte " << i << ": " << twice.status().to_string();
      }
    }
  }
}

TEST(CodecTest, RequestNumberIsFoundInARefusedMessage) {
  const std::string payload = Payload(3).with("tasks", 5).with("request", 77).with("x", 1).bytes();
  EXPECT_FALSE(decode_payload(Submit{}, payload).is_ok());
  EXPECT_EQ(wire::peek_request(payload), 77U);
  EXPECT_EQ(wire::peek_request(""), 0U);
  EXPECT_EQ(wire::peek_request("\x80"), 0U);
  EXPECT_EQ(wire::peek_request(Payload(1).with("request", true).bytes()), 0U);
}

TEST(CodecTest, EventComesBackAsItWas) {
  const FeedEvent event = test::full_event();
  const wire::EventFrames frames = wire::encode_event(event);
  EXPECT_EQ(frames.topic, "eval/01HZY3V7QK5N8D2R4T6W9X0ABC/progress");
  EXPECT_EQ(wire::decode_event(frames.payload).value(), event);
  for (std::size_t size = 0; size < frames.payload.size(); ++size) {
    Result<FeedEvent> cut = wire::decode_event(frames.payload.substr(0, size));
    ASSERT_FALSE(cut.is_ok());
    EXPECT_THAT(cut.status().message(), ::testing::StartsWith("event: "));
  }
}

TEST(CodecTest, EventOfAWorkerLeavesTheTaskOut) {
  FeedEvent event;
  event.sequence = 1;
  event.kind = EventKind::kWorker;
  event.worker = WorkerName("eval-1");
  EXPECT_EQ(wire::decode_event(wire::encode_event(event).payload).value(), event);
}

}  // namespace
}  // namespace assay
