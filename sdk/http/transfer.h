// One request on its way: libcurl's handle for it and the callbacks. For client.cc and transfers.cc
// only; libcurl's types stay out of headers, so handles are bare pointers here.
#ifndef ASSAY_SDK_HTTP_TRANSFER_H_
#define ASSAY_SDK_HTTP_TRANSFER_H_

#include <chrono>
#include <memory>
#include <optional>

#include "assay/status.h"
#include "sdk/http/request.h"

namespace assay::http {

class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Transfer(Request request, bool may_pause);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Makes the handle. Errors: `http_bad_request`.
  Status prepare();
  void* handle() const;
  const Request& request() const;
  // Bytes came or went, and its callback did not ask for a pause, so long ago.
  bool silent(Clock::time_point now) const;
  // When silent() may become true.
  std::optional<Clock::time_point> silent_at() const;
  void resume();
  // What came of it; `code` is libcurl's. Once.
  Result<Response> finish(int code);
  static Status cancelled();
  Status silence() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_TRANSFER_H_
