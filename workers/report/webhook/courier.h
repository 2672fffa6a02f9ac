// Delivers the events of one endpoint, one after the other: the next waits until the one before it
// was delivered or given up.
#ifndef ASSAY_WORKERS_REPORT_WEBHOOK_COURIER_H_
#define ASSAY_WORKERS_REPORT_WEBHOOK_COURIER_H_

#include <functional>
#include <optional>
#include <string>

#include "assay/ids.h"
#include "assay/status.h"
#include "workers/report/webhook/endpoint.h"
#include "workers/report/webhook/spool.h"

namespace assay::report {

// What came of one try.
struct Delivery {
  unsigned status = 0;  // of HTTP; 0: no answer
  std::string words;
  std::optional<Duration> retry_after;
};
using Send = std::function<Delivery(const Endpoint& endpoint, const Event& event, Time now)>;

// The header of a delivery: "t=SECONDS,v1=HEX", the HMAC-SHA256 of "SECONDS.BODY".
std::string signature(const std::string& secret, Time now, const std::string& body);

// Sends over HTTP: to the endpoint's URL only, no redirects, 64 KiB of answer at most, and to
// addresses of the open internet only unless the endpoint says otherwise.
Delivery send_over_http(const Endpoint& endpoint, const Event& event, Time now);

// Thread: one at a time.
class Courier {
 public:
  Courier(Endpoint endpoint, Spool& spool, Send send)
      : endpoint_(std::move(endpoint)), spool_(spool), send_(std::move(send)) {}

  // Tries what is due. How long it wants to be left alone at most; until something is added when
  // nothing is pending.
  Duration step(Time now);

 private:
  bool over(const Delivery& delivery, Time now) const;

  Endpoint endpoint_;
  Spool& spool_;
  Send send_;
  std::string current_;  // the event that is being tried
  Time first_try_{};
  Time next_try_{};
  Duration backoff_{0};
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_WEBHOOK_COURIER_H_
