#include "sdk/http/failure.h"

#include <curl/curl.h>

namespace assay::http {

std::string shown_url(const std::string& url) {
  std::string out = url.substr(0, url.find_first_of("?#"));
  const auto scheme = out.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto at = out.find('@', begin);
  if (at != std::string::npos && at < out.find('/', begin)) out.erase(begin, at + 1 - begin);
  return out;
}

Status bad_http_request(const std::string& message) {
  return fix_input("http_bad_request", message);
}

Status failure_of(const Ending& ending) {
  const auto code = static_cast<CURLcode>(ending.code);
  const std::string& where = ending.where;
  const std::string message =
      where + ": " + (ending.words.empty() ? curl_easy_strerror(code) : ending.words);
  if (!ending.refused_address.empty() && code == CURLE_COULDNT_CONNECT) {
    return fix_input("http_address_refused",
                     where + ": the address " + ending.refused_address + " is not allowed");
  }
  if (ending.too_large) {
    return {Code::kExhausted, "http_too_large",
            where + ": the response is longer than " + std::to_string(ending.response_bytes_max) +
                " bytes"};
  }
  if (ending.stopped) return {Code::kRetryCall, "http_stopped", where + ": stopped by its reader"};
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      // The scheme was looked at before: this is a redirect elsewhere, or bytes that are no HTTP.
      return ending.answered ? bad_http_request(message) : retry_later("http_broken", message);
    case CURLE_URL_MALFORMAT:
      return bad_http_request(message);
    case CURLE_OPERATION_TIMEDOUT:
      return retry_later("http_timeout", message);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return retry_later("http_unreachable", message);
    case CURLE_TOO_MANY_REDIRECTS:
      return fix_input("http_too_many_redirects", message);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
      return fix_input("http_tls", message);
    default:
      return retry_later("http_broken", message);
  }
}

}  // namespace assay::http
