// The address of a socket's other side as text, for filters. For transfer.cc only.
#ifndef ASSAY_SDK_HTTP_PEER_ADDRESS_H_
#define ASSAY_SDK_HTTP_PEER_ADDRESS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace assay::http {

struct PeerAddress {
  std::string text;  // "192.0.2.7", "2001:db8::1"
  std::uint16_t port = 0;
};

// `address` is a sockaddr of `size` bytes. Nothing when it is neither IPv4 nor IPv6.
std::optional<PeerAddress> peer_address(const void* address, std::size_t size);

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_PEER_ADDRESS_H_
