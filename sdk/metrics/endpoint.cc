#include "sdk/metrics/endpoint.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

namespace assay::metrics {

// The library's callback.
struct Answerer {
  static MHD_Result answer(void* context, MHD_Connection* connection, const char* path,
                           const char* method, const char*, const char*, std::size_t*,
                           void** state) {
    // The first call is for the headers alone.
    static int seen = 0;
    if (*state == nullptr) {
      *state = &seen;
      return MHD_YES;
    }
    auto& endpoint = *static_cast<Endpoint*>(context);
    const bool get = std::strcmp(method, "GET") == 0;
    if (get && std::strcmp(path, "/metrics") == 0) {
      return respond(connection, 200, endpoint.registry_.text(),
                     "text/plain; version=0.0.4; charset=utf-8");
    }
    if (get && std::strcmp(path, "/healthz") == 0) return respond(connection, 200, "ok\n");
    return respond(connection, get ? 404 : 405, "there is /metrics and /healthz\n");
  }

  static MHD_Result respond(MHD_Connection* connection, unsigned int status, std::string body,
                            const char* type = "text/plain") {
    MHD_Response* response =
        MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    const MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
  }
};

Result<std::unique_ptr<Endpoint>> Endpoint::listen(const std::string& address, Registry& registry) {
  const auto colon = address.rfind(':');
  sockaddr_in where{};
  where.sin_family = AF_INET;
  std::uint16_t port = 0;
  const std::string host = address.substr(0, colon);
  const char* const end = address.data() + address.size();
  const bool good = colon != std::string::npos &&
                    inet_pton(AF_INET, host.c_str(), &where.sin_addr) == 1 &&
                    std::from_chars(address.data() + colon + 1, end, port).ptr == end;
  if (!good) {
    return fix_input("invalid_endpoint",
                     "expected HOST:PORT such as 0.0.0.0:9556, found '" + address + "'");
  }
  where.sin_port = htons(port);
  std::unique_ptr<Endpoint> out(new Endpoint(registry));
  out->daemon_ = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, port, nullptr,
                                  nullptr, &Answerer::answer, out.get(), MHD_OPTION_SOCK_ADDR,
                                  reinterpret_cast<const sockaddr*>(&where),
                                  MHD_OPTION_CONNECTION_LIMIT, 64U, MHD_OPTION_CONNECTION_TIMEOUT,
                                  10U, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
  if (out->daemon_ == nullptr) {
    return fix_input("address_in_use", "cannot listen at " + address + ": " +
                                           std::strerror(errno));  // NOLINT: one thread yet
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(out->daemon_, MHD_DAEMON_INFO_BIND_PORT);
  out->address_ = host + ":" + std::to_string(info == nullptr ? port : info->port);
  return out;
}

Endpoint::~Endpoint() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

}  // namespace assay::metrics
