// A real HTTP/1.1 server for tests that does as it is told, and misbehaves when told so: its
// handler may answer, answer half, fall silent or hang up. Loopback or a Unix socket, port 0.
#ifndef ASSAY_TESTS_SUPPORT_HTTP_SERVER_H_
#define ASSAY_TESTS_SUPPORT_HTTP_SERVER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace assay::support {

struct ServerRequest {
  std::string method;
  std::string target;                          // "/path?query" as it came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::uint64_t connection = 0;  // from 1

  std::string path() const { return target.substr(0, target.find('?')); }
  // The value of a query parameter, decoded; or empty.
  std::string query(const std::string& name) const;
};

// The handler's side of one connection. Thread: the handler's.
class ServerConnection {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit ServerConnection(int socket, const std::atomic<bool>& stopping)
      : socket_(socket), stopping_(stopping) {}

  void respond(unsigned int status, std::string_view body, const Headers& headers = {});
  void begin_chunks(unsigned int status, const Headers& headers = {});
  // False when the client is gone.
  bool chunk(std::string_view bytes);
  void end_chunks() { send("0\r\n\r\n"); }
  // Bytes as they are; false when the client is gone.
  bool send(std::string_view bytes);
  void hang_up();
  // Waits until the client is gone, the server stops or the time is over; false for the last.
  bool wait_gone(std::chrono::milliseconds at_most);
  bool hung_up() const { return hung_up_; }

 private:
  int socket_;
  const std::atomic<bool>& stopping_;
  bool hung_up_ = false;
};

class HttpServer {
 public:
  using Handler = std::function<void(const ServerRequest&, ServerConnection&)>;

  // Serves each connection on a thread of its own until it is destroyed. With a path it listens
  // there instead of on loopback.
  explicit HttpServer(Handler handler, std::string unix_path = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  std::uint64_t connections() const { return connections_; }
  std::uint64_t requests() const { return requests_; }
  // Ends every connection there is; new ones are served.
  void hang_up_all();

 private:
  struct Served {
    int socket;
    std::thread thread;
  };
  void accept_all();
  void serve(int socket, std::uint64_t number);
  bool read_request(int socket, std::string& inbox, ServerRequest& out);

  Handler handler_;
  std::string unix_path_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::mutex mutex_;
  std::list<Served> served_;
  std::thread acceptor_;
};

}  // namespace assay::support

#endif  // ASSAY_TESTS_SUPPORT_HTTP_SERVER_H_
