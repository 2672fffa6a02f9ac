#include "broker/net/bind.h"

#include <cerrno>

namespace assay::net {

Status bind_socket(zmq::socket_t& socket, const std::string& endpoint, std::string& bound) {
  try {
    socket.bind(endpoint);
    bound = socket.get(zmq::sockopt::last_endpoint);
    return Status::ok();
  } catch (const zmq::error_t& error) {
    if (error.num() == EADDRINUSE) {
      return fix_input("address_in_use",
                       "cannot listen at " + endpoint +
                           ": the address is in use; is another assay-broker running? Stop it, or "
                           "choose another port");
    }
    return fix_input("invalid_endpoint", "cannot listen at '" + endpoint + "': " + error.what() +
                                             "; expected something like tcp://127.0.0.1:5555");
  }
}

bool is_loopback(const std::string& endpoint) {
  for (const char* prefix :
       {"tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://", "inproc://"}) {
    if (endpoint.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace assay::net
