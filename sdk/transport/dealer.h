// One DEALER socket to one broker: values of Message in and out. It knows nothing of the dialogue.
#ifndef ASSAY_SDK_TRANSPORT_DEALER_H_
#define ASSAY_SDK_TRANSPORT_DEALER_H_

#include <memory>
#include <optional>
#include <string>

#include "assay/message.h"
#include "assay/status.h"
#include "sdk/transport/instant.h"

namespace assay::transport {

struct KeySettings;

// libzmq connects and reconnects by itself, with backoff; what it cannot deliver waits in a bounded
// queue, and what exceeds that is dropped, which the sessions repair by repeating themselves.
//
// Thread: one at a time.
class Dealer {
 public:
  Dealer(std::string endpoint, KeySettings keys);
  ~Dealer();

  // A fresh socket under a new routing id; whatever the old one had queued is forgotten.
  // Key files are read anew. Errors: `invalid_endpoint` (fix_input), `no_sockets` (exhausted: a
  // limit of the system), those of read_client_keys.
  Status open();

  // Errors: `message_too_large` (fix_input): the broker would cut the connection over it. What
  // libzmq has no room for is dropped and is no error.
  Status send(const Message& message);

  // The next message that has arrived. Errors: those of wire::decode; the socket stays usable.
  std::optional<Result<Message>> receive();

  // Why the broker lets this side not in, once a handshake has told; see HandshakeWatch.
  std::optional<Status> take_refusal();

  // Waits until a message or a refusal may be there, `wake_descriptor` (-1: none) is readable, or
  // the time has come.
  void wait(Instant until, int wake_descriptor = -1);

  // Closes the socket, but gives what it has queued up to `linger` to leave.
  void close(Duration linger);

 private:
  struct Sockets;
  std::string endpoint_;
  std::unique_ptr<KeySettings> keys_;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_DEALER_H_
