// Events on their way, one file each, so that a killed worker forgets none:
//
//   DATA_DIR/webhooks/NAME/pending/00000000000000000001-EVENT.json   in the order to be delivered
//   DATA_DIR/webhooks/NAME/undelivered/...                           given up; may be sent again
#ifndef ASSAY_WORKERS_REPORT_WEBHOOK_SPOOL_H_
#define ASSAY_WORKERS_REPORT_WEBHOOK_SPOOL_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"

namespace assay::report {

struct Event {
  std::string id;    // the receiver tells repetitions by it
  std::string file;  // its place in the order
  std::string body;
};

// The events of one endpoint. Thread: any.
class Spool {
 public:
  // Makes the folders. Errors: `unwritable_file` (retry_later), as of all below.
  static Result<std::unique_ptr<Spool>> open(const std::filesystem::path& folder);

  // Durable when it returns. An event that is pending or undelivered already is not added again.
  Status add(const std::string& id, const std::string& body);
  // The first that is pending.
  std::optional<Event> first();
  Status delivered(const Event& event);
  Status give_up(const Event& event);
  // The ids of what was given up.
  std::vector<std::string> undelivered();
  // They are pending again, behind what is. How many.
  Result<std::size_t> send_again();

 private:
  explicit Spool(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::vector<std::string> files(const char* sub);
  std::string next_number();
  Status move(const std::string& from, const std::string& to);

  std::filesystem::path folder_;
  std::mutex mutex_;
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_WEBHOOK_SPOOL_H_
