#include "sdk/transport/plain_connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace assay::transport {
namespace {

constexpr Duration kProbeMax{1000};
constexpr std::size_t kMechanismOffset = 12;
constexpr std::size_t kMechanismBytes = 20;

bool ready(int descriptor, short events, Duration at_most) {
  pollfd item{descriptor, events, 0};
  return poll(&item, 1, static_cast<int>(at_most.count())) > 0;
}

int connect_to(int family, const sockaddr* address, socklen_t length, Duration at_most) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  int error = 0;
  socklen_t size = sizeof error;
  if (connect(descriptor, address, length) == 0 ||
      (errno == EINPROGRESS && ready(descriptor, POLLOUT, at_most) &&
       getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

int connect_ipc(const std::string& path, Duration at_most) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return connect_to(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address, at_most);
}

int connect_tcp(std::string host, const std::string& port, Duration at_most) {
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  if (host == "0.0.0.0" || host == "*") host = "127.0.0.1";
  if (host == "::") host = "::1";
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  return connect_to(found->ai_family, found->ai_addr, found->ai_addrlen, at_most);
}

}  // namespace

PlainConnection::PlainConnection(const std::string& endpoint, Duration at_most) {
  const std::size_t colon = endpoint.rfind(':');
  if (endpoint.starts_with("ipc://")) {
    descriptor_ = connect_ipc(endpoint.substr(6), at_most);
  } else if (endpoint.starts_with("tcp://") && colon > 6) {
    descriptor_ = connect_tcp(endpoint.substr(6, colon - 6), endpoint.substr(colon + 1), at_most);
  }
}

PlainConnection::~PlainConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool PlainConnection::send(const std::string& bytes) {
  return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == std::ssize(bytes);
}

std::optional<std::string> PlainConnection::receive(Duration at_most) {
  if (!ready(descriptor_, POLLIN, at_most)) return std::string();
  std::array<char, 1024> bytes{};
  const ssize_t length = recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return std::string();
  if (length <= 0) return std::nullopt;
  return std::string(bytes.data(), static_cast<std::size_t>(length));
}

std::string mechanism_at(const std::string& endpoint) {
  PlainConnection connection(endpoint, kProbeMax);
  // The signature and a version are enough to be told the rest of its greeting.
  if (!connection.is_open() || !connection.send(std::string("\xff\0\0\0\0\0\0\0\0\x7f\x03", 11)))
    return {};
  std::string greeting;
  while (greeting.size() < kGreetingBytes) {
    const auto more = connection.receive(kProbeMax);
    if (!more || more->empty()) return {};
    greeting += *more;
  }
  const std::string name = greeting.substr(kMechanismOffset, kMechanismBytes);
  return name.substr(0, name.find('\0'));
}

}  // namespace assay::transport
