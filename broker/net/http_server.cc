#include "broker/net/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace assay::net {
namespace {

constexpr unsigned kConnectionsMax = 200;
constexpr unsigned kIdleSeconds = 10;
constexpr std::size_t kConnectionBytesMax = 32 << 10;

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
  const MHD_Result queued = MHD_queue_response(connection, response.status, reply);
  MHD_destroy_response(reply);
  return queued;
}

MHD_Result on_request(void* server, MHD_Connection* connection, const char* path,
                      const char* method, const char*, const char*, std::size_t* upload_bytes,
                      void**) {
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
  errno = 0;
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL, ntohs(parsed->sin_port), nullptr, nullptr, &on_request, server.get(),
      MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&*parsed), MHD_OPTION_CONNECTION_LIMIT,
      kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytesMax, MHD_OPTION_END);
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

std::optional<Duration> HttpServer::timeout() const {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) != MHD_YES) return std::nullopt;
  return Duration(static_cast<Duration::rep>(milliseconds));
}

void HttpServer::run() {
  MHD_run(daemon_);
}

}  // namespace assay::net
