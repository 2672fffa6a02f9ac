// Why a socket gets no connection, as far as its handshakes tell. libzmq says nothing to whoever
// sends and waits; its monitor does.
#ifndef ASSAY_SDK_TRANSPORT_HANDSHAKE_WATCH_H_
#define ASSAY_SDK_TRANSPORT_HANDSHAKE_WATCH_H_

#include <optional>
#include <string>
#include <zmq.hpp>

#include "assay/status.h"

namespace assay::transport {

// Thread: that of the socket that it watches, which must outlive it.
class HandshakeWatch {
 public:
  // `key_name` is empty when the socket has no keys.
  HandshakeWatch(zmq::context_t& context, zmq::socket_t& watched, std::string endpoint,
                 std::string key_name);
  HandshakeWatch(HandshakeWatch&&) = default;

  // Readable when there is news.
  void* handle() { return monitor_.handle(); }
  // What the other side has against this one, once it is known; told once a failure. Errors, all
  // fix_input: `unknown_key`, `keys_differ` (one side has keys and the other has none),
  // `handshake_failed` (the other side hangs up, again and again: most likely its key is another).
  std::optional<Status> take_refusal();

 private:
  Status refusal_of(int event, unsigned value) const;

  std::string endpoint_;
  std::string key_name_;
  zmq::socket_t monitor_;
  int hung_up_ = 0;
};

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_HANDSHAKE_WATCH_H_
