// Where webhooks may go: only where the worker's configuration says. A task picks by name.
#ifndef ASSAY_WORKERS_REPORT_WEBHOOK_ENDPOINT_H_
#define ASSAY_WORKERS_REPORT_WEBHOOK_ENDPOINT_H_

#include <string>

#include "assay/ids.h"

namespace assay::report {

struct Endpoint {
  std::string name;
  std::string url;
  std::string secret_file;     // read anew for each delivery
  std::string ca_file;         // empty: the system's authorities
  bool allow_private = false;  // loopback, private and link-local addresses too
  Duration timeout{10'000};    // of one delivery
  Duration give_up_after{24 * 3600 * 1000};
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_WEBHOOK_ENDPOINT_H_
