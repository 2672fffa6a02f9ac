// One HTTP request and its response, as values. Knows no socket; client.h and transfers.h carry
// them out.
#ifndef ASSAY_SDK_HTTP_REQUEST_H_
#define ASSAY_SDK_HTTP_REQUEST_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

using Milliseconds = std::chrono::milliseconds;

struct Response {
  unsigned int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in their order
  std::string body;  // empty when the request's `on_body` got it

  // The first header of that name (lower case), or an empty text.
  std::string_view header(std::string_view name) const;
  bool good() const { return status >= 200 && status < 300; }
  // Seconds (fractions too) of a Retry-After header; a date and nonsense are nothing. Never more
  // than an hour.
  std::optional<Milliseconds> retry_after() const;
};

// What a streaming callback answers.
enum class Flow : std::uint8_t {
  kContinue,
  kPause,  // the same bytes come again after Transfers::resume; Client treats it as kContinue
  kStop,   // end the transfer: `http_stopped`
};

struct Tls {
  std::string ca_file;           // PEM; or
  std::string ca_text;           // PEM; with neither, the system's authorities
  std::string certificate_file;  // the client's own, PEM; with its key
  std::string key_file;
  std::string certificate_text;  // or both as text
  std::string key_text;
  bool insecure = false;  // accept any certificate: for a person's test, never a default
};

// Zero: no limit. Connecting always has one.
struct Timeouts {
  Milliseconds connect{10'000};
  Milliseconds total{0};    // from the start to the last byte
  Milliseconds silence{0};  // since the last byte that came or went
};

struct Request {
  std::string method = "GET";
  std::string url;          // http:// or https://
  std::string unix_socket;  // connect to this path; the URL's host is then only a name
  std::vector<std::pair<std::string, std::string>> headers;
  std::string bearer_token;  // sent as Authorization; appears in no message

  std::string body;  // or a callback that fills a buffer and answers how much; 0 is the end
  std::function<std::size_t(char* buffer, std::size_t size)> read_body = {};
  std::optional<std::uint64_t> body_bytes = {};  // of read_body; without it the body is chunked

  // The body of a 2xx response comes here piece by piece; of any other it is in Response::body.
  // `head` holds status and headers.
  std::function<Flow(const Response& head, std::string_view bytes)> on_body = {};
  std::size_t response_bytes_max = 16U << 20;  // kept in memory; more is `http_too_large`

  Timeouts timeouts;
  Tls tls;
  std::uint32_t redirects_max = 0;  // followed, to http and https only
  bool http2 = true;                // where the server offers it over TLS
  bool proxy_from_environment = false;
  // Asked for each address that is about to be connected to ("192.0.2.7", 443), after the name was
  // resolved and after each redirect: false refuses it. Not asked for a Unix socket.
  std::function<bool(const std::string& address, std::uint16_t port)> allow_address = {};
  std::stop_token cancel = {};  // Thread: request_stop from any
};

// Whether an address is on the open internet: not loopback, private, link-local, shared, multicast,
// reserved, nor any of these written as IPv6. What is no address is not. For `allow_address`.
bool is_public_address(const std::string& address);

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_REQUEST_H_
