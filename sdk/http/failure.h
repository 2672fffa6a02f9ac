// From how a transfer ended to the Status that its caller gets. For transfer.cc only.
#ifndef ASSAY_SDK_HTTP_FAILURE_H_
#define ASSAY_SDK_HTTP_FAILURE_H_

#include <cstddef>
#include <string>

#include "assay/status.h"

namespace assay::http {

struct Ending {
  int code = 0;           // libcurl's
  std::string where;      // method and URL, without secrets
  std::string words;      // libcurl's own about it; or empty
  bool answered = false;  // a status line had come
  std::string refused_address;
  std::size_t response_bytes_max = 0;
  bool too_large = false;
  bool stopped = false;
};

Status failure_of(const Ending& ending);
Status bad_http_request(const std::string& message);
// A URL without user, password and query, which may hold secrets.
std::string shown_url(const std::string& url);

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_FAILURE_H_
