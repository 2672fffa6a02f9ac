// Binding a socket, with errors that say what to do.
#ifndef ASSAY_BROKER_NET_BIND_H_
#define ASSAY_BROKER_NET_BIND_H_

#include <string>
#include <zmq.hpp>

#include "assay/status.h"

namespace assay::net {

// Binds and tells the endpoint as bound, with the port that the system chose.
// Errors: `address_in_use`, `invalid_endpoint` (fix_input).
Status bind_socket(zmq::socket_t& socket, const std::string& endpoint, std::string& bound);

// True for endpoints that only this machine can reach.
bool is_loopback(const std::string& endpoint);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_BIND_H_
