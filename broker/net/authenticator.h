// Who may connect at all: the broker's own key, the keys that it knows, and the ZAP handler that
// libzmq asks about every connection (https://rfc.zeromq.org/spec/27/).
#ifndef ASSAY_BROKER_NET_AUTHENTICATOR_H_
#define ASSAY_BROKER_NET_AUTHENTICATOR_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <zmq.hpp>

#include "assay/status.h"
#include "broker/core/event.h"
#include "sdk/keys/key_file.h"

namespace assay::net {

// The keys that a broker lets in, by their 64 hexadecimal digits.
using KnownKeys = std::unordered_map<std::string, core::Identity>;

// Reads every NAME.pub of a folder. Errors: `unreadable_file`, those of read_public_key_file,
// `repeated_key` (fix_input: two files with one name or one key); all of them at once, one a line.
Result<KnownKeys> read_known_keys(const std::string& folder);

// Thread: that of the loop. Connections wait until answer() is called.
class Authenticator {
 public:
  // Errors: `invalid_endpoint` when the context has a handler already.
  static Result<std::unique_ptr<Authenticator>> make(zmq::context_t& context, keys::KeyPair own,
                                                     KnownKeys known);

  // From now on the socket lets in nobody but those this one admits.
  void guard(zmq::socket_t& server) const;
  // Answers all that libzmq has asked.
  void answer();
  zmq::socket_ref socket() { return requests_; }

  // Who has this key, or null. The pointer is good until replace().
  const core::Identity* find(std::string_view hex_key) const;
  // True when somebody who was known is not any more.
  bool replace(KnownKeys known);
  // The broker connects to itself without a key. Errors: `unguarded` (internal): it was let in.
  Status check_that_strangers_stay_out(const std::string& endpoint);

  std::size_t known_count() const { return known_.size(); }
  // Connections refused since the start, by reason.
  const std::map<std::string, std::uint64_t>& refused() const { return refused_; }

 private:
  Authenticator(zmq::context_t& context, keys::KeyPair own, KnownKeys known);

  void note_refusal(const std::string& reason, std::string_view address, const std::string& key);

  keys::KeyPair own_;
  KnownKeys known_;
  zmq::socket_t requests_;
  std::map<std::string, std::uint64_t> refused_;
  std::chrono::steady_clock::time_point next_line_{};  // in the log
  std::uint64_t lines_left_out_ = 0;
};

// The key that the peer behind a message has proved to have, as hexadecimal digits; empty: none.
std::string_view key_of(const zmq::message_t& message);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_AUTHENTICATOR_H_
