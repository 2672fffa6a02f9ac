// One of each message with every field set, and one of each with only what is required: the
// material of the wire's tests, of the golden bytes and of the fuzzer's corpus.
#ifndef ASSAY_TESTS_UNIT_SDK_MESSAGE_SAMPLES_H_
#define ASSAY_TESTS_UNIT_SDK_MESSAGE_SAMPLES_H_

#include <string>
#include <vector>

#include "assay/message.h"

namespace assay::test {

struct MessageSample {
  std::string name;  // "SUBMIT" or "SUBMIT minimal"
  Message message;
};

std::vector<MessageSample> message_samples();
FeedEvent full_event();

}  // namespace assay::test

#endif  // ASSAY_TESTS_UNIT_SDK_MESSAGE_SAMPLES_H_
