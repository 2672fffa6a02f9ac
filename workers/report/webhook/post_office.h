// All endpoints: their spools, and a thread each that delivers.
#ifndef ASSAY_WORKERS_REPORT_WEBHOOK_POST_OFFICE_H_
#define ASSAY_WORKERS_REPORT_WEBHOOK_POST_OFFICE_H_

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "workers/report/webhook/courier.h"

namespace assay::report {

// Thread: post() from any.
class PostOffice {
 public:
  // Events lie in `folder`/NAME. Errors: those of Spool::open.
  static Result<std::unique_ptr<PostOffice>> open(const std::string& folder,
                                                  const std::vector<Endpoint>& endpoints,
                                                  Send send = send_over_http);
  ~PostOffice();  // what is pending stays and is delivered by the next

  // Begins to deliver.
  void start();
  // Durable when it returns. Errors: `unknown_webhook` (fix_input), those of Spool::add.
  Status post(const std::string& endpoint, const std::string& id, const std::string& body);
  Spool* spool(const std::string& endpoint);
  std::vector<std::string> names() const;

 private:
  struct Desk {
    std::unique_ptr<Spool> spool;
    std::unique_ptr<Courier> courier;
    std::jthread thread;
    bool woken = false;
  };
  void deliver(std::stop_token stop, Desk& desk);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::string, Desk> desks_;
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_WEBHOOK_POST_OFFICE_H_
