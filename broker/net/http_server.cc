// Whoever opens connections and says nothing must not keep a probe from its answer: a request has a
// deadline that no dripping of bytes extends, an answer ends its connection, and one address gets
// half of all connections.
#include "broker/net/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace assay::net {
namespace {

constexpr unsigned kConnectionsMax = 1000;
constexpr unsigned kConnectionsMin = 16;
constexpr unsigned kIdleSeconds = 3;
constexpr std::chrono::seconds kRequestTimeout{2};  // from the connection to the request's end
constexpr std::size_t kConnectionBytesMax = 8 << 10;

// A quarter of the descriptors at most: the others belong to clients, workers and the journal.
unsigned connections_max() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return kConnectionsMin;
  return static_cast<unsigned>(
      std::clamp<rlim_t>(files.rlim_cur / 4, kConnectionsMin, kConnectionsMax));
}

// A path with a NUL would end there for whoever reads it as a C string: it stays as it was sent,
// and names nothing.
std::size_t unescape(void*, MHD_Connection*, char* text) {
  return std::strstr(text, "%00") != nullptr ? std::strlen(text) : MHD_http_unescape(text);
}

void on_connection(void* server, MHD_Connection* connection, void**,
                   MHD_ConnectionNotificationCode what) {
  auto* self = static_cast<HttpServer*>(server);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    self->on_connected(connection);
  } else {
    self->on_settled(connection);
  }
}

MHD_Result send_response(MHD_Connection* connection, const HttpResponse& response) {
  MHD_Response* reply = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (reply == nullptr) return MHD_NO;
  MHD_add_response_header(reply, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  MHD_add_response_header(reply, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(reply, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (response.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(reply, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  MHD_add_response_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
  const MHD_Result queued = MHD_queue_response(connection, response.status, reply);
  MHD_destroy_response(reply);
  return queued;
}

MHD_Result on_request(void* server, MHD_Connection* connection, const char* path,
                      const char* method, const char*, const char*, std::size_t* upload_bytes,
                      void**) {
  static_cast<HttpServer*>(server)->on_settled(connection);
  if (*upload_bytes > 0) return MHD_NO;  // nothing here takes a body: close
  if (std::strcmp(method, "GET") != 0 && std::strcmp(method, "HEAD") != 0) {
    return send_response(connection,
                         {.status = MHD_HTTP_METHOD_NOT_ALLOWED,
                          .body = "{\"error\":\"only GET and HEAD are served here\"}\n"});
  }
  return send_response(connection, static_cast<HttpServer*>(server)->answer(path));
}

Result<sockaddr_in> parse_address(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  std::uint16_t port = 0;
  const bool has_port =
      colon != std::string::npos &&
      std::from_chars(address.data() + colon + 1, address.data() + address.size(), port).ptr ==
          address.data() + address.size() &&
      colon + 1 < address.size();
  if (!has_port || inet_pton(AF_INET, address.substr(0, colon).c_str(), &parsed.sin_addr) != 1) {
    return fix_input("invalid_endpoint",
                     "cannot serve HTTP at '" + address +
                         "': expected ADDRESS:PORT, for example 127.0.0.1:9555");
  }
  parsed.sin_port = htons(port);
  return parsed;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const std::string& address,
                                                       HttpHandler handler) {
  auto parsed = parse_address(address);
  if (!parsed.is_ok()) return parsed.status();
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(handler)));
  const unsigned connections = connections_max();
  errno = 0;
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL, ntohs(parsed->sin_port), nullptr, nullptr, &on_request, server.get(),
      MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&*parsed), MHD_OPTION_CONNECTION_LIMIT,
      connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections / 2,
      MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionBytesMax, MHD_OPTION_NOTIFY_CONNECTION, &on_connection, server.get(),
      MHD_OPTION_UNESCAPE_CALLBACK, &unescape, nullptr, MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    return fix_input("address_in_use",
                     "cannot serve HTTP at " + address + ": " +
                         (errno != 0 ? std::strerror(errno) : "the address can't be bound") +
                         "; choose another with --http");
  }
  server->descriptor_ = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  const unsigned port = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
  server->address_ = address.substr(0, address.rfind(':') + 1) + std::to_string(port);
  return server;
}

HttpServer::~HttpServer() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

void HttpServer::on_connected(MHD_Connection* connection) {
  unsettled_.push_back({connection, std::chrono::steady_clock::now() + kRequestTimeout});
}

void HttpServer::on_settled(MHD_Connection* connection) {
  std::erase_if(unsettled_,
                [&](const Unsettled& unsettled) { return unsettled.connection == connection; });
}

std::optional<Duration> HttpServer::timeout() const {
  std::optional<Duration> timeout;
  if (MHD_UNSIGNED_LONG_LONG milliseconds = 0; MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
    timeout = Duration(static_cast<Duration::rep>(milliseconds));
  }
  if (unsettled_.empty()) return timeout;
  const Duration left = std::max(
      Duration(0),
      std::chrono::ceil<Duration>(unsettled_.front().deadline - std::chrono::steady_clock::now()));
  return std::min(timeout.value_or(left), left);
}

void HttpServer::run() {
  const auto now = unsettled_.empty() ? std::chrono::steady_clock::time_point()
                                      : std::chrono::steady_clock::now();
  while (!unsettled_.empty() && unsettled_.front().deadline <= now) {
    // The library's own timeout starts again with every byte. It closes what it finds shut down.
    const auto* socket =
        MHD_get_connection_info(unsettled_.front().connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (socket != nullptr) shutdown(socket->connect_fd, SHUT_RDWR);
    unsettled_.pop_front();
  }
  MHD_run(daemon_);
}

}  // namespace assay::net
