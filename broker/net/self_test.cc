#include "broker/net/self_test.h"

#include <chrono>

#include "sdk/transport/plain_connection.h"

namespace assay::net {
namespace {

constexpr Duration kPatience{5000};

// A greeting for the mechanism NULL (https://rfc.zeromq.org/spec/23/), and the READY that a DEALER
// would say next.
std::string words_of_a_stranger() {
  std::string words(transport::kGreetingBytes, '\0');
  words[0] = '\xff';
  words[9] = '\x7f';
  words[10] = 3;  // version 3.0
  words.replace(12, 4, "NULL");
  std::string ready("\x05READY", 6);
  ready += std::string(
      "\x0bSocket-Type\0\0\0\x06"
      "DEALER",
      22);
  words += '\x04';  // a short command
  words += static_cast<char>(ready.size());
  return words + ready;
}

}  // namespace

Status check_that_strangers_stay_out(const std::string& endpoint,
                                     const std::function<void()>& meanwhile) {
  transport::PlainConnection stranger(endpoint, kPatience);
  if (!stranger.is_open() || !stranger.send(words_of_a_stranger())) {
    return internal_error("no_self_test", "cannot connect to " + endpoint +
                                              " to try whether it refuses peers without keys");
  }
  std::size_t heard = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (heard <= transport::kGreetingBytes && std::chrono::steady_clock::now() < deadline) {
    meanwhile();
    const auto more = stranger.receive(Duration(10));
    // It hung up, after its own greeting at most.
    if (!more) return Status::ok();
    heard += more->size();
  }
  return internal_error("unguarded", "a peer without a key was not turned away at " + endpoint +
                                         "; this broker must not run");
}

}  // namespace assay::net
