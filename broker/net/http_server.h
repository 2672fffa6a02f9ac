// A small HTTP server for health and metrics, driven by the broker's own loop: no thread, so
// nothing to lock.
#ifndef ASSAY_BROKER_NET_HTTP_SERVER_H_
#define ASSAY_BROKER_NET_HTTP_SERVER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "assay/ids.h"
#include "assay/status.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace assay::net {

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// Answers a GET for a path.
using HttpHandler = std::function<HttpResponse(const std::string& path)>;

// Thread: one.
class HttpServer {
 public:
  // Listens at `address`, for example "127.0.0.1:9555"; port 0 lets the system choose.
  // Errors: `invalid_endpoint`, `address_in_use` (fix_input).
  static Result<std::unique_ptr<HttpServer>> listen(const std::string& address,
                                                    HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  const std::string& address() const { return address_; }
  // Readable when run() has something to do.
  int descriptor() const { return descriptor_; }
  // How long the loop may sleep before it must call run().
  std::optional<Duration> timeout() const;
  // Serves whatever is ready, and returns.
  void run();

  // For the library's callbacks.
  void on_connected(MHD_Connection* connection);
  void on_settled(MHD_Connection* connection);  // its request is complete, or it is gone
  HttpResponse answer(const std::string& path) const { return handler_(path); }

 private:
  explicit HttpServer(HttpHandler handler) : handler_(std::move(handler)) {}

  // A connection whose request has not arrived.
  struct Unsettled {
    MHD_Connection* connection = nullptr;
    std::chrono::steady_clock::time_point deadline;
  };

  HttpHandler handler_;
  std::deque<Unsettled> unsettled_;  // the earliest deadline first
  std::string address_;
  int descriptor_ = -1;
  MHD_Daemon* daemon_ = nullptr;  // owned; stopped by the destructor
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_HTTP_SERVER_H_
