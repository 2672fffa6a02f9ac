// One HTTP request after another, each waited for.
#ifndef ASSAY_SDK_HTTP_CLIENT_H_
#define ASSAY_SDK_HTTP_CLIENT_H_

#include <memory>

#include "assay/status.h"
#include "sdk/http/request.h"

namespace assay::http {

// Keeps connections open between requests to the same place.
// Thread: any number at once; each request of its own.
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends it and waits for its end. Every status that a server answers is a Response.
  //
  // Errors: `http_bad_request` (fix_input: URL, method or header that cannot be),
  // `http_unreachable` (retry_later: name, connection), `http_timeout` (retry_later),
  // `http_broken` (retry_later: the connection ended before the response did, or it is no HTTP),
  // `http_tls` (fix_input: certificates), `http_address_refused` (fix_input: allow_address said
  // no), `http_too_large` (exhausted), `http_too_many_redirects` (fix_input), `http_stopped` (a
  // callback said so), `http_cancelled` (both retry_call). Source: libcurl-errors(3).
  Result<Response> perform(Request request);

 private:
  class Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_CLIENT_H_
