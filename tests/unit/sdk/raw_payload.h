// Payloads that our encoder would never write, by msgpack's own packer, and what is expected of
// them.
#ifndef ASSAY_TESTS_UNIT_SDK_RAW_PAYLOAD_H_
#define ASSAY_TESTS_UNIT_SDK_RAW_PAYLOAD_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <msgpack.hpp>
#include <string>

#include "sdk/wire/codec.h"

namespace assay::test {

class Payload {
 public:
  explicit Payload(std::uint32_t keys) { packer().pack_map(keys); }
  template <typename T>
  Payload& with(const std::string& key, const T& value) {
    packer().pack(key).pack(value);
    return *this;
  }
  Payload& with_list(const std::string& key, std::uint32_t count) {
    packer().pack(key).pack_array(count);
    return *this;
  }
  Payload& with_map(const std::string& key, std::uint32_t count) {
    packer().pack(key).pack_map(count);
    return *this;
  }
  Payload& with_bytes(const std::string& key, const std::string& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    packer().pack(key).pack_bin(size).pack_bin_body(bytes.data(), size);
    return *this;
  }
  Payload& item_map(std::uint32_t count) {
    packer().pack_map(count);
    return *this;
  }
  std::string bytes() const { return {buffer_.data(), buffer_.size()}; }

 private:
  msgpack::packer<msgpack::sbuffer> packer() { return msgpack::packer<msgpack::sbuffer>(buffer_); }
  msgpack::sbuffer buffer_;
};

// As a message of the same type as `type_from`.
inline Result<Message> decode_payload(const Message& type_from, const std::string& payload) {
  return wire::decode(wire::encode(type_from).header, payload);
}

inline void expect_malformed(const Result<Message>& result, const std::string& text) {
  ASSERT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().code(), Code::kFixInput);
  EXPECT_EQ(result.status().reason(), "malformed_message");
  EXPECT_THAT(result.status().message(), ::testing::HasSubstr(text));
}

}  // namespace assay::test

#endif  // ASSAY_TESTS_UNIT_SDK_RAW_PAYLOAD_H_
