// A connection without libzmq, to see by hand what the other side says.
#ifndef ASSAY_SDK_TRANSPORT_PLAIN_CONNECTION_H_
#define ASSAY_SDK_TRANSPORT_PLAIN_CONNECTION_H_

#include <optional>
#include <string>

#include "assay/ids.h"

namespace assay::transport {

inline constexpr std::size_t kGreetingBytes = 64;  // https://rfc.zeromq.org/spec/23/

// Thread: one.
class PlainConnection {
 public:
  // Connects to tcp://HOST:PORT or ipc://PATH; is_open() tells whether it could. An address that
  // means "everywhere" is this machine.
  PlainConnection(const std::string& endpoint, Duration at_most);
  ~PlainConnection();
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  bool send(const std::string& bytes);
  // Waits for more bytes: what came, which is empty when nothing did; nothing when the other side
  // hung up.
  std::optional<std::string> receive(Duration at_most);

 private:
  int descriptor_ = -1;
};

// The security mechanism that a ZeroMQ socket demands: "NULL", "CURVE", ...; empty when what is
// there does not say.
std::string mechanism_at(const std::string& endpoint);

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_PLAIN_CONNECTION_H_
