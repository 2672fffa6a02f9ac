// Every bound of limits.h, from both sides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "sdk/wire/codec.h"
#include "sdk/wire/limits.h"
#include "tests/unit/sdk/raw_payload.h"

namespace assay {
namespace {

using test::decode_payload;
using test::expect_malformed;

TEST(CodecLimitsTest, ListsHoldSoManyItemsAndNoMore) {
  Await await{1, std::vector<TaskId>(wire::kListItemsMax), true};
  wire::Frames frames = wire::encode(await);
  EXPECT_TRUE(wire::decode(frames.header, frames.payload).is_ok());
  await.ids.emplace_back();
  frames = wire::encode(await);
  expect_malformed(wire::decode(frames.header, frames.payload),
                   "expected a list of at most 10000 items, found a list of 10001 items");
}

TEST(CodecLimitsTest, AListThatTheMessageCannotHoldIsRefusedAtOnce) {
  expect_malformed(decode_payload(Await{}, "\x81\xa3ids\xdc\x27\x10"), "ids: expected a list");
}

TEST(CodecLimitsTest, BodiesHoldSoManyBytesAndNoMore) {
  TaskSpec spec{
      .id = {}, .queue = QueueName("q"), .owner = OwnerName("o"), .labels = {}, .body = {}};
  spec.body.assign(wire::kBodyBytesMax, 'x');
  wire::Frames frames = wire::encode(Submit{1, {spec}});
  EXPECT_TRUE(wire::decode(frames.header, frames.payload).is_ok());
  spec.body.push_back('x');
  frames = wire::encode(Submit{1, {spec}});
  expect_malformed(
      wire::decode(frames.header, frames.payload),
      "body: expected binary of at most 16777216 bytes, found binary of 16777217 bytes");
}

TEST(CodecLimitsTest, MessagesHoldSoManyBytesAndNoMore) {
  Result<Message> result = decode_payload(Goodbye{}, std::string(wire::kMessageBytesMax + 1, '\0'));
  ASSERT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().reason(), "message_too_large");
  EXPECT_FALSE(wire::decode_event(std::string(wire::kMessageBytesMax + 1, '\0')).is_ok());
}

TEST(CodecLimitsTest, TextHoldsSoManyBytesAndNoMore) {
  const auto with_message = [](std::size_t size) {
    const wire::Frames frames =
        wire::encode(Error{0, Code::kInternal, "r", std::string(size, 'x'), Duration(0)});
    return wire::decode(frames.header, frames.payload);
  };
  EXPECT_TRUE(with_message(wire::kTextBytesMax).is_ok());
  expect_malformed(with_message(wire::kTextBytesMax + 1),
                   "ERROR: message: expected a string of at most 65536 bytes");
}

TEST(CodecLimitsTest, LabelsAreBoundedInNumberAndSize) {
  const auto with_labels = [](std::map<std::string, std::string> labels) {
    TaskSpec spec{
        .id = {}, .queue = QueueName("q"), .owner = OwnerName("o"), .labels = {}, .body = {}};
    spec.labels = std::move(labels);
    const wire::Frames frames = wire::encode(Submit{1, {spec}});
    return wire::decode(frames.header, frames.payload);
  };
  std::map<std::string, std::string> labels;
  for (std::size_t i = 0; i < wire::kLabelCountMax; ++i) labels[std::to_string(i)] = "x";
  EXPECT_TRUE(with_labels(labels).is_ok());
  labels["one more"] = "x";
  expect_malformed(with_labels(labels), "labels: expected at most 64 labels, found 65");

  EXPECT_TRUE(with_labels({{std::string(wire::kLabelKeyBytesMax, 'k'),
                            std::string(wire::kLabelValueBytesMax, 'v')}})
                  .is_ok());
  expect_malformed(with_labels({{std::string(wire::kLabelKeyBytesMax + 1, 'k'), ""}}),
                   "labels: expected a string of at most 128 bytes");
  expect_malformed(with_labels({{"k", std::string(wire::kLabelValueBytesMax + 1, 'v')}}),
                   "labels.k: expected a string of at most 1024 bytes");
}

TEST(CodecLimitsTest, RequiredLabelsAndDependenciesAreBoundedLikeLabelsAndLists) {
  TaskSpec spec;
  spec.queue = QueueName("q");
  spec.owner = OwnerName("o");
  for (std::size_t i = 0; i <= wire::kLabelCountMax; ++i) spec.require[std::to_string(i)] = "x";
  wire::Frames frames = wire::encode(Submit{1, {spec}});
  expect_malformed(wire::decode(frames.header, frames.payload),
                   "require: expected at most 64 labels, found 65");
  spec.require.clear();
  spec.after.resize(wire::kListItemsMax + 1);
  frames = wire::encode(Submit{1, {spec}});
  expect_malformed(wire::decode(frames.header, frames.payload),
                   "after: expected a list of at most 10000 items, found a list of 10001 items");
}

TEST(CodecLimitsTest, UnknownValuesMayNestSoDeepAndNoDeeper) {
  const auto nested = [](int levels) {
    return "\x82\xa7request\x01\xa6"
           "future" +
           std::string(static_cast<std::size_t>(levels), '\x91') + "\x01";
  };
  EXPECT_TRUE(decode_payload(QueuesRequest{}, nested(wire::kNestingMax - 1)).is_ok());
  expect_malformed(decode_payload(QueuesRequest{}, nested(wire::kNestingMax)),
                   "nests deeper than 16 levels");
  EXPECT_FALSE(decode_payload(QueuesRequest{}, nested(1'000'000)).is_ok());
}

}  // namespace
}  // namespace assay
