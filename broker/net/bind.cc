#include "broker/net/bind.h"

#include <cerrno>
#include <charconv>
#include <cstdint>

namespace assay::net {

namespace {

// libzmq takes the port of 70000 for 4464.
bool has_a_port_too_large(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with("tcp://") || colon == std::string::npos) return false;
  std::uint32_t port = 0;
  const char* const begin = endpoint.data() + colon + 1;
  const char* const end = endpoint.data() + endpoint.size();
  const auto [at, error] = std::from_chars(begin, end, port);
  return error == std::errc::result_out_of_range || (at == end && port > 65'535);
}

}  // namespace

Status bind_socket(zmq::socket_t& socket, const std::string& endpoint, std::string& bound) {
  if (has_a_port_too_large(endpoint)) {
    return fix_input("invalid_endpoint",
                     "cannot listen at '" + endpoint + "': expected a port of at most 65535");
  }
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
