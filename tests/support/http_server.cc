#include "tests/support/http_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace assay::support {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out +=
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string head(unsigned int status, const ServerConnection::Headers& headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  for (const auto& [name, value] : headers) out.append(name).append(": ").append(value) += "\r\n";
  return out;
}

std::string hexadecimal(std::size_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

// Appends what comes to `inbox`; false at the end.
bool read_more(int socket, std::string& inbox) {
  char chunk[65536];
  const ssize_t count = recv(socket, chunk, sizeof chunk, 0);
  if (count > 0) inbox.append(chunk, static_cast<std::size_t>(count));
  return count > 0;
}

bool read_chunked(int socket, std::string& inbox, std::string& body) {
  while (true) {
    std::size_t end = 0;
    while ((end = inbox.find("\r\n")) == std::string::npos) {
      if (!read_more(socket, inbox)) return false;
    }
    const std::size_t size = std::strtoul(inbox.c_str(), nullptr, 16);
    inbox.erase(0, end + 2);
    while (inbox.size() < size + 2) {
      if (!read_more(socket, inbox)) return false;
    }
    body.append(inbox, 0, size);
    inbox.erase(0, size + 2);
    if (size == 0) return true;
  }
}

}  // namespace

std::string ServerRequest::query(const std::string& name) const {
  const auto mark = target.find('?');
  if (mark == std::string::npos) return {};
  std::string_view rest = std::string_view(target).substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.substr(0, one.find('=')) != name) continue;
    return decoded(one.substr(std::min(one.size(), one.find('=') + 1)));
  }
  return {};
}

bool ServerConnection::send(std::string_view bytes) {
  while (!bytes.empty() && !hung_up_) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) hung_up_ = true;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return !hung_up_;
}

void ServerConnection::respond(unsigned int status, std::string_view body, const Headers& headers) {
  send(head(status, headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
       std::string(body));
}

void ServerConnection::begin_chunks(unsigned int status, const Headers& headers) {
  send(head(status, headers) + "Transfer-Encoding: chunked\r\n\r\n");
}

bool ServerConnection::chunk(std::string_view bytes) {
  return send(hexadecimal(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n");
}

void ServerConnection::hang_up() {
  hung_up_ = true;
  shutdown(socket_, SHUT_RDWR);
}

bool ServerConnection::wait_gone(std::chrono::milliseconds at_most) {
  pollfd gone{socket_, POLLRDHUP, 0};
  const int count = poll(&gone, 1, static_cast<int>(at_most.count()));
  if (count > 0) hung_up_ = true;
  return count > 0 || stopping_;
}

HttpServer::HttpServer(Handler handler, std::string unix_path)
    : handler_(std::move(handler)), unix_path_(std::move(unix_path)) {
  if (unix_path_.empty()) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  } else {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, unix_path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_EQ(listen(listener_, 512), 0);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  hang_up_all();
  for (Served& one : served_) {
    one.thread.join();
    close(one.socket);
  }
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
}

void HttpServer::hang_up_all() {
  const std::lock_guard lock(mutex_);
  for (const Served& one : served_) shutdown(one.socket, SHUT_RDWR);
}

void HttpServer::accept_all() {
  while (!stopping_) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::uint64_t number = ++connections_;
    const std::lock_guard lock(mutex_);
    served_.push_back({socket, std::thread([this, socket, number] { serve(socket, number); })});
  }
}

void HttpServer::serve(int socket, std::uint64_t number) {
  std::string inbox;
  while (!stopping_) {
    ServerRequest request;
    request.connection = number;
    if (!read_request(socket, inbox, request)) break;
    ++requests_;
    ServerConnection connection(socket, stopping_);
    handler_(request, connection);
    if (connection.hung_up()) break;
  }
  shutdown(socket, SHUT_RDWR);
}

bool HttpServer::read_request(int socket, std::string& inbox, ServerRequest& out) {
  std::size_t end = 0;
  while ((end = inbox.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(socket, inbox)) return false;
  }
  std::string_view text = std::string_view(inbox).substr(0, end);
  const std::string_view line = text.substr(0, text.find("\r\n"));
  out.method = line.substr(0, line.find(' '));
  const auto target = line.substr(out.method.size() + 1);
  out.target = target.substr(0, target.find(' '));
  text.remove_prefix(std::min(text.size(), line.size() + 2));
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), one.size() + 2));
    const auto colon = one.find(':');
    std::string name(one.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
    });
    std::string_view value = one.substr(std::min(one.size(), colon + 1));
    while (value.starts_with(' ')) value.remove_prefix(1);
    out.headers[name] = value;
  }
  inbox.erase(0, end + 4);
  if (out.headers["transfer-encoding"] == "chunked") return read_chunked(socket, inbox, out.body);
  const std::size_t size = std::strtoul(out.headers["content-length"].c_str(), nullptr, 10);
  while (inbox.size() < size) {
    if (!read_more(socket, inbox)) return false;
  }
  out.body = inbox.substr(0, size);
  inbox.erase(0, size);
  return true;
}

}  // namespace assay::support
