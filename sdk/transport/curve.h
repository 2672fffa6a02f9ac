// The keys of one side of a connection, and how a socket is given them.
#ifndef ASSAY_SDK_TRANSPORT_CURVE_H_
#define ASSAY_SDK_TRANSPORT_CURVE_H_

#include <optional>
#include <string>
#include <zmq.hpp>

#include "assay/status.h"
#include "sdk/keys/key_file.h"

namespace assay::transport {

// As options of the SDK have them: paths, or nothing for a connection without keys.
struct KeySettings {
  std::string key_file;
  std::string server_key;  // a NAME.pub, or 64 hexadecimal digits
};

struct ClientKeys {
  keys::KeyPair own;
  keys::CurveKey server{};
};

// Nothing when the settings are empty. Errors: those of read_key_file and parse_server_key;
// `lacking_key` (fix_input): one of the two is missing.
Result<std::optional<ClientKeys>> read_client_keys(const KeySettings& settings);

// From now on the socket connects to that server only, as the owner of that key.
void use_keys(zmq::socket_t& socket, const ClientKeys& keys);

}  // namespace assay::transport

#endif  // ASSAY_SDK_TRANSPORT_CURVE_H_
