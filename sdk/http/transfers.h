// Many HTTP requests at once on one thread: watches, followed logs, anything that stays open.
#ifndef ASSAY_SDK_HTTP_TRANSFERS_H_
#define ASSAY_SDK_HTTP_TRANSFERS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "assay/status.h"
#include "sdk/http/request.h"

namespace assay::http {

// A thread of its own carries out what is started and calls back. Callbacks must not wait: they
// hold up every other transfer. They may start, cancel and resume transfers.
//
// Thread: any, but the destructor, which no callback may call. It cancels what is left, calls each
// `done`, and then returns.
class Transfers {
 public:
  using Id = std::uint64_t;
  using Done = std::function<void(Result<Response>)>;

  Transfers();
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Returns at once. `done` is called exactly once, on the thread of the transfers, with what
  // Client::perform would return.
  Id start(Request request, Done done);
  // Ends it soon with `http_cancelled`. One that is over is not missed.
  void cancel(Id id);
  // Goes on with one whose callback answered Flow::kPause.
  void resume(Id id);
  std::size_t in_flight() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace assay::http

#endif  // ASSAY_SDK_HTTP_TRANSFERS_H_
