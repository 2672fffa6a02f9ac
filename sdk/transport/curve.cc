#include "sdk/transport/curve.h"

namespace assay::transport {
namespace {

zmq::const_buffer bytes_of(const keys::CurveKey& key) {
  return zmq::buffer(key.data(), key.size());
}

}  // namespace

Result<std::optional<ClientKeys>> read_client_keys(const KeySettings& settings) {
  if (settings.key_file.empty() && settings.server_key.empty()) return std::optional<ClientKeys>();
  if (settings.server_key.empty()) {
    return fix_input("lacking_key", "with the key file '" + settings.key_file +
                                        "' the broker's public key is needed too: the path of its "
                                        ".pub file, or its 64 hexadecimal digits");
  }
  if (settings.key_file.empty()) {
    return fix_input("lacking_key",
                     "with the broker's public key a key of one's own is needed too; make one "
                     "with 'assay keygen NAME' and give NAME.pub to whoever runs the broker");
  }
  auto own = keys::read_key_file(settings.key_file);
  if (!own.is_ok()) return own.status();
  auto server = keys::parse_server_key(settings.server_key);
  if (!server.is_ok()) return server.status();
  return std::optional(ClientKeys{std::move(*own), *server});
}

void use_keys(zmq::socket_t& socket, const ClientKeys& keys) {
  socket.set(zmq::sockopt::curve_serverkey, bytes_of(keys.server));
  socket.set(zmq::sockopt::curve_publickey, bytes_of(keys.own.public_key));
  socket.set(zmq::sockopt::curve_secretkey, bytes_of(keys.own.secret_key));
}

}  // namespace assay::transport
